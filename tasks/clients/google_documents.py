"""Google's discovery documents, method by method, as they come with its client library."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from googleapiclient import discovery_cache

# The name in actions: the API and its version.
SERVICES: Final[Mapping[str, tuple[str, str]]] = {
    "bigquery": ("bigquery", "v2"),
    "cloudkms": ("cloudkms", "v1"),
    "compute": ("compute", "v1"),
    "container": ("container", "v1"),
    "directory": ("admin", "directory_v1"),
    "dns": ("dns", "v1"),
    "iam": ("iam", "v1"),
    "logging": ("logging", "v2"),
    "resourcemanager": ("cloudresourcemanager", "v3"),
    "serviceusage": ("serviceusage", "v1"),
    "sqladmin": ("sqladmin", "v1"),
    "storage": ("storage", "v1"),
}

# Fields of a list that say what is missing from it.
INCOMPLETE: Final = re.compile("unreach|missing|unavailable|partial|incomplete|warning", re.IGNORECASE)

Schema = Mapping[str, Any]


@cache
def discovery_document(service: str) -> dict[str, Any]:
    """The discovery document of a service."""
    name, version = SERVICES[service]
    document: dict[str, Any] = json.loads(discovery_cache.get_static_doc(name, version))
    return document


def method_of(action: str) -> Mapping[str, Any]:
    """The method as its discovery document has it. Raises KeyError."""
    service, _, path = action.partition(":")
    *collections, name = path.split(".")
    resource: Mapping[str, Any] = discovery_document(service)
    for collection in collections:
        resource = resource["resources"][collection]
    method: Mapping[str, Any] = resource["methods"][name]
    return method


def response_of(action: str) -> Mapping[str, Schema]:
    """The fields of its response, by name."""
    fields: Mapping[str, Schema] = schema_of(action, method_of(action)["response"])["properties"]
    return fields


def schema_of(action: str, schema: Schema) -> Schema:
    """The schema, looked up if it is a reference."""
    resolved: Schema = (
        discovery_document(action.partition(":")[0])["schemas"][schema["$ref"]] if "$ref" in schema else schema
    )
    return resolved


@cache
def lists_of(action: str) -> tuple[str, ...]:
    """Where a response of a method that lists holds its items: its list of objects, by the discovery document."""
    if not is_paged(action) and not action.endswith(".list"):
        return ()
    lists = [name for name, of in response_of(action).items() if of.get("type") == "array" and _is_object(of["items"])]
    objects = [name for name in lists if not INCOMPLETE.search(name)]
    return tuple(objects) if is_paged(action) or len(objects) == 1 else ()


def _is_object(schema: Schema) -> bool:
    return "$ref" in schema or schema.get("type") == "object"


@cache
def map_of(action: str) -> str | None:
    """Where a response of an `aggregatedList` holds its items: a map from a place to lists."""
    maps = [name for name, of in response_of(action).items() if "$ref" in of.get("additionalProperties", {})]
    return maps[0] if is_paged(action) and not lists_of(action) and len(maps) == 1 else None


def is_paged(action: str) -> bool:
    return "pageToken" in method_of(action).get("parameters", {})


def scopes_of(action: str) -> frozenset[str]:
    """The OAuth scopes of a method; any one of them suffices."""
    return frozenset(method_of(action).get("scopes", ()))
