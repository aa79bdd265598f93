"""The graph of 2020, fact by fact (tests/facts/*_2020.toml), against a graph that holds the samples of all types."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loaders.graph import Graph
from tasks.engine import registry
from tests.contract.elements import Elements
from tests.fleet.graph_state import elements

FOLDER = Path(__file__).parents[1] / "facts"
FACTS = [
    tomllib.loads(file.read_text()) for name in registry.providers() if (file := FOLDER / f"{name}_2020.toml").exists()
]
LABELS: dict[str, dict[str, Any]] = {label: about for facts in FACTS for label, about in facts["labels"].items()}
RELATIONSHIPS: dict[str, Any] = {triple: about for facts in FACTS for triple, about in facts["relationships"].items()}


@pytest.fixture(scope="module")
def contents(samples: Graph) -> Elements:
    return Elements(elements(samples))


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_there_with_its_further_labels(label: str, contents: Elements) -> None:
    assert any(contents.nodes(label, *LABELS[label].get("labels", ())))


@pytest.mark.parametrize("label", LABELS)
def test_each_property_is_there_or_is_said_to_be_gone(label: str, contents: Elements) -> None:
    facts = LABELS[label]
    found = {name for node in contents.nodes(label) for name in node["properties"]}
    gone = facts.get("gone", {})
    assert set(facts["properties"]) - found == set(gone)
    assert set(facts.get("changed", {})) <= found


@pytest.mark.parametrize("label", LABELS)
def test_the_same_property_makes_it_one_or_the_change_is_said(label: str) -> None:
    model = registry.schema().by_label[label]
    same = model.identity.key.name == LABELS[label]["key"]
    assert same is ("rekeyed" not in LABELS[label]), f"the key is {model.identity.label}.{model.identity.key.name}"


@pytest.mark.parametrize("triple", RELATIONSHIPS)
def test_each_relationship_is_there_or_is_said_to_be_gone(triple: str, contents: Elements) -> None:
    remark = RELATIONSHIPS[triple]
    assert remark == "same" or set(remark) in ({"changed"}, {"gone"})
    start, type_, end = re.findall(r"\w+", triple)
    there = any(end in other["labels"] for node in contents.nodes(start) for other in contents.others(node, type_))
    assert there is (remark == "same" or "changed" in remark)


def test_the_page_shows_every_fact() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
    for fact in (*LABELS, *RELATIONSHIPS):
        assert f"| `{fact}` |" in page
