"""What BloodHound demands of an upload: its schemas (tests/facts/opengraph), and the rules that its pages state.

https://bloodhound.specterops.io/opengraph/developer/nodes, .../edges
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

FACTS: Final = Path(__file__).parents[1] / "facts" / "opengraph"
MAX_KINDS: Final = 3
RESERVED_KIND: Final = "tag"  # as a kind, or before an underscore
NUMBERS: Final = (int, float)


def check(document: Mapping[str, Any]) -> None:
    """A whole upload."""
    assert list(document) == ["metadata", "graph"]  # what follows the graph isn't read
    _VALIDATORS["metadata"].validate(document["metadata"])
    nodes, edges = document["graph"]["nodes"], document["graph"]["edges"]
    for node in nodes:
        _VALIDATORS["node"].validate(node)
        assert 1 <= len(node["kinds"]) <= MAX_KINDS
        _check_properties(node["properties"])
    ids = [node["id"].upper() for node in nodes]  # as BloodHound compares them
    assert len(ids) == len(set(ids))
    for edge in edges:
        _VALIDATORS["edge"].validate(edge)
        _check_properties(edge["properties"])
        assert {edge[end]["value"].upper() for end in ("start", "end")} <= set(ids)
    for kind in (*(kind for node in nodes for kind in node["kinds"]), *(edge["kind"] for edge in edges)):
        assert kind.lower().partition("_")[0] != RESERVED_KIND


def _check_properties(properties: Mapping[str, Any]) -> None:
    assert not properties.keys() & {"objectid", "lastseen"}  # BloodHound's own
    for name, value in properties.items():
        assert name == name.lower()
        for element in value if isinstance(value, list) else [value]:
            assert isinstance(element, str | bool | int | float)
        if isinstance(value, list):
            assert len({float if type(one) in NUMBERS else type(one) for one in value}) <= 1


_VALIDATORS: Final = {
    name: Draft202012Validator(json.loads((FACTS / f"{name}.json").read_text()))
    for name in ("metadata", "node", "edge")
}
