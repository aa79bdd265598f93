"""Okta as the contract tests see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tasks.okta import saml
from tasks.okta.api import SERVICE
from tasks.resource import Tenant
from tests.contract.descriptions import okta
from tests.contract.json_stand_in import JsonStandIn, linked
from tests.contract.openapi_model import OpenApiModel
from tests.servers.json_api import Asked, JsonApi, Reply, token

TOKEN: Final = "CHARTFLEET_TEST_OKTA_TOKEN"  # the name of a variable


class Okta(JsonStandIn):
    provider = "okta"
    service = SERVICE
    model = OpenApiModel("okta", okta.description(), SERVICE)
    throttled = Reply(
        {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests."},
        429,
        {"X-Rate-Limit-Limit": "0", "X-Rate-Limit-Remaining": "0"},
    )
    denied = Reply(
        {"errorCode": "E0000006", "errorSummary": "You do not have permission to perform the requested action"}, 403
    )

    def lost(self, code: str) -> Reply:
        return Reply({"errorCode": code, "errorSummary": "Not found: Resource not found"}, 404)

    def page(self, pages: Sequence[Any], asked: Asked) -> Reply:
        reply = linked(pages, asked)
        if not isinstance(reply.body, dict) or "Link" not in reply.headers:
            return reply
        following = reply.headers["Link"].split("<")[-1].split(">")[0]
        return Reply({**reply.body, "_links": {"next": {"href": following}}})


STAND_IN = Okta


@contextmanager
def running() -> Iterator[Okta]:
    with JsonApi({}, token("SSWS not-a-secret")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN, "not-a-secret")
        access = {"base_url": server.url, "api_key_variable": TOKEN, "saml_role_regex": saml.DEFAULT}
        yield Okta(server, Tenant(provider="okta", id="example", access=access))
