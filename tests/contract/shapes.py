"""Declarations and sample responses against the model of a service: paths lead somewhere, answers are possible.

The model is botocore's; one that another provider publishes is read into the same form.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, cast

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from loaders.model import Each, Link, Property, Relationship, Value
from tasks.engine.listing import Listing
from tasks.resource import ResourceType

# What a field may be where the service's model says so. A time becomes text.
PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "character": (str,),
    "timestamp": (str,),
    "integer": (int, float),
    "long": (int, float),
    "float": (float,),
    "double": (float,),
    "boolean": (bool,),
}


class NotInModel(Exception):
    """The service's model has no such call, member or type."""


@dataclass(frozen=True, slots=True)
class Members:
    """What no single shape of the model describes: an item with its details, an item of any of several lists."""

    name: str
    members: Mapping[str, Shape]


Place = StructureShape | Members | Shape


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node model's items lie, and what is around them, nearest first. `here` is None for what code finds."""

    here: Place | None
    around: tuple[Place, ...]


class ServiceModel(Protocol):
    """What a provider publishes of its API."""

    def operation(self, action: str) -> OperationModel:
        """Raises NotInModel."""

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        """Where a response of the listing holds its items; none where the response is the item. Raises NotInModel."""


def item_of(fetch: Listing, model: ServiceModel) -> Place:
    """One item of a listing, each detail's response under the name of its operation."""
    response: Any = model.operation(fetch.action).output_shape
    found = [walk(path, response)[0] if path else response for path in model.items_paths(fetch)]
    items: list[Place] = [shape.member if isinstance(shape, ListShape) else shape for shape in found] or [response]
    if fetch.name_field:
        items = [Members(items[0].name, {fetch.name_field: cast(Shape, items[0])})]
    if len(items) == 1 and not fetch.details and not fetch.batch_details:
        return items[0]
    name = " or ".join(item.name for item in items) + (" with its details" if fetch.details else "")
    details: dict[str, Any] = {d.name: model.operation(d.action).output_shape for d in fetch.details if d.each is None}
    details |= {
        one.name: walk(one.key.rpartition(".")[0], cast(Shape, model.operation(one.action).output_shape))[0]
        for one in fetch.batch_details
    }
    members = {**{key: shape for item in items for key, shape in _members(item).items()}, **details}
    for detail in fetch.details:
        if detail.each is not None:
            response = model.operation(detail.action).output_shape
            members = _extended(members, detail.each.split("."), detail.name, response)
    return Members(name, members)


def _extended(members: Mapping[str, Any], steps: list[str], name: str, shape: Any) -> dict[str, Any]:
    """The members, of which what lies at the steps has one more: the response of a detail of a detail."""
    if not steps:
        return {**members, name: shape}
    step, is_list = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    outer = copy(members[step])
    inner = copy(outer.member) if is_list else outer
    inner.__dict__["members"] = _extended(inner.members, steps[1:], name, shape)  # where botocore keeps what it found
    if is_list:
        outer.__dict__["member"] = inner
    return {**members, step: outer}


def walk(path: str, place: Place) -> tuple[Shape, bool]:
    """The shape at a path of `loaders.model.at`, and whether it is many. Raises NotInModel, naming what there is."""
    many = False
    for step in path.split("."):
        members = _members(place)
        name = step.removesuffix("[]")
        if name not in members:
            raise NotInModel(f"{path}: {place.name} has no member {name}; it has {', '.join(sorted(members))}")
        place = members[name]
        if step.endswith("[]"):
            if not isinstance(place, ListShape):
                raise NotInModel(f"{path}: {name} is a {place.type_name}, no list: write it without []")
            many, place = True, place.member
    assert isinstance(place, Shape)
    return place, many


def spots(type_: ResourceType, each: Each, model: ServiceModel) -> Spot:
    """Where the items of one node model lie, as `tasks.engine.rows.sources` finds them."""
    assert isinstance(type_.fetch, Listing)
    whole = item_of(type_.fetch, model)
    if callable(each.path):
        return Spot(None, (whole,))
    spot = Spot(whole, ())
    for step in each.path.split(".") if each.path else ():
        assert spot.here is not None
        inner, _ = walk(step, spot.here)
        spot = Spot(inner, (spot.here, *spot.around))
    return spot


