"""How a call pages: by botocore's paginators or, where they lack the call, by the names of members in its model.

One in five of botocore's operations with tokens has no paginator. Without this, such a call would read the first page
only, and take it for the whole list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jmespath
from botocore.model import OperationModel, Shape

from tasks.aws.client import credentials

_TOKEN: Final = re.compile(r"(?i)(next|page|pagination|continuation|starting)?(page)?token|\w*marker|cursor")
_NO_TOKEN: Final = re.compile(r"(?i)client|grant|session|auth|delete")
_MORE: Final = re.compile(r"(?i)is_?truncated|truncated|has_?more\w*")
_SIZE: Final = re.compile(r"(?i)max_?(results|records|items|size)|limit|page_?size|\w+sperpage")


@dataclass(frozen=True, slots=True)
class Paging:
    """`inputs` of the next page are found at `outputs` of the last one, pairwise; `more` is the flag for a next page.

    results   the paths of the lists of items
    size      the parameter for the size of a page
    derived   from names in the model, because botocore has no paginator
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    results: tuple[str, ...]
    more: str | None = None
    size: str | None = None
    derived: bool = False

    def following(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """All tokens of the next page; {} after the last one.

        A token without the flag counts as a next page: both are optional in most models.
        """
        if self.more and jmespath.search(self.more, response) is False:
            return {}
        tokens = {name: jmespath.search(path, response) for name, path in zip(self.inputs, self.outputs, strict=True)}
        return {name: token for name, token in tokens.items() if token not in (None, "")}

    def says_more(self, response: Mapping[str, Any]) -> bool:
        return bool(self.more and jmespath.search(self.more, response))


@cache
def paging(action: str) -> Paging | None:
    """How `service:Operation` pages; None if it doesn't."""
    service, operation = action.split(":")
    return by_model(_operation(action), credentials.paginators(service).get(operation))


def by_model(operation: OperationModel, known: Mapping[str, Any] | None) -> Paging | None:
    """How an operation pages. `known`: its paginator, if there is one."""
    if known is None:
        return derived(operation)
    return Paging(
        inputs=_names(known["input_token"]),
        outputs=_names(known["output_token"]),
        results=_names(known["result_key"]),
        more=known.get("more_results"),
        size=known.get("limit_key"),
    )


def unclear(action: str) -> str | None:
    """Why a call that seems to page can't be read to its end; None if it can, or doesn't page."""
    pages = paging(action)
    takes = [name for name in _members(_operation(action).input_shape) if _is_token(name)]
    if pages is None:
        return f"it takes {', '.join(takes)}, but its response has no member for that" if takes else None
    if not pages.inputs:
        return f"{pages.more} marks further pages, but its response has no member that leads there"
    return None if pages.results else "no member of its response is a list"


def derived(operation: OperationModel) -> Paging | None:
    """By the names of the operation's members."""
    asks, response = _members(operation.input_shape), _members(operation.output_shape)
    inner = [name for name, shape in response.items() if shape.type_name == "structure"]
    around = ""
    if len(response) == 1 and inner:  # CloudFront has list and token inside one member
        around, response = f"{inner[0]}.", _members(response[inner[0]])
    pairs = [(name, token) for name in asks if (token := _leads_to(name, response))]
    pairs = [(name, token) for name, token in pairs if _is_token(name)] or pairs
    more = next(
        (name for name, shape in response.items() if _MORE.fullmatch(name) and shape.type_name == "boolean"), None
    )
    if not pairs and not more:
        return None
    return Paging(
        inputs=tuple(name for name, _ in pairs),
        outputs=tuple(f"{around}{token}" for _, token in pairs),
        results=tuple(f"{around}{name}" for name, shape in response.items() if shape.type_name == "list"),
        more=f"{around}{more}" if more else None,
        size=next((name for name in asks if _SIZE.fullmatch(name)), None),
        derived=True,
    )


def _leads_to(name: str, response: Mapping[str, Shape]) -> str | None:
    """The member of a response with the value of this parameter for the next page."""
    return next((member for member in _candidates(name) if member in response), None)


def _candidates(name: str) -> Iterator[str]:
    """`StartRecordName` <- `NextRecordName`, `pageToken` <- `nextPageToken`, `Marker` <- `NextMarker` or `Marker`."""
    for begins in ("ExclusiveStart", "Start", "starting", "Starting", ""):
        if name.startswith(begins):
            rest = name.removeprefix(begins)
            yield from (f"Next{rest}", f"next{rest[:1].upper()}{rest[1:]}", f"LastEvaluated{rest}")
    if _is_token(name):
        yield name


def _is_token(name: str) -> bool:
    return bool(_TOKEN.fullmatch(name)) and not _NO_TOKEN.search(name)


def _operation(action: str) -> OperationModel:
    service, operation = action.split(":")
    model: OperationModel = credentials.service_model(service).operation_model(operation)
    return model


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    return getattr(shape, "members", {})


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
