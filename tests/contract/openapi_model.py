"""A reduced OpenAPI description (tests/contract/descriptions) as a model of botocore's form, as the discovery documents
are, so that one set of checks reads all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.model import OperationModel, ServiceModel

from tasks.clients.http import HttpService
from tasks.engine.listing import Listing
from tests.contract.shapes import NotInModel

_KINDS: Final = {"string": "string", "boolean": "boolean", "integer": "integer", "number": "double"}


class OpenApiModel:
    def __init__(self, provider: str, description: Mapping[str, Any], service: HttpService) -> None:
        self._service = service
        shapes: dict[str, Any] = {}
        operations: dict[str, Any] = {}
        for call, of in description["calls"].items():
            in_path = [word.strip("{}") for word in call.split("/") if word.startswith("{")]
            members = {name: {"shape": "parameter"} for name in (*in_path, *of["query"])}
            shapes[f"{call} input"] = {"type": "structure", "members": members}
            output = _add(shapes, call, of["answer"])
            operations[call] = {"name": call, "input": {"shape": f"{call} input"}, "output": {"shape": output}}
        shapes["parameter"] = {"type": "string"}
        self._model = ServiceModel({"metadata": {}, "operations": operations, "shapes": shapes}, provider)

    def operation(self, action: str) -> OperationModel:
        if action not in self._model.operation_names:
            raise NotInModel(f"the description has no {action}: renew it")
        found: OperationModel = self._model.operation_model(action)
        return found

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        path = self._service.list_at(fetch.action)
        return () if path is None else (path,)


def _add(shapes: dict[str, Any], name: str, schema: Mapping[str, Any]) -> str:
    """The shape of a schema, and of those within it, each with a name of its own. `box`: it may be null."""
    shape: dict[str, Any] = {}
    shapes[name] = shape
    if schema.get("null"):
        shape["box"] = True
    if schema["type"] == "array":
        shape |= {"type": "list", "member": {"shape": _add(shapes, f"{name}[]", schema["items"])}}
    elif "fields" in schema:
        fields = schema["fields"].items()
        members = {one: {"shape": _add(shapes, f"{name}.{one}", of)} for one, of in fields}
        shape |= {"type": "structure", "members": members, "required": schema.get("required", [])}
    else:
        shape |= {"type": _KINDS.get(schema["type"], "any")}
    return name
