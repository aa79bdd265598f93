"""The graph of 2020, fact by fact (tests/facts/*_2020.toml), against a graph that holds the samples of all types."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loaders.cypher import quoted
from loaders.graph import Graph
from tasks.engine import registry

FOLDER = Path(__file__).parents[1] / "facts"
FACTS = [
    tomllib.loads(file.read_text()) for name in registry.providers() if (file := FOLDER / f"{name}_2020.toml").exists()
]
LABELS: dict[str, dict[str, Any]] = {label: about for facts in FACTS for label, about in facts["labels"].items()}
RELATIONSHIPS: dict[str, Any] = {triple: about for facts in FACTS for triple, about in facts["relationships"].items()}


def count(graph: Graph, query: str) -> int:
    found: int = graph.rows(query)[0]["n"]
    return found


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_there_with_its_further_labels(label: str, samples: Graph) -> None:
    every = ":".join(map(quoted, (label, *LABELS[label].get("labels", ()))))
    assert count(samples, f"MATCH (n:{every}) RETURN count(n) AS n") > 0


@pytest.mark.parametrize("label", LABELS)
def test_each_property_is_there_or_is_said_to_be_gone(label: str, samples: Graph) -> None:
    facts = LABELS[label]
    found = {
        name: count(samples, f"MATCH (n:{quoted(label)}) WHERE n.{quoted(name)} IS NOT NULL RETURN count(n) AS n") > 0
        for name in facts["properties"]
    }
    gone = facts.get("gone", {})
    assert {name for name, there in found.items() if not there} == set(gone)
    assert set(facts.get("changed", {})) <= {name for name, there in found.items() if there}


@pytest.mark.parametrize("label", LABELS)
def test_the_same_property_makes_it_one_or_the_change_is_said(label: str) -> None:
    model = registry.schema().by_label[label]
    same = model.identity.key.name == LABELS[label]["key"]
    assert same is ("rekeyed" not in LABELS[label]), f"the key is {model.identity.label}.{model.identity.key.name}"


@pytest.mark.parametrize("triple", RELATIONSHIPS)
def test_each_relationship_is_there_or_is_said_to_be_gone(triple: str, samples: Graph) -> None:
    remark = RELATIONSHIPS[triple]
    assert remark == "same" or set(remark) in ({"changed"}, {"gone"})
    pattern = re.sub(r"\((\w+)\)", r"(:\1)", triple)
    there = count(samples, f"MATCH {pattern} RETURN count(*) AS n") > 0
    assert there is (remark == "same" or "changed" in remark)


def test_the_page_shows_every_fact() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
    for fact in (*LABELS, *RELATIONSHIPS):
        assert f"| `{fact}` |" in page
