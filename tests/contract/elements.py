"""A whole graph, read at once. A query for each thing that is looked for would take minutes: Neo4j plans each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Element = Mapping[str, Any]


class Elements:
    """Of what `tests.fleet.graph_state.elements` gives: nodes, and those at the other ends of their relationships."""

    def __init__(self, found: Mapping[str, Element]) -> None:
        self._found = found
        self._by_label: defaultdict[str, list[str]] = defaultdict(list)
        self._ends: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
        for id_, element in found.items():
            for label in element["labels"]:
                self._by_label[label].append(id_)
            if "type" in element:
                self._ends[element["start"], element["type"], False].append(element["end"])
                self._ends[element["end"], element["type"], True].append(element["start"])

    def nodes(self, *labels: str) -> Iterator[Element]:
        """Those with all of these labels."""
        for id_ in self._by_label[labels[0]]:
            node = self._found[id_]
            if set(labels) <= set(node["labels"]):
                yield {**node, "id": id_}

    def node(self, labels: tuple[str, ...], name: str, value: Any) -> Element | None:
        """One with these labels, and a property of this value."""
        return next((node for node in self.nodes(*labels) if node["properties"].get(name) == value), None)

    def others(self, node: Element, type_: str, *, incoming: bool = False) -> list[Element]:
        """The nodes at the other ends of a node's relationships of one type."""
        return [self._found[id_] for id_ in self._ends[node["id"], type_, incoming]]
