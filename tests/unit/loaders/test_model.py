"""What declarations say, and what the registry refuses before anything runs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from loaders.model import (
    ModelError,
    Node,
    Source,
    at,
    constant,
    id_link,
    incoming,
    key,
    link,
    outgoing,
    parent,
    prop,
    scope_region,
)
from loaders.schema import GraphSchema
from loaders.scope import Scope

SCOPE = Scope(type="toy.houses", tenant="t1", region="here")


class Town(Node, label="Town"):
    id: str = key("Name")
    name: str = prop("Name")


class House(Node, label="House", labels=("Building",), tenant="Town"):
    id: str = key("Id")
    floors: int | None = prop("Floors", "Above the ground.", index=True)
    doors: list[str] = prop("Doors[].Id")
    relationships = (outgoing("STANDS_IN", "Town", "Town"), id_link("FACES", "House", "Opposite"))


class Person(Node, label="Person", shared=True):
    id: str = key("id")


class Mayor(Person, label="Mayor", labels=("Official",)):
    id: str = key("MayorId")
    term: int = prop("Term")


# --- what a model says ---


def test_a_field_says_its_name_source_types_and_whether_it_may_be_absent() -> None:
    floors = {p.name: p for p in House.model.properties}["floors"]
    assert (floors.name, floors.source, floors.types, floors.optional, floors.index) == (
        "floors",
        "Floors",
        (int,),
        True,
        True,
    )
    assert {p.name: p for p in House.model.properties}["doors"].types == (list,)


def test_a_tenant_is_one_more_reference() -> None:
    assert [(r.type, r.label, r.incoming) for r in House.model.references] == [
        ("RESOURCE", "Town", True),
        ("STANDS_IN", "Town", False),
    ]


def test_a_derived_model_is_the_same_node_under_further_labels() -> None:
    assert Mayor.model.identity is Person.model
    assert Mayor.model.labels == ("Person", "Mayor", "Official")


def test_a_row_is_an_immutable_value() -> None:
    house = House(id="h1", floors=2, doors=["d1"])
    with pytest.raises(AttributeError):
        house.floors = 3  # type: ignore[misc]


# --- paths ---


@pytest.mark.parametrize(
    ("path", "item", "found"),
    [
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": {}}, None),
        ("a.b", {"a": None}, None),
        ("a", {"a": ""}, ""),
        ("a", {"a": 0}, 0),
        ("a", {"a": False}, False),
        ("a[].b", {"a": [{"b": 1}, {}, {"b": 2}]}, [1, 2]),
        ("a[].b[].c", {"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": []}]}, [1, 2]),
        ("a[]", {}, []),
    ],
)
def test_a_path_finds_what_stands_there_and_nothing_else(path: str, item: Any, found: Any) -> None:
    assert at(path, item) == found


def test_parent_looks_into_the_nearest_item_that_has_the_field() -> None:
    source = Source({"Id": "inner"}, SCOPE, ({"Id": "middle"}, {"Id": "outer", "Name": "whole"}))
    assert parent("Id")(source) == "middle"
    assert parent("Name")(source) == "whole"
    assert parent("Nothing")(source) is None


def test_what_the_response_does_not_say_comes_from_the_scope() -> None:
    assert scope_region(Source({}, SCOPE)) == "here"
    assert constant("AWS")(Source({}, SCOPE)) == "AWS"


# --- what the schema refuses ---


def schema(*types: list[type[Node]]) -> GraphSchema:
    return GraphSchema({f"toy.type{number}": nodes for number, nodes in enumerate(types)})


def refused(*types: list[type[Node]], because: str) -> None:
    with pytest.raises(ModelError, match=re.escape(because)):
        schema(*types)


def test_good_declarations_are_one_schema() -> None:
    found = schema([Town], [House], [Person, Mayor])
    assert {model.label for model in found.identities} == {"Town", "House", "Person"}
    assert found.by_wire_name["toy.type1:House"] is House.model


def test_two_owners_of_a_label() -> None:
    class Other(Node, label="Town"):
        id: str = key("Name")

    refused([Town], [Other], because="toy.type1 and toy.type0 both own the label Town")


def test_two_models_may_share_a_label() -> None:
    class Same(Node, label="Person", shared=True):
        id: str = key("other_id")

    assert schema([Person], [Same]).by_label["Person"] is Person.model


def test_sharing_needs_the_same_key() -> None:
    class Same(Node, label="Person", shared=True):
        name: str = key("name")

    refused([Person], [Same], because="share Person but disagree on its key or labels")


@pytest.mark.parametrize("mayor_first", [True, False])
def test_a_base_with_rows_of_its_own_must_be_shared(mayor_first: bool) -> None:
    class Base(Node, label="Base"):
        id: str = key("id")

    class Derived(Base, label="Derived"):
        id: str = key("id")

    types = ([Derived], [Base]) if mayor_first else ([Base], [Derived])
    with pytest.raises(ModelError, match="unless"):
        schema(*types)


def test_two_writers_of_one_relationship() -> None:
    class Street(Node, label="Street"):
        id: str = key("id")
        relationships = (outgoing("CROSSES", "Square", "squares"),)

    class Square(Node, label="Square"):
        id: str = key("id")
        relationships = (incoming("CROSSES", "Street", "streets"),)

    refused([Street], [Square], because="both declare the relationship CROSSES between them")


def test_a_relationship_within_one_label_has_one_direction() -> None:
    class Street(Node, label="Street"):
        id: str = key("id")
        relationships = (outgoing("CROSSES", "Street", "a"), incoming("CROSSES", "Street", "b"))

    refused([Street], because="both declare the relationship CROSSES between them")


def test_a_relationship_declared_twice() -> None:
    class Street(Node, label="Street"):
        id: str = key("id")
        relationships = (outgoing("IN", "Town", "a"), id_link("IN", "Town", "b"))

    refused([Town], [Street], because="Street: IN Town is declared twice")


def test_no_key() -> None:
    class Keyless(Node, label="Keyless"):
        name: str = prop("name")

    refused([Keyless], because="Keyless declares 0 keys: exactly one field must be key(...)")


def test_two_keys() -> None:
    class Torn(Node, label="Torn"):
        id: str = key("id")
        name: str = key("name")

    refused([Torn], because="Torn declares 2 keys")


def test_a_derived_model_has_the_key_of_its_base() -> None:
    class Clerk(Person, label="Clerk"):
        id: str = prop("id")
        number: str = key("number")

    refused([Clerk], because="Clerk derives from Person but has a different key, number")


def test_an_unknown_label() -> None:
    refused([House], because="House: RESOURCE Town: no resource type declares the label Town")


def test_relationships_of_a_shared_node() -> None:
    class Visitor(Node, label="Visitor", shared=True):
        id: str = key("id")
        relationships = (outgoing("SEES", "Town", "town"),)

    refused([Town], [Visitor], because="Visitor is shared, so no scope owns its relationships")


@pytest.mark.parametrize("on", [{"nothing": "name"}, {"name": "nothing"}])
def test_a_link_by_a_property_that_is_not_there(on: dict[str, str]) -> None:
    class Sign(Node, label="Sign"):
        id: str = key("id")
        name: str = prop("name")
        relationships = (link("NAMES", "Town", on=on),)

    refused([Town], [Sign], because="names a property that doesn't exist")


@pytest.mark.parametrize(
    "other",
    [
        outgoing("OTHER", "Town", "towns"),
        incoming("NEAR", "Town", "towns"),
        outgoing("NEAR", "Person", "people"),
    ],
    ids=["another type", "the wrong direction", "another label"],
)
def test_a_link_within_what_does_not_lead_there(other: Any) -> None:
    class Sign(Node, label="Sign"):
        id: str = key("id")
        name: str = prop("name")
        relationships = (other, link("NAMES", "Town", on={"name": "name"}, within="NEAR"))

    refused([Town], [Person], [Sign], because="within='NEAR' is not an outgoing relationship from Sign to Town")


def test_an_id_link_to_a_shared_node_which_nothing_owns() -> None:
    class Sign(Node, label="Sign"):
        id: str = key("id")
        relationships = (id_link("NAMES", "Person", "people"),)

    refused([Person], [Sign], because="nothing owns a shared node, so no id link can find it")
