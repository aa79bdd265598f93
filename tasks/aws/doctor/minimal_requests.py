"""Requests that read as little as possible: derived from botocore's model of any operation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from botocore.model import OperationModel, Shape

from tasks.aws.client import credentials
from tasks.aws.client.paging import paging

# The smallest page size of services whose models don't always state it. Source: API references, MaxResults of
# DescribeInstances (EC2) and MaxRecords of every call (RDS and related services).
_SMALLEST: Final = {"ec2": 5, "rds": 20, "docdb": 20, "neptune": 20, "redshift": 20, "elasticache": 20, "dms": 20}


@cache
def smallest_page(action: str) -> Mapping[str, Any]:
    """The parameter for a page of one item, or as few as the API accepts; {} if the call has no page size."""
    pages = paging(action)
    name = str(pages and pages.size)
    shape = _members(_operation(action).input_shape).get(name)
    if shape is None:
        return {}
    size = max(1, int(shape.metadata.get("min") or _SMALLEST.get(action.partition(":")[0], 1)))
    return {name: str(size) if shape.type_name == "string" else size}  # Route 53 expects a string


@cache
def takes_dry_run(action: str) -> bool:
    """Whether the call has a dry run, which only checks permissions: those of EC2 do."""
    shape = _members(_operation(action).input_shape).get("DryRun")
    return shape is not None and shape.type_name == "boolean"


def first_of_each(response: Any) -> Any:
    """The response with only the first element of every list, so that details are read for one item only."""
    if isinstance(response, dict):
        return {name: first_of_each(value) for name, value in response.items()}
    return [first_of_each(value) for value in response[:1]] if isinstance(response, list) else response


def holds_none(response: Mapping[str, Any]) -> bool:
    """Whether a top-level list of the response is empty."""
    return any(value == [] for value in response.values())


def nothing(action: str) -> dict[str, Any]:
    """The response of a call that found nothing: with every list, empty."""
    return {name: _empty(shape) for name, shape in _members(_operation(action).output_shape).items() if _holds(shape)}


def _empty(shape: Shape) -> Any:
    if shape.type_name == "list":
        return []
    return {name: [] for name, inner in _members(shape).items() if inner.type_name == "list"}


def _holds(shape: Shape) -> bool:
    return shape.type_name in ("list", "structure")


def _operation(action: str) -> OperationModel:
    service, operation = action.split(":")
    return credentials.service_model(service).operation_model(operation)


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    return getattr(shape, "members", {})
