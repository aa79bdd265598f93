"""An item of a response becomes rows; an item that doesn't fit is refused by the name of its field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from loaders.batch import Row, item_number
from loaders.model import NOT_SEEN, Node, Source, id_link, incoming, key, link, outgoing, parent, prop
from loaders.scope import Scope
from tasks.engine.rows import read, rows_of
from tasks.failures import InvalidRecord
from tasks.resource import Per, ResourceType

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


def test_empty_and_zero_are_responses() -> None:
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
        ({"Id": "1", "Name": "n", "Size": False}, "Thing.size: False is a boolean, expected int"),
        ({"Id": "1"}, "shout: KeyError: 'Name'"),
        ({"Id": "1", "Name": "n", "Parts": [{"Id": 5}]}, "Thing: HAS Part: [5] are not ids"),
    ],
)
def test_an_item_that_does_not_fit_names_its_field(item: Any, said: str) -> None:
    with pytest.raises(InvalidRecord, match=re.escape(said)):
        rows(item)


def test_a_field_that_is_not_optional_must_be_there() -> None:
    with pytest.raises(InvalidRecord, match=re.escape("Part.of: missing (parent('Id'))")):
        rows({"Parts": [{"Id": "a"}]}, Part.each("Parts[]"))


class Place(Node, label="Place", tenant="Tenant"):
    id: str = key("Id")
    name: str | None = prop("Name")
    size: int | None = prop("Detail.Size")
    town: str | None = prop("Detail.Town")
    relationships = (
        outgoing("HAS", "Part", "Detail.Parts[].Id"),
        id_link("LIKES", "Place", "Detail.Likes[]"),
        link("IN", "Town", on={"town": "name"}),
    )


def test_of_a_detail_that_was_not_seen_properties_are_null_and_edges_stay() -> None:
    """What follows from it isn't known; what edges are drawn by is left as it is."""
    found = read(
        type_of(Place, Part.each("Detail.Parts[]")), Source({"Id": "1", "Name": "n", "Detail": NOT_SEEN}, SCOPE)
    )
    [(model, row)] = found.rows
    assert model.label == "Place"
    assert row["p"] == {"id": "1", "name": "n", "size": None}
    assert row["i"] == item_number("1")
    assert row["r"] == [["t1"], []]
    assert [(model.label, row["k"], row["e"], row["i"]) for model, row in found.kept] == [
        ("Place", "1", "HAS", None),
        ("Part", None, None, item_number("1")),
    ]
    assert found.rejected == {}


def test_none_in_the_place_of_a_detail_not_seen_keeps_its_nodes_too() -> None:
    source = Source({"Id": "1", "Detail": None}, SCOPE, unseen=frozenset({"Detail"}))
    found = read(type_of(Place, Part.each("Detail.Parts[]")), source)
    assert [row["p"].get("size") for _, row in found.rows] == [None]
    assert ("Part", item_number("1")) in [(model.label, row["i"]) for model, row in found.kept]


def test_a_bad_element_costs_itself() -> None:
    item = {
        "Id": "1",
        "Boxes": [{"Parts": [{"Id": "a"}, {"Id": None}, {"Id": 5}]}, {"Parts": "none"}, {"Parts": [{"Id": "c"}]}],
    }
    found = read(type_of(Part.each("Boxes[].Parts[]")), Source(item, SCOPE), "1")
    assert [row["k"] for _, row in found.rows] == ["a", "c"]
    assert [(model.label, row["i"]) for model, row in found.kept] == [("Part", item_number("1"))]
    assert list(found.rejected) == ["Part: Parts[]", "Part.id"]


def test_an_item_whose_key_lies_in_a_detail_not_seen_stays_whole() -> None:
    class Described(Node, label="Described"):
        id: str = key("Detail.Id")

    source = Source({"Name": "n", "Detail": NOT_SEEN}, SCOPE)
    found = read(type_of(Described, Part.each("Parts[]")), source, "n")
    assert found.rows == []
    assert [(model.label, row["i"]) for model, row in found.kept] == [
        ("Described", item_number("n")),
        ("Part", item_number("n")),
    ]
    with pytest.raises(InvalidRecord, match="Described: its key is not seen"):
        read(type_of(Described), source)


def test_what_an_index_can_not_hold_costs_itself() -> None:
    class Indexed(Node, label="Indexed"):
        id: str = key("Id")
        text: str | None = prop("Text", index=True)

    found = read(type_of(Indexed), Source({"Id": "1", "Text": "x" * 8001}, SCOPE))
    assert [row["p"]["text"] for _, row in found.rows] == [None]
    assert found.rejected == {"Indexed.text": "Indexed.text: 8001 bytes, more than an index takes (8000)"}


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\ud83d", "a\ufffd"), ("\udc00b", "\ufffdb"), ("\ud83d\ude00", "\U0001f600"), ("é", "é"), ("a\x00", "a\x00")],
)
def test_text_is_well_formed(text: str, stored: str) -> None:
    assert properties(Name=text)["name"] == stored


def test_a_list_holds_one_kind_of_values_and_no_null() -> None:
    assert properties(Tags=[{"Key": "a"}, None, {"Key": None}, {"Key": "b"}])["tags"] == ["a", "b"]
    found = read(type_of(Thing), Source({"Id": "1", "Name": "n", "Tags": [{"Key": "a"}, {"Key": 2}]}, SCOPE))
    assert list(found.rejected) == ["Thing.tags"]
