"""GitHub as the contract tests see it: the samples hold what stands below `data`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tasks.clients.graphql import Connection
from tasks.clients.graphql_by_ids import ByIds
from tasks.github.api import SERVICE
from tasks.resource import ResourceType, Tenant
from tests.contract.json_stand_in import JsonStandIn
from tests.servers.json_api import Asked, JsonApi, Reply, Route, token

CONFIGURATION: Final = "CHARTFLEET_TEST_GITHUB_CONFIGURATION"  # the name of a variable
POINTS: Final = {"cost": 1, "limit": 5000, "remaining": 4990, "resetAt": "2030-01-01T00:00:00Z"}


class GitHub(JsonStandIn):
    provider = "github"
    service = SERVICE
    throttled = Reply({"message": "You have exceeded a secondary rate limit."}, 403, {"Retry-After": "0"})
    denied = Reply(
        {"data": {}, "errors": [{"type": "FORBIDDEN", "path": ["organization"], "message": "Resource not accessible"}]}
    )

    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        match type_.fetch:
            case ByIds():
                return [(type_.fetch.ids.action, f"{type_.fetch.ids.connection}.nodes")]
            case Connection():
                return [(type_.fetch.document.action, f"{type_.fetch.document.connection}.{type_.fetch.name}")]
        return []

    @property
    def the_end(self) -> dict[str, Any]:
        return {"pageInfo": {"endCursor": None, "hasNextPage": False}}

    def lost(self, code: str) -> Reply:
        return Reply({"data": {}, "errors": [{"type": code, "path": ["node"], "message": "Could not resolve"}]})

    def _route(self, found: list[Any] | dict[str, Any]) -> Route:
        """What is asked for by many ids is put together from one answer for each."""
        one = super()._route(found)

        def route(asked: Asked) -> Reply:
            ids = json.loads(asked.body)["variables"].get("ids")
            if ids is None:
                return answered(one(asked))
            assert isinstance(found, dict)
            return answered(Reply({"nodes": [found.get(id_) for id_ in ids]}))

        return route


def answered(reply: Reply) -> Reply:
    return Reply({"data": {**reply.body, "rateLimit": POINTS}}) if reply.status == 200 else reply


STAND_IN = GitHub


@contextmanager
def running() -> Iterator[GitHub]:
    with JsonApi({}, token("Bearer not-a-secret")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIGURATION, configuration((server.url, "example", "not-a-secret")))
        name = f"example@{server.url.removeprefix('http://')}"
        access = {"config_variable": CONFIGURATION}
        yield GitHub(server, Tenant(provider="github", id=name, name="example", access=access))


def configuration(*organizations: tuple[str, str, str]) -> str:
    """Of (server, login, token) each, as the variable has it."""
    entries = [{"url": f"{url}/graphql", "name": login, "token": token} for url, login, token in organizations]
    return base64.b64encode(json.dumps({"organization": entries}).encode()).decode()
