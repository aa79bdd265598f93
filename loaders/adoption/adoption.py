"""The whole adoption, for real or as a preview: both read the graph in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from loaders import indexes
from loaders.adoption import duplicates, owners, takeover
from loaders.adoption.labels import Relabel, known, nodes, relabels
from loaders.adoption.takeover import Edges, Triple
from loaders.cypher import quoted
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.pages import pages
from loaders.schema import GraphSchema

LABELS_PER_TRANSACTION: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What happens to the nodes of one label: how many are

    merged      into another node with the same key
    taken_over  owned by a scope from now on; `keyless` of them lack its key, so the scope creates them again
    shared      kept as long as a maintained edge leads to them
    orphans     without a tenant: stubs, which the next run deletes unless it finds them
    left_alone  of a known tenant but no known region, of several tenants, or a tenant that holds nothing
    """

    label: str
    merged: int = 0
    taken_over: int = 0
    keyless: int = 0
    shared: int = 0
    orphans: int = 0
    left_alone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was done, or would be. `others`: nodes by label, of labels that no resource type has; they are kept."""

    labels: list[Label]
    relabelled: list[dict[str, Any]]  # label, change, reason, nodes
    relationships: dict[str, int]  # deleted, because no declaration maintains them
    indexes: list[str]  # replaced by constraints
    others: dict[str, int]


class Adoption:
    """`regional`: resource types that have regions. `by_jobs`: relationships that analysis jobs write."""

    def __init__(
        self, graph: Graph, schema: GraphSchema, *, regional: Collection[str], by_jobs: Iterable[Triple]
    ) -> None:
        self._graph = graph
        self._schema = schema
        self._regional = regional
        self._edges = Edges(schema, tuple(by_jobs))

    def preview(self) -> Adopted:
        """What it would do. Reads only."""
        return self._run(None)

    def adopt(self, writer: Graph) -> Adopted:
        """Do it. After an interruption it can be called again; after it is done, it has nothing more to do."""
        return self._run(writer)

    def _run(self, writer: Graph | None) -> Adopted:
        relabelled = self._relabel_all(writer)
        merged = duplicates.find(self._graph, self._schema)
        into: dict[str, str] = {}
        for groups in merged.values():
            if writer:
                duplicates.merge(writer, groups, self._edges.types)
            else:
                into |= {dropped: group.keep for group in groups for dropped in group.drop}
        taken = owners.find(self._graph, self._schema, self._regional, into)
        unmaintained = self._unmaintained(taken)
        if writer:
            self._write(writer, taken)
        replaced = indexes.replaced(self._graph, self._schema)
        if writer:
            indexes.ensure(writer, self._schema, self._schema.types_of(self._graph.labels()))
        return Adopted(
            labels=list(self._labels(merged, taken)),
            relabelled=relabelled,
            relationships=dict(sorted(unmaintained.items())),
            indexes=sorted(f"{label}({name})" for label, name in replaced),
            others=self._others(),
        )

    def _relabel_all(self, writer: Graph | None) -> list[dict[str, Any]]:
        present, pending, changes = self._graph.labels(), list[Relabel](), list[dict[str, Any]]()
        for relabel in relabels(self._schema):
            # In a preview, nodes that an earlier change would give this label count as well.
            matches = [relabel.match] if relabel.among in present else []
            matches += [f"{other.match} AND {relabel.where}" for other in pending if other.add == relabel.among]
            count = sum(int(self._graph.rows(f"{match} RETURN count(n) AS nodes")[0]["nodes"]) for match in matches)
            if not count:
                continue
            changes.append({"label": relabel.among, "change": str(relabel), "reason": relabel.reason, "nodes": count})
            if writer:
                query = f"{relabel.match} WITH n LIMIT $limit {relabel.change} RETURN count(n)"
                writer.write_until_done(query, limit=LABELS_PER_TRANSACTION)
                present.add(relabel.add)
            else:
                pending.append(relabel)
        return changes

    def _write(self, writer: Graph, taken: owners.Owners) -> None:
        for model, scopes in taken.scopes.items():
            takeover.take_over(writer, model, scopes, self._edges)
        for identity, ids in taken.shared.items():
            takeover.share(writer, identity, ids, self._edges)
        for model, ids in taken.orphans.items():
            takeover.orphan(writer, model, ids)
        takeover.protect_shared(writer, self._schema)

    def _unmaintained(self, taken: owners.Owners) -> Counter[str]:
        """How many relationships of the nodes to be taken over no declaration maintains, by type and ends."""
        counts: Counter[str] = Counter()
        for model, ids in (*taken.scopes.items(), *taken.shared.items()):
            for match, parameters in self._edges.unmaintained(model):
                query = (
                    f"{match} RETURN type(e) AS type, startNode(e) = n AS outgoing, "
                    "head([l IN labels(x) WHERE l IN $names]) AS end, count(*) AS edges"
                )
                for page in pages(ids, takeover.NODES_PER_TRANSACTION):
                    rows = [{"id": node} for node in page]
                    names = {"rows": rows, "names": known(self._schema)}
                    for row in self._graph.rows(query, {**parameters, **names}):
                        ends = (model.label, row["end"]) if row["outgoing"] else (row["end"], model.label)
                        counts[f"({ends[0]})-[:{row['type']}]->({ends[1]})"] += row["edges"]
        return counts

    def _labels(self, merged: dict[NodeModel, list[duplicates.Duplicates]], taken: owners.Owners) -> Iterable[Label]:
        for model in sorted(self._schema.models, key=lambda model: model.label):
            line = Label(
                label=model.label,
                merged=sum(len(group.drop) for group in merged.get(model, ())),
                taken_over=len(taken.scopes.get(model, ())),
                keyless=taken.keyless[model.label],
                shared=len(taken.shared.get(model, ())),
                orphans=len(taken.orphans.get(model, ())),
                left_alone=taken.left_alone[model.label],
            )
            if line != Label(label=model.label):
                yield line

    def _others(self) -> dict[str, int]:
        ours = [*known(self._schema), *indexes.BOOKKEEPING]
        changed = relabels(self._schema)
        removed = "".join(f" AND NOT (l = '{c.among}' AND {c.where})" for c in changed if not c.add)
        added = "".join(f" OR n:{quoted(c.among)} AND {c.where}" for c in changed if c.add)
        query = (
            f"MATCH (n) WHERE NOT (any(l IN labels(n) WHERE l IN $known{removed}){added}) "
            "RETURN coalesce(head(labels(n)), '') AS label, count(*) AS nodes ORDER BY label"
        )
        return {row["label"]: row["nodes"] for row in self._graph.rows(query, {"known": ours})}


def highest_tag(graph: Graph, schema: GraphSchema) -> int:
    """The latest tag in the data to be taken over. Runs need a higher one, to recognize stale data."""
    maximum, present = 0, graph.labels()
    for model in (model for model in schema.identities if model.label in present):
        query = f"MATCH (n:{quoted(model.label)}) RETURN max(toIntegerOrNull(n.lastupdated)) AS tag"
        maximum = max(maximum, graph.rows(query)[0]["tag"] or 0)
    return maximum


def needs_adoption(graph: Graph, schema: GraphSchema) -> str | None:
    """A label whose nodes a resource type writes, but of which the graph holds a node without a scope; or None."""
    if not graph.rows("MATCH (n) RETURN count(n) AS nodes")[0]["nodes"]:
        return None
    tenants, present = owners.tenant_labels(schema).values(), graph.labels()
    for model in schema.identities:
        if model.label not in tenants:
            for match in nodes(model, schema.owners[model.label], schema, present):
                if graph.rows(f"{match} AND n._scope IS NULL RETURN n._scope LIMIT 1"):
                    return model.label
    return None
