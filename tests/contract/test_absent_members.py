"""Every member of an AWS answer that its model doesn't require, left out or empty, in turn: what lacks it is read all
the same.

Of each sample each member is spoilt once, and the type's own fetch and rows are run over it. Served from memory: there
are thousands.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from loaders.model import Source
from loaders.scope import GLOBAL, Scope
from tasks.aws.client.client import AwsApi
from tasks.aws.client.failures import classify
from tasks.aws.client.paging import paging
from tasks.engine import registry
from tasks.engine.rows import read
from tasks.failures import CallFailed, Failure, InvalidRecord
from tasks.resource import Item, Per, ResourceType, Tenant
from tests.contract.faults import Unlimited
from tests.contract.providers.aws import BotocoreModel
from tests.contract.samples import REGION, sample
from tests.contract.stand_in import Responses
from tests.servers.aws import Call
from tests.servers.responses import ACCOUNT, found_for

MODEL = BotocoreModel()
TENANT = Tenant(provider="aws", id=ACCOUNT, name="sample", access={"name_server": "none"})
# Without what these need nothing true can be said, and none must not be: they refuse, and what they would have said is
# told as not seen.
REFUSE = {
    "all_statements",  # a policy's document
    "anonymous_access",
    "anonymous_actions",
    "group_arns",  # a group that the list of groups lacks: it may be new
    "in_repository",  # the name by which images are pulled
    "inline_version",
    "managed_version",
    "policies_of",  # which policy is attached
    "not_known",
    "trust_policy",
    "trusted_arns",
    "trusted_principals",
}
ERRORS = ("KeyError", "TypeError", "AttributeError", "ValueError", "IndexError", "StopIteration")

every_type = pytest.mark.parametrize("type_", registry.of("aws"), ids=lambda type_: type_.name)


@dataclass(frozen=True)
class Spot:
    """A member of a response: where it is in the sample, and where in the model."""

    action: str
    steps: tuple[Any, ...]  # into the sample's responses of the action
    path: str

    def parent_in(self, responses: Responses) -> Any:
        place: Any = responses[self.action]
        for step in self.steps[:-1]:
            place = place[step]
        return place


class FromMemory(AwsApi):
    """The sample's responses as the real client would give them."""

    responses: Responses

    async def call(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        text = f"{json.dumps(parameters)} " + " ".join(f"{name}={value}" for name, value in parameters.items())
        found = self.responses[action]
        service, operation = action.split(":")
        call = Call(service, operation, self.region, ACCOUNT, None, "json", service, text)
        response = found_for(found, call)
        if isinstance(response, str):
            said = {"Error": {"Code": response}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            failure = classify(ClientError(said, operation), service)  # type: ignore[arg-type]
            raise CallFailed(failure, action, response, code=response)
        assert response is not None, f"no response to {action}: {text}"
        return deepcopy(response)


def spots(action: str, responses: Any, shape: Shape) -> Iterator[Spot]:
    """The first place of each member, by its path in the model."""
    seen: set[str] = set()
    for steps, value in pages(responses):
        for spot in _inside(action, steps, "", value, shape):
            if spot.path not in seen:
                seen.add(spot.path)
                yield spot


def pages(responses: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every page of a call, and the steps that lead to it."""
    for name, response in responses.items() if isinstance(responses, dict) else enumerate(responses):
        if isinstance(response, list):
            yield from (((name, number), page) for number, page in enumerate(response))
        elif not isinstance(response, str):
            yield (name,), response


def _inside(action: str, steps: tuple[Any, ...], path: str, value: Any, shape: Shape) -> Iterator[Spot]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, inner in value.items():
            member = shape.members[name]
            where = f"{path}.{name}" if path else name
            if name not in shape.required_members or isinstance(member, ListShape):
                yield Spot(action, (*steps, name), where)
            yield from _inside(action, (*steps, name), where, inner, member)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _inside(action, (*steps, number), f"{path}[]", inner, shape.member)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for name, inner in value.items():
            yield from _inside(action, (*steps, name), f"{path}{{}}", inner, shape.value)


def decoded(value: Any, shape: Shape) -> Any:
    """A response as the client gives it: with times, and policies as JSON."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {name: decoded(inner, shape.members[name]) for name, inner in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [decoded(inner, shape.member) for inner in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: decoded(inner, shape.value) for name, inner in value.items()}
    if shape.name == "policyDocumentType":  # IAM's, as the client decodes it
        return json.loads(unquote(value))
    return datetime.fromisoformat(value) if shape.type_name == "timestamp" else value


def parsed(type_: ResourceType) -> Responses:
    responses = deepcopy(sample(type_))
    for action, found in responses.items():
        shape: Any = MODEL.operation(action).output_shape
        for steps, page in pages(found):
            place: Any = found
            for step in steps[:-1]:
                place = place[step]
            place[steps[-1]] = decoded(page, shape)
    return responses


def spoilt_by(responses: Responses, spot: Spot) -> Iterator[tuple[str, Responses]]:
    """The responses without the member; with an empty list, or an empty text, in its place."""
    shape_says_list = isinstance(spot.parent_in(responses)[spot.steps[-1]], list)
    for how in ("absent", "empty"):
        value = spot.parent_in(responses)[spot.steps[-1]]
        if how == "empty" and not isinstance(value, list | str):
            continue
        copy = {**responses, spot.action: deepcopy(responses[spot.action])}
        place = spot.parent_in(copy)
        if how == "absent":
            del place[spot.steps[-1]]
        else:
            place[spot.steps[-1]] = [] if shape_says_list else ""
        yield how, copy


async def items(type_: ResourceType, api: FromMemory) -> AsyncIterator[Item]:
    planned = type_.fetch.parts(api)
    for part in [""] if planned is None else [part async for part in planned]:
        async for item in type_.fetch.items(api, part):
            yield item


def pages_by(spot: Spot) -> bool:
    """A token, or what says that there is more: told by tests of its own."""
    found = paging(spot.action)
    return found is not None and spot.path in (*found.outputs, found.more)


def is_cut_short(error: CallFailed) -> bool:
    """A response without the list that it is, or without what leads to the next call, must not read as none."""
    return error.failure is Failure.INVALID_RESPONSE and (
        "the response has no" in str(error) or "an item has no" in str(error)
    )


def of_keys(type_: ResourceType) -> set[str]:
    """What looks for keys: an element without what makes up its key is none, and is told."""
    return {each.node.model.key.source.__name__ for each in type_.each if callable(each.node.model.key.source)}


async def unread(type_: ResourceType, responses: Responses) -> list[str]:
    """What of the responses can't be read, one line for each reason."""
    tenant = replace(TENANT, id=ACCOUNT)
    scope = Scope(type=type_.name, tenant=tenant.id, region=REGION if type_.per is Per.REGION else GLOBAL)
    limiter = Unlimited()
    api = FromMemory(tenant, scope.region, limiter, "aws")
    api.responses = responses
    found = []
    async for item in items(type_, api):
        if item.failure is not None:
            if item.failure.failure is not Failure.NOT_FOUND and not is_cut_short(item.failure):
                found.append(f"failed: {item.failure}")
            continue
        source = Source(item.value, scope, (), "aws", tenant.name, tenant.access, item.unseen)
        try:
            found += read(type_, source, item.key or None).rejected.values()
        except InvalidRecord as error:
            found.append(f"lost: {error}")
    assert limiter.throttles == []
    return found


@every_type
def test_what_lacks_a_member_that_may_be_absent_is_read(type_: ResourceType) -> None:
    responses, told = parsed(type_), of_keys(type_) | REFUSE

    async def faults(spoilt: Responses) -> list[str]:
        try:
            found = await unread(type_, spoilt)
        except CallFailed as error:
            return [] if is_cut_short(error) else [str(error)]
        except Exception as error:  # noqa: BLE001  # whatever it is, it would end the scope
            return [f"{type(error).__name__}: {error}"]
        lost = [one for one in found if one.startswith("lost")]
        more = [f"{len(lost)} items are lost"] if len(lost) > 1 else []
        return more + [one for one in found if _is_fault(one, told)]

    async def every() -> list[str]:
        assert await unread(type_, responses) == []
        return [
            f"{spot.action} {spot.path} {how}: {fault}"
            for action, found in responses.items()
            for spot in spots(action, found, cast(Shape, MODEL.operation(action).output_shape))
            if not pages_by(spot)
            for how, spoilt in spoilt_by(responses, spot)
            for fault in await faults(spoilt)
        ]

    wrong = asyncio.run(every())
    assert not wrong, "\n".join(wrong)


def _is_fault(reason: str, told: set[str]) -> bool:
    if reason.startswith("failed"):
        return True
    return any(error in reason for error in ERRORS) and not any(name in reason for name in told)
