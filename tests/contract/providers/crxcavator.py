"""CRXcavator as the contract tests see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tasks.crxcavator.api import SERVICE
from tasks.resource import ResourceType, Tenant
from tests.contract.json_stand_in import JsonStandIn
from tests.servers.json_api import Asked, JsonApi, Reply

KEY: Final = "CHARTFLEET_TEST_CRXCAVATOR_KEY"  # the name of a variable


class Crxcavator(JsonStandIn):
    provider = "crxcavator"
    service = SERVICE
    tells_empty = False
    throttled = Reply({"error": "too many requests"}, 429, {"Retry-After": "0"})
    denied = Reply({"error": "forbidden"}, 403)

    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        return [(type_.fetch.calls[0], "")]

    def lost(self, code: str) -> Reply:
        return Reply({"error": code}, 404)


STAND_IN = Crxcavator


@contextmanager
def running() -> Iterator[Crxcavator]:
    def guard(asked: Asked) -> Reply | None:
        return None if asked.headers.get("api-key") == "not-a-secret" else Reply({"error": "unknown key"}, 401)

    with JsonApi({}, guard) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY, "not-a-secret")
        access: dict[str, Any] = {"base_url": server.url, "api_key_variable": KEY}
        yield Crxcavator(server, Tenant(provider="crxcavator", id="127.0.0.1", access=access))
