"""Elements of OpenGraph: ids that differ as BloodHound compares them, and properties that it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.opengraph.elements import MAX_TEXT, edge, node, node_id


def test_keys_that_differ_in_case_alone_are_two_nodes() -> None:
    ids = {node_id("OktaUser", key).upper() for key in ("00uAb", "00uaB", "00uab", "00UAB")}
    assert len(ids) == 4


def test_letters_that_are_one_in_capitals_are_two_nodes() -> None:
    ids = {node_id("OktaGroup", key).upper() for key in ("straße", "strasse", "STRASSE")}
    assert len(ids) == 3


def test_the_same_key_of_two_kinds_are_two_nodes() -> None:
    assert node_id("Human", "a@example.com") != node_id("GSuiteUser", "a@example.com")


def test_an_iam_principal_is_found_by_its_arn() -> None:
    arn = "arn:aws:iam::111122223333:role/Deploy"
    assert node_id("AWSPrincipal", arn) == f"AWSPrincipal:{arn}"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", ""),
        (False, False),
        (0, 0),
        ([], []),
        (["a", "b"], ["a", "b"]),
        ([1, 2.5], [1, 2.5]),
        ([1, "a", True], ["1", "a", "True"]),
        (["a", None], ["a"]),
        (float("nan"), "nan"),
    ],
)
def test_a_value_keeps_its_type(value: Any, written: Any) -> None:
    assert node("1", ["S3Bucket"], "x", {"Value": value})["properties"]["value"] == written


@pytest.mark.parametrize("value", [None, "x" * (MAX_TEXT + 1), ["x" * MAX_TEXT, "x"]])
def test_what_is_unknown_or_too_long_is_not_there(value: Any) -> None:
    assert "value" not in node("1", ["S3Bucket"], "x", {"value": value})["properties"]


def test_properties_of_bloodhound_are_left_to_it() -> None:
    properties = node("1", ["S3Bucket"], "x", {"objectid": "2", "lastSeen": "3"})["properties"]
    assert properties == {"name": "x", "displayname": "x"}


def test_a_hostile_name_is_only_a_name() -> None:
    name = '"}]}}, {"id": "\u202e\x1b[2J\ud800'
    written = json.loads(json.dumps(node(node_id("S3Bucket", name), ["S3Bucket"], name, {})))
    assert written["properties"]["name"] == name
    assert list(written) == ["id", "kinds", "properties"]


def test_a_kind_has_no_other_characters() -> None:
    assert edge("1", "CAN-READ it", "2", {})["kind"] == "CAN_READ_it"
