"""How a call reads as little as its API lets it: from botocore's model of the operation, not call by call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from botocore.model import OperationModel, Shape

from tasks.aws.client import credentials
from tasks.aws.client.paging import paging

# The smallest page of services whose models don't say so everywhere; their API references do, at MaxResults of
# DescribeInstances (EC2) and at MaxRecords of every call (RDS and what grew out of it).
_SMALLEST: Final = {"ec2": 5, "rds": 20, "docdb": 20, "neptune": 20, "redshift": 20, "elasticache": 20, "dms": 20}


@cache
def smallest_page(action: str) -> Mapping[str, Any]:
    """The parameter for a page of one item, or of as few as the API takes; none where a call doesn't page by size."""
    pages = paging(action)
    name = str(pages and pages.size)
    shape = _members(_operation(action).input_shape).get(name)
    if shape is None:
        return {}
    size = max(1, int(shape.metadata.get("min") or _SMALLEST.get(action.partition(":")[0], 1)))
    return {name: str(size) if shape.type_name == "string" else size}  # Route 53 takes a number as text


@cache
def takes_dry_run(action: str) -> bool:
    """Whether the API says on request if it would allow the call, and then does nothing: EC2's do."""
    shape = _members(_operation(action).input_shape).get("DryRun")
    return shape is not None and shape.type_name == "boolean"


def first_of_each(response: Any) -> Any:
    """The response with the first element of every list: what is read for one item, is read for no other."""
    if isinstance(response, dict):
        return {name: first_of_each(value) for name, value in response.items()}
    return [first_of_each(value) for value in response[:1]] if isinstance(response, list) else response


def holds_none(response: Mapping[str, Any]) -> bool:
    """Whether a list of items is empty, as far as the response's own lists go."""
    return any(value == [] for value in response.values())


def nothing(action: str) -> dict[str, Any]:
    """The response of a call that found nothing: every list is there, and empty."""
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
