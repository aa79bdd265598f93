"""An item of an answer becomes rows; an item that doesn't fit is refused by the name of its field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from loaders.batch import Row
from loaders.model import Node, Source, id_link, incoming, key, outgoing, parent, prop
from loaders.scope import Scope
from tasks.failures import BadItem
from tasks.resource import Per, ResourceType
from tasks.rows import rows_of

SCOPE = Scope(type="toy.lists", tenant="t1")


def shout(source: Source) -> str:
    return str(source.item["Name"].upper())


class Thing(Node, label="Thing", tenant="Tenant"):
    id: str = key("Id")
    name: str | None = prop("Name")
    loud: str | None = prop(shout)
    size: int | None = prop("Size")
    weight: float | None = prop("Weight")
    made: str | None = prop("Made")
    tags: list[str] = prop("Tags[].Key")
    relationships = (outgoing("HAS", "Part", "Parts[].Id"), id_link("LIKES", "Thing", "Likes[]"))


class Part(Node, label="Part"):
    id: str = key("Id")
    of: str = prop(parent("Id"))
    relationships = (incoming("HAS", "Thing", parent("Id")),)


def type_of(*yields: Any) -> ResourceType:
    return ResourceType("toy.lists", Per.TENANT, fetch=None, yields=yields)  # type: ignore[arg-type]


def rows(item: Any, *yields: Any) -> list[Row]:
    return [row for _, row in rows_of(type_of(*(yields or (Thing,))), Source(item, SCOPE))]


def properties(**item: Any) -> dict[str, Any]:
    [row] = rows({"Id": "1", "Name": "n", **item})
    found: dict[str, Any] = row["p"]
    return found


def test_a_row_is_key_properties_references_and_scope() -> None:
    assert rows({"Id": "1", "Name": "n", "Parts": [{"Id": "p1"}, {"Id": "p2"}], "Likes": ["2"]}) == [
        {
            "k": "1",
            "p": {
                "id": "1",
                "name": "n",
                "loud": "N",
                "size": None,
                "weight": None,
                "made": None,
                "tags": [],
                "_LIKES_Thing": ["2"],
            },
            "r": [["t1"], ["p1", "p2"]],
            "s": "toy.lists/t1/global",
        }
    ]


def test_empty_and_zero_are_answers() -> None:
    assert properties(Name="")["name"] == ""
    assert properties(Size=0)["size"] == 0


def test_a_time_is_text_as_python_writes_it() -> None:
    assert properties(Made=datetime(2020, 7, 31, 12, 30, tzinfo=UTC))["made"] == "2020-07-31 12:30:00+00:00"


def test_a_whole_number_fits_a_fraction() -> None:
    weight = properties(Weight=3)["weight"]
    assert (weight, type(weight)) == (3.0, float)


def test_every_element_of_the_path_is_a_row_that_knows_what_is_around_it() -> None:
    item = {"Id": "1", "Boxes": [{"Parts": [{"Id": "a"}, {"Id": "b"}]}, {}, {"Parts": [{"Id": "c"}]}]}
    found = rows(item, Part.each("Boxes[].Parts[]"))
    assert [(row["k"], row["p"]["of"], row["r"]) for row in found] == [(k, "1", [["1"]]) for k in ("a", "b", "c")]


def test_a_function_may_find_the_items() -> None:
    def parts(thing: Source) -> list[dict[str, str]]:
        return [{"Id": name} for name in thing.item["Names"].split(",")]

    assert [row["k"] for row in rows({"Id": "1", "Names": "a,b"}, Part.each(parts))] == ["a", "b"]


def test_a_reference_comes_once_and_never_to_nothing() -> None:
    [row] = rows({"Id": "1", "Name": "n", "Parts": [{"Id": "p"}, {"Id": None}, {"Id": ""}, {"Id": "p"}]})
    assert row["r"][1] == ["p"]


def test_rows_of_a_part_belong_to_the_whole_scope() -> None:
    part = Scope(type="toy.lists", tenant="t1", part="1-100")
    [(_, row)] = rows_of(type_of(Thing), Source({"Id": "1", "Name": "n"}, part))
    assert row["s"] == "toy.lists/t1/global"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"Name": "n"}, "Thing.id: the row has no key (Id)"),
        ({"Id": "", "Name": "n"}, "Thing.id: the row has no key (Id)"),
        ({"Id": 7, "Name": "n"}, "Thing.id: 7 is int, expected str"),
        ({"Id": "1", "Name": ["n"]}, "Thing.name: ['n'] is list, expected str"),
        ({"Id": "1", "Name": "n", "Size": "big"}, "Thing.size: 'big' is str, expected int"),
        ({"Id": "1", "Name": "n", "Size": False}, "Thing.size: False is a truth value, expected int"),
        ({"Id": "1"}, "shout: KeyError: 'Name'"),
        ({"Id": "1", "Name": "n", "Parts": [{"Id": 5}]}, "Thing: HAS Part: [5] are not ids"),
    ],
)
def test_an_item_that_does_not_fit_names_its_field(item: Any, said: str) -> None:
    with pytest.raises(BadItem, match=re.escape(said)):
        rows(item)


def test_a_field_that_is_not_optional_must_be_there() -> None:
    with pytest.raises(BadItem, match=re.escape("Part.of: missing (parent('Id'))")):
        rows({"Parts": [{"Id": "a"}]}, Part.each("Parts[]"))