def found_at(source: Value, spot: Spot) -> tuple[Shape, bool] | None:
    """What a source leads to; None where a function finds it, or looks into what a function made."""
    if isinstance(source, str):
        return walk(source, spot.here) if spot.here is not None else None
    if isinstance(arn_path := getattr(source, "arn_path", None), str):
        return walk(arn_path, spot.here) if spot.here is not None else None
    path: str | None = getattr(source, "parent_path", None)
    if path is None:
        return None
    first = path.split(".")[0].removesuffix("[]")
    for place in spot.around:
        if first in _members(place):
            return walk(path, place)
    raise NotInModel(f"parent({path!r}): no item around it has a member {first}")


def check_property(declared: Property, spot: Spot) -> None:
    """The value at the property's path fits the type of its field. Raises NotInModel."""
    found = found_at(declared.source, spot)
    if found is None:
        return
    shape, many = found
    while isinstance(shape, ListShape):
        shape, many = shape.member, True
    allowed = (list,) if many else PYTHON.get(shape.type_name, ())
    if shape.type_name not in PYTHON or not set(declared.types) & set(allowed):
        said = f"a list of {shape.type_name}" if many else f"a {shape.type_name}"
        raise NotInModel(
            f"{declared.source!r} is {said}, the field says {' or '.join(t.__name__ for t in declared.types)}"
        )


def check_relationship(relationship: Relationship, spot: Spot) -> None:
    """The keys at the relationship's path are text. Raises NotInModel."""
    if isinstance(relationship, Link):
        return
    found = found_at(relationship.keys, spot)
    if found and found[0].type_name != "string":
        raise NotInModel(f"the keys at {relationship.keys!r} are {found[0].type_name}, expected string")


def wrong_paths(type_: ResourceType, model: ServiceModel) -> list[str]:
    """Paths of a declaration that lead nowhere, or to what doesn't fit the field, one line each."""
    wrong = []
    for each in type_.each:
        node = each.node.model
        try:
            spot = spots(type_, each, model)
        except NotInModel as error:
            wrong.append(f"{type_.name}: {node.label}.each({each.path!r}): {error}")
            continue
        for declared in node.properties:
            try:
                check_property(declared, spot)
            except NotInModel as error:
                wrong.append(f"{type_.name}: property {node.label}.{declared.name}: {error}")
        for relationship in node.relationships:
            try:
                check_relationship(relationship, spot)
            except NotInModel as error:
                wrong.append(
                    f"{type_.name}: relationship {node.label} {relationship.type} {relationship.label}: {error}"
                )
    return wrong


def _members(place: Place) -> Mapping[str, Shape]:
    if isinstance(place, StructureShape | Members):
        return place.members
    raise NotInModel(f"{place.name} is a {place.type_name}: nothing can be looked up in it")


# --- answers ---


def violations(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """What in a response the service's model doesn't allow, one line each."""
    if value is None and cast(Any, shape)._shape_model.get("box"):  # botocore says it nowhere else
        return
    if isinstance(shape, StructureShape):
        yield from _in_structure(shape, value, where)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{where}: {value!r:.80} is no list"
            return
        for position, element in enumerate(value):
            yield from violations(shape.member, element, f"{where}[{position}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{where}: {value!r:.80} is no map"
            return
        for key, element in value.items():
            yield from violations(shape.key, key, f"{where} (key)")
            yield from violations(shape.value, element, f"{where}.{key}")
    elif not _fits(shape.type_name, value):
        yield f"{where}: {value!r:.80} is no {shape.type_name}"
    elif (words := getattr(shape, "enum", None)) and value not in words:
        yield f"{where}: {value!r} is none of {', '.join(words)}"


def _in_structure(shape: StructureShape, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r:.80} is no structure {shape.name}"
        return
    for name in sorted(value.keys() - shape.members.keys()):
        yield f"{where}: {shape.name} has no member {name}"
    for name in shape.required_members:
        if name not in value:
            yield f"{where}: {shape.name} must have {name}"
    for name, element in value.items():
        if name in shape.members:
            yield from violations(shape.members[name], element, f"{where}.{name}")


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "string" | "character":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "timestamp":
            return isinstance(value, str) and _parses(datetime.fromisoformat, value)
        case "any":
            return True
        case "blob":
            return isinstance(value, str) and _parses(base64.b64decode, value)
    return False


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except (ValueError, binascii.Error):
        return False
    return True
