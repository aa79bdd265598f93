"""No text of an API, however it is written, takes long to search: neither a header, nor a message, nor a policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pytest
from botocore.exceptions import ClientError

from analysis.iam import patterns, policy_variables, request_variables
from tasks.aws.client import endpoints
from tasks.clients.graphql_errors import classify
from tasks.clients.link_header import links

LENGTH: Final = 60_000


def filled(text: str) -> str:
    return text * (LENGTH // len(text))


ATTACKS: Final = [
    *(
        filled(text)
        for text in ("<", '<>"', "<a>;", '<a>;a="', "<a>;a=", "${a", "${ , '", "${*}", "${a,'", "${a, 'b' ")
    ),
    *(
        filled(text)
        for text in ("not available ", "region not enabled, ", "'a' field requires one of the following sc")
    ),
    filled("'a' field requires one of the following scopes: ["),
    *(start + " " * LENGTH for start in ("<a>;", "<a>;a", "${", "${a", "${a,")),
    '<a>;rel="' + filled('\\"'),
    "${a, '" + filled("x"),
]


def availability(text: str) -> object:
    error = ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "ListThings")
    return endpoints.says_no_such_call(error, "eu-west-1")


@pytest.mark.parametrize(
    "search",
    [
        links,
        availability,
        lambda text: classify({"message": text}),
        patterns.has_variable,
        patterns.any_value,
        patterns.as_text,
        policy_variables.literally,
        lambda text: request_variables.keys([text]),
        lambda text: request_variables.substitute(text, {}, pattern=True),
    ],
    ids=["links", "availability", "graphql", "has_variable", "any_value", "as_text", "literally", "keys", "substitute"],
)
def test_the_time_to_search_is_bounded(search: Callable[[str], object]) -> None:
    for text in ATTACKS:
        started = time.thread_time()
        search(text)
        assert time.thread_time() - started < 3, text[:20]
