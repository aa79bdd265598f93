"""Which of Google's methods a request calls, and which OAuth scopes it takes: by the discovery documents themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from googleapiclient import discovery_cache

from tests.servers.json_api import Asked, Reply, Route

SERVICES: Final = (
    ("admin", "directory_v1"),
    ("bigquery", "v2"),
    ("cloudkms", "v1"),
    ("cloudresourcemanager", "v3"),
    ("compute", "v1"),
    ("container", "v1"),
    ("dns", "v1"),
    ("iam", "v1"),
    ("logging", "v2"),
    ("serviceusage", "v1"),
    ("sqladmin", "v1"),
    ("storage", "v1"),
)


@dataclass(frozen=True)
class Method:
    """A method as its document has it.

    id      `compute.instances.aggregatedList`
    scopes  any of them suffices
    kind    what each response says of itself; "" where answers say nothing
    """

    id: str
    http_method: str
    path: re.Pattern[str]
    scopes: frozenset[str]
    kind: str


def called(http_method: str, path: str) -> list[Method]:
    """The methods that are served there: more than one where services share a path."""
    return [method for method in methods() if method.http_method == http_method and method.path.fullmatch(path)]


def with_kinds(routes: Mapping[str, Route]) -> dict[str, Route]:
    """The routes, with answers that say of which kind they are, as each of the method called does."""

    def told(route: Route) -> Route:
        def answered(asked: Asked) -> Reply:
            reply = route(asked)
            found = called(asked.action.partition(" ")[0], asked.path.partition("?")[0])
            kinds = [method.kind for method in found if method.kind]
            if reply.status != HTTPStatus.OK or not kinds:
                return reply
            return Reply({"kind": kinds[0], **reply.body}, reply.status, reply.headers)

        return answered

    return {action: told(route) for action, route in routes.items()}


@cache
def methods() -> tuple[Method, ...]:
    return tuple(method for name, version in SERVICES for method in _of(name, version))


def _of(name: str, version: str) -> Iterator[Method]:
    document = json.loads(discovery_cache.get_static_doc(name, version))
    for method in _methods(document):
        path = f"/{document['servicePath']}{method.get('flatPath') or method['path']}"
        parts = re.split(r"\{\+?\w+\}", path)
        pattern = re.compile("[^/]+".join(re.escape(part) for part in parts))
        response = document["schemas"].get(method.get("response", {}).get("$ref"), {}).get("properties", {})
        kind = response.get("kind", {}).get("default", "")
        yield Method(method["id"], method["httpMethod"], pattern, frozenset(method.get("scopes", ())), kind)


def _methods(of: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from of.get("methods", {}).values()
    for inner in of.get("resources", {}).values():
        yield from _methods(inner)
