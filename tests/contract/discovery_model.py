"""Google's discovery documents as models of botocore's form, so that one set of checks reads both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel, ServiceModel

from tasks.clients.google_documents import discovery_document, lists_of
from tasks.engine.listing import Listing
from tests.contract.shapes import NotInModel

_KINDS = {"string": "string", "boolean": "boolean", "integer": "integer", "number": "double", "any": "any"}


class DiscoveryModel:
    def operation(self, action: str) -> OperationModel:
        service, _, path = action.partition(":")
        model = _model(service)
        if path not in model.operation_names:
            raise NotInModel(f"the discovery document of {service} has no method {path}")
        found: OperationModel = model.operation_model(path)
        return found

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        if fetch.items_path is not None:
            return (fetch.items_path,) if fetch.items_path else ()
        return lists_of(fetch.action)


@cache
def _model(service: str) -> ServiceModel:
    document = discovery_document(service)
    shapes: dict[str, Any] = {}
    for name, schema in document["schemas"].items():
        _add(shapes, name, schema)
    operations = {}
    for path, method in _methods(document):
        members = {name: {"shape": _add(shapes, f"{path}.{name}", of)} for name, of in _parameters(document, method)}
        shapes[f"{path} input"] = {"type": "structure", "members": members}
        operations[path] = {"name": path, "input": {"shape": f"{path} input"}}
        if "response" in method:
            operations[path]["output"] = {"shape": method["response"]["$ref"]}
    return ServiceModel({"metadata": {}, "operations": operations, "shapes": shapes}, service)


def _methods(of: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, method in of.get("methods", {}).items():
        yield f"{before}{name}", method
    for name, resource in of.get("resources", {}).items():
        yield from _methods(resource, f"{before}{name}.")


def _parameters(document: Mapping[str, Any], method: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, parameter in {**document.get("parameters", {}), **method.get("parameters", {})}.items():
        yield name, {"type": "array", "items": parameter} if parameter.get("repeated") else parameter


def _add(shapes: dict[str, Any], name: str, schema: Mapping[str, Any]) -> str:
    """The shape of a schema, and of those within it, each with a name of its own. Returns the name."""
    if "$ref" in schema:
        return str(schema["$ref"])
    shape: dict[str, Any] = {}
    shapes[name] = shape
    if schema["type"] == "array":
        shape |= {"type": "list", "member": {"shape": _add(shapes, f"{name}[]", schema["items"])}}
    elif schema["type"] != "object":
        shape |= {"type": _KINDS[schema["type"]]}
        if "enum" in schema:
            shape["enum"] = schema["enum"]
    elif "additionalProperties" in schema:
        shapes["text"] = {"type": "string"}
        value = _add(shapes, f"{name}.*", schema["additionalProperties"])
        shape |= {"type": "map", "key": {"shape": "text"}, "value": {"shape": value}}
    else:
        members = schema.get("properties", {}).items()
        shape |= {
            "type": "structure",
            "members": {one: {"shape": _add(shapes, f"{name}.{one}", of)} for one, of in members},
        }
    return name
