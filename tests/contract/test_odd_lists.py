"""A text, a number or an object in the place of the list that a scope is read from: it is neither read letter by letter
nor taken for an empty list. Every type whose response has a list, over HTTP, all at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final
from xml.sax.saxutils import escape

import pytest
import redis
from botocore.model import OperationModel
from werkzeug.wrappers import Response

from loaders.ledger import State
from tasks.aws.client import credentials
from tasks.engine import registry
from tasks.resource import ResourceType
from tests.contract.providers.aws import Aws
from tests.contract.samples import sample
from tests.contract.stand_in import StandIn
from tests.contract.test_other_answers import attempt_each

ODD: Final[Mapping[str, Any]] = {
    "a text": "maintenance",
    "a number": 7,
    "an object": {"odd": {"odd": "x"}},
    "true": True,
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_list_fails_the_scope(name: str, stand_ins: dict[str, StandIn], broker: redis.Redis) -> None:
    types = [type_ for type_ in registry.types().values() if reads_a_list(type_, stand_ins[type_.provider])]
    for provider, stand_in in stand_ins.items():
        own = [type_ for type_ in types if type_.provider == provider]
        stand_in.forget()
        stand_in.responses = dict(odd_response(type_, stand_in, ODD[name]) for type_ in own)
    units = attempt_each(types, stand_ins, broker)
    for type_ in types:
        unit = units[type_.name]
        assert (unit.state, unit.rows) == (State.FAILED, 0), f"{type_.name}: {unit.state}, {unit.reason}"
        assert "unexpected" not in unit.reason, f"{type_.name}: {unit.reason}"


def reads_a_list(type_: ResourceType, stand_in: StandIn) -> bool:
    """Whether the first call of its scope has a response with a list."""
    lists = stand_in.lists(type_)
    return bool(lists) and lists[0][0] == type_.fetch.calls[0] and isinstance(sample(type_)[lists[0][0]], list)


def odd_response(type_: ResourceType, stand_in: StandIn, odd: Any) -> tuple[str, Any]:
    """The call that the scope is read from, and a response to it with something else in the place of its first list."""
    call, path = stand_in.lists(type_)[0]
    if isinstance(stand_in, Aws):
        service, operation = call.split(":")
        body, content_type = on_the_wire(credentials.service_model(service).operation_model(operation), path, odd)
        return call, lambda _: Response(body, 200, {"Content-Type": content_type})
    return call, [put(deepcopy(sample(type_)[call][0]), path, odd)]


def put(page: Any, path: str, odd: Any) -> Any:
    *around, last = path.split(".") if path else ("",)
    if not last:
        return odd
    place = page
    for step in around:
        place = place[step]
    place[last] = odd
    return page


def on_the_wire(operation: OperationModel, path: str, odd: Any) -> tuple[str, str]:
    """The body and its type: nothing but the list, with what stands in its place."""
    shape: Any = operation.output_shape
    names = list[str]()
    for step in path.split("."):
        shape = shape.members[step]
        names.append(shape.serialization.get("name", step))
    if operation.service_model.metadata["protocol"].endswith("json"):
        body = odd
        for name in reversed(names):
            body = {name: body}
        return json.dumps(body), "application/x-amz-json-1.1"
    return _in_xml(operation, names, as_xml(odd)), "text/xml"


def _in_xml(operation: OperationModel, names: list[str], inner: str) -> str:
    output: Any = operation.output_shape
    wrapper, payload = output.serialization.get("resultWrapper"), output.serialization.get("payload")
    root = [] if payload else [f"{operation.name}Response", *([wrapper] if wrapper else [])]  # or its first member
    for name in reversed([*root, *names]):
        inner = f"<{name}>{inner}</{name}>"
    return inner


def as_xml(odd: Any) -> str:
    if isinstance(odd, dict):
        return "".join(f"<{name}>{as_xml(value)}</{name}>" for name, value in odd.items())
    return escape(json.dumps(odd).strip('"'))
