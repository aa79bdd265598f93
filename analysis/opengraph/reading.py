"""Streams nodes and edges from the graph, label by label and type by type; no more than a page is held at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from analysis.findings.judge import name_of
from analysis.opengraph import elements
from loaders.cypher import pattern, quoted
from loaders.iso_time import iso_time
from loaders.model import UNOWNED
from loaders.scope import Scope

if TYPE_CHECKING:
    from analysis.job import Job
    from analysis.opengraph.traversable import Traversable
    from loaders.graph import Graph
    from loaders.model import NodeModel
    from loaders.schema import GraphSchema

Element = dict[str, Any]

# Exported even if no relationship leads there: the ends of attack paths.
_ALWAYS: Final = {
    "AWSPrincipal": "(n:AWSUser OR n:AWSRole OR n:AWSGroup) AND n._scope IS NOT NULL",
    "AWSAccount": "EXISTS { (n)-[:RESOURCE]->(:AWSPrincipal) }",
}
_RUNS: Final = "MATCH (run:SyncRun) WHERE run.tag IS NOT NULL RETURN run.tag AS tag, run.started_at AS started_at"


class GraphReader:
    """What can be traversed, as elements of OpenGraph."""

    def __init__(
        self, graph: Graph, schema: GraphSchema, traversable: Iterable[Traversable], jobs: Iterable[Job]
    ) -> None:
        self._graph = graph
        self._schema = schema
        self._traversable = list(traversable)
        self._written_by_jobs: defaultdict[str, list[str]] = defaultdict(list)
        for job in jobs:
            for label, names in job.writes.items():
                self._written_by_jobs[label] += names
        self._seen_at = {row["tag"]: iso_time(row["started_at"]) for row in graph.rows(_RUNS)}

    def nodes(self) -> Iterator[Element]:
        """Each node once: every node has one identity, and so one of these labels."""
        for model, conditions in self._conditions().items():
            names = ", ".join(f".{quoted(name)}" for name in self._properties(model))
            query = f"""
                MATCH (n:{quoted(model.label)}) WHERE {" OR ".join(conditions)}
                RETURN n.{quoted(model.key.name)} AS key, labels(n) AS labels, n._scope AS owner,
                       n.lastupdated AS lastupdated, n.firstseen AS firstseen, n {{{names}}} AS properties
            """
            for row in self._graph.stream(query):
                if row["key"] is not None:
                    yield self._node(model, row)

    def edges(self) -> Iterator[Element]:
        for one in self._traversable:
            start, end = (self._schema.by_label[label].identity for label in (one.start, one.end))
            edge = pattern(one.type, "r", incoming=one.reversed)
            query = f"""
                MATCH (a:{quoted(one.start)}){edge}(b:{quoted(one.end)})
                RETURN a.{quoted(start.key.name)} AS start, b.{quoted(end.key.name)} AS end, properties(r) AS properties
            """
            for row in self._graph.stream(query):
                if row["start"] is not None and row["end"] is not None:
                    ids = elements.node_id(start.label, row["start"]), elements.node_id(end.label, row["end"])
                    yield elements.edge(ids[0], one.kind, ids[1], self._of_edge(row["properties"]))

    def _conditions(self) -> Mapping[NodeModel, Sequence[str]]:
        """By identity, which nodes are at an end of something."""
        conditions: defaultdict[NodeModel, dict[str, None]] = defaultdict(dict)
        for label, condition in _ALWAYS.items():
            conditions[self._schema.by_label[label]][condition] = None
        for one in self._traversable:
            for own, other, incoming in ((one.start, one.end, one.reversed), (one.end, one.start, not one.reversed)):
                edge = pattern(one.type, "r", incoming=incoming)
                exists = f"EXISTS {{ (n:{quoted(own)}){edge}(:{quoted(other)}) }}"
                conditions[self._schema.by_label[own].identity][exists] = None
        return {model: list(found) for model, found in conditions.items()}

    def _properties(self, identity: NodeModel) -> list[str]:
        """What types declare and jobs write of nodes with this identity: not what else a graph may hold."""
        models = [model for model in self._schema.models if model.identity is identity]
        names = {property_.name for model in models for property_ in model.properties}
        names |= {name for model in models for label in model.labels for name in self._written_by_jobs[label]}
        return sorted(name for name in names if not name.startswith("_"))

    def _node(self, identity: NodeModel, row: Mapping[str, Any]) -> Element:
        owner, properties = row["owner"], row["properties"]
        model, place = identity, dict[str, Any]()
        if owner and owner != UNOWNED:
            scope = Scope.parse(owner)
            model = self._schema.of_owner(scope.type, row["labels"]) or identity
            place = {"tenant": scope.tenant_key, "region": scope.region if scope.has_region else None}
        kinds = list(dict.fromkeys((model.label, identity.label)))
        return elements.node(
            elements.node_id(identity.label, row["key"]),
            kinds,
            name_of(properties, model),
            {**place, **properties, **self._age(row), "is_stub": not place},
        )

    def _of_edge(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        kept = {name: value for name, value in properties.items() if not name.startswith("_")}
        return {**kept, **self._age(properties)}

    def _age(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """`seen_at`: the start of the run that saw it last; not known once that run is forgotten."""
        tag, first = values.get("lastupdated"), values.get("firstseen")
        return {
            "lastupdated": tag,
            "seen_at": self._seen_at.get(tag),
            "firstseen": iso_time(first) if isinstance(first, int) else None,
        }
