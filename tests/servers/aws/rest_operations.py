"""The operation of a REST call, by botocore's own model of the service."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Protocol = Literal["ec2", "query", "s3", "json", "rest-json"]


@dataclass(frozen=True)
class _RestOperation:
    name: str
    method: str
    path: re.Pattern[str]
    query: frozenset[tuple[str, str | None]]  # required parameters; None: any value
    headers: frozenset[str]
    deprecated: bool

    @property
    def rank(self) -> tuple[int, bool, str]:
        """Operations with the most conditions first."""
        return -len(self.query) - len(self.headers), self.deprecated, self.name


@functools.cache
def _service_model(service: str) -> dict[str, Any]:
    """botocore's model of the service; one without operations if there is none."""
    try:
        model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        return {"metadata": {"protocol": "rest-json"}, "operations": {}}
    return model


def rest_protocol(service: str) -> Protocol:
    is_xml = _service_model(service)["metadata"]["protocol"] == "rest-xml"
    return "s3" if service == "s3" else "query" if is_xml else "rest-json"  # Route 53: as query


@functools.cache
def _rest_operations(service: str) -> list[_RestOperation]:
    model = _service_model(service)
    operations = []
    for name, operation in model["operations"].items():
        path, _, query = operation["http"]["requestUri"].partition("?")
        parts = [_path_part(part) for part in re.split(r"(\{\w+\+?\})", path.rstrip("/") or "/")]
        shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
        required: dict[str, list[str]] = {"querystring": [], "header": []}
        for member in (shape["members"][member] for member in shape.get("required", ())):
            if member.get("location") in required:
                required[member["location"]].append(member["locationName"])
        fixed = {(key, value or None) for key, _, value in (part.partition("=") for part in query.split("&") if part)}
        operations.append(
            _RestOperation(
                name=name,
                method=operation["http"]["method"],
                path=re.compile("".join(parts)),
                query=frozenset(fixed | {(name, None) for name in required["querystring"]}),
                headers=frozenset("HTTP_" + name.upper().replace("-", "_") for name in required["header"]),
                deprecated=operation.get("deprecated", False),
            )
        )
    return sorted(operations, key=lambda operation: operation.rank)


def _path_part(part: str) -> str:
    return ".+" if part.endswith("+}") else "[^/]+" if part.endswith("}") else re.escape(part)


def rest_operation(service: str, environ: WSGIEnvironment) -> str:
    """The operation of a REST call; '' if the service has no such operation."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/").rstrip("/") or "/"
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    for operation in _rest_operations(service):
        if (
            operation.method == method
            and all(key in query and value in (None, query[key][0]) for key, value in operation.query)
            and operation.headers <= environ.keys()
            and operation.path.fullmatch(path)
        ):
            return operation.name
    return ""
