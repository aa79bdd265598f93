"""The whole of it, for real or to see beforehand what it would do: the same look at the graph either way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import neo4j

from loaders import indexes
from loaders.adoption import duplicates, owners, takeover
from loaders.adoption.labels import Relabel, known, nodes, relabels
from loaders.adoption.takeover import Edges, Triple
from loaders.cypher import quoted
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.schema import GraphSchema

LABELS_PER_TRANSACTION: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What becomes of the nodes of one label.

    merged      were one with another, and went into it
    taken_over  belong to a scope from now on; `keyless` of them are written anew by it, as they lack its key
    shared      live as long as something that is kept up refers to them
    orphans     no tenant leads to them: stubs, which the next run deletes unless it finds them
    left_alone  their tenant is known, but not their region; several tenants have them; or a tenant that holds nothing
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
    """What was done, or would be. `others`: nodes of labels that no resource type has, by label; they stay."""

    labels: list[Label]
    relabelled: list[dict[str, Any]]  # label, change, reason, nodes
    relationships: dict[str, int]  # that nobody would keep up, and are deleted
    indexes: list[str]  # that give way to constraints
    others: dict[str, int]


class Adoption:
    """`regional`: resource types that have regions. `drawn`: relationships that analysis jobs write."""

    def __init__(
        self, graph: Graph, schema: GraphSchema, *, regional: Collection[str], drawn: Iterable[Triple]
    ) -> None:
        self._graph = graph
        self._schema = schema
        self._regional = regional
        self._edges = Edges(schema, tuple(drawn))

    def preview(self) -> Adopted:
        """What it would do. Reads only."""
        return self._go_through(None)

    def adopt(self, writer: Graph) -> Adopted:
        """Do it. Interrupted, it can be called again; done, it finds nothing more to do."""
        return self._go_through(writer)

    def _go_through(self, writer: Graph | None) -> Adopted:
        relabelled = self._relabel_all(writer)
        merged = duplicates.find(self._graph, self._schema)
        into: dict[str, str] = {}
        for found in merged.values():
            if writer:
                duplicates.merge(writer, found, self._edges.types)
            else:
                into |= {dropped: one.keep for one in found for dropped in one.drop}
        taken = owners.find(self._graph, self._schema, self._regional, into)
        unkept = self._unkept(taken)
        if writer:
            self._write(writer, taken)
        in_the_way = indexes.in_the_way(self._graph, self._schema)
        if writer:
            indexes.ensure(writer, self._schema)
        return Adopted(
            labels=list(self._labels(merged, taken)),
            relabelled=relabelled,
            relationships=dict(sorted(unkept.items())),
            indexes=sorted(f"{label}({name})" for label, name in in_the_way),
            others=self._others(),
        )

    def _relabel_all(self, writer: Graph | None) -> list[dict[str, Any]]:
        present, earlier, found = self._graph.labels(), list[Relabel](), list[dict[str, Any]]()
        for one in relabels(self._schema):
            # What is still to be done gives its nodes a label that later changes are about: they count there too.
            matches = [one.match] if one.among in present else []
            matches += [f"{other.match} AND {one.where}" for other in earlier if other.add == one.among]
            count = sum(self._graph.rows(f"{match} RETURN count(n) AS nodes")[0]["nodes"] for match in matches)
            if not count:
                continue
            found.append({"label": one.among, "change": str(one), "reason": one.reason, "nodes": count})
            if writer:
                self._relabel(one, writer)
                present.add(one.add)
            else:
                earlier.append(one)
        return found

    def _relabel(self, one: Relabel, writer: Graph) -> None:
        query = f"{one.match} WITH n LIMIT $limit {one.change} RETURN count(n) AS done"

        def work(tx: neo4j.ManagedTransaction) -> int:
            return int(tx.run(query, limit=LABELS_PER_TRANSACTION).single(strict=True)["done"])

        while writer.write(work) == LABELS_PER_TRANSACTION:
            pass

    def _write(self, writer: Graph, taken: owners.Owners) -> None:
        for model, scopes in taken.scopes.items():
            takeover.take_over(writer, model, scopes, self._edges)
        for identity, ids in taken.shared.items():
            takeover.share(writer, identity, ids, self._edges)
        for model, ids in taken.orphans.items():
            takeover.orphan(writer, model, ids)
        takeover.protect_shared(writer, self._schema)

    def _unkept(self, taken: owners.Owners) -> Counter[str]:
        """How many relationships of nodes that are to be taken over nobody would keep up, by type and ends."""
        found: Counter[str] = Counter()
        for model, ids in (*taken.scopes.items(), *taken.shared.items()):
            for match, parameters in self._edges.unkept(model):
                query = (
                    f"{match} RETURN type(e) AS type, startNode(e) = n AS outgoing, "
                    "head([l IN labels(x) WHERE l IN $names]) AS end, count(*) AS edges"
                )
                for page in takeover.pages(ids):
                    rows = [{"id": node} for node in page]
                    names = {"rows": rows, "names": known(self._schema)}
                    for row in self._graph.rows(query, {**parameters, **names}):
                        ends = (model.label, row["end"]) if row["outgoing"] else (row["end"], model.label)
                        found[f"({ends[0]})-[:{row['type']}]->({ends[1]})"] += row["edges"]
        return found

    def _labels(self, merged: dict[NodeModel, list[duplicates.Duplicates]], taken: owners.Owners) -> Iterable[Label]:
        for model in sorted(self._schema.models, key=lambda model: model.label):
            line = Label(
                label=model.label,
                merged=sum(len(one.drop) for one in merged.get(model, ())),
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
        lost = "".join(f" AND NOT (l = '{one.among}' AND {one.where})" for one in changed if not one.add)
        got = "".join(f" OR n:{quoted(one.among)} AND {one.where}" for one in changed if one.add)
        query = (
            f"MATCH (n) WHERE NOT (any(l IN labels(n) WHERE l IN $known{lost}){got}) "
            "RETURN coalesce(head(labels(n)), '') AS label, count(*) AS nodes ORDER BY label"
        )
        return {row["label"]: row["nodes"] for row in self._graph.rows(query, {"known": ours})}


def highest_tag(graph: Graph, schema: GraphSchema) -> int:
    """The last tag by which what is to be taken over was written: runs must have a higher one to see what is stale."""
    maximum, present = 0, graph.labels()
    for model in (model for model in schema.identities if model.label in present):
        query = f"MATCH (n:{quoted(model.label)}) RETURN max(toIntegerOrNull(n.lastupdated)) AS tag"
        maximum = max(maximum, graph.rows(query)[0]["tag"] or 0)
    return maximum


def needs_adoption(graph: Graph, schema: GraphSchema) -> str | None:
    """A label of which the graph holds a node that belongs to no scope, though a resource type writes such nodes."""
    if not graph.rows("MATCH (n) RETURN count(n) AS nodes")[0]["nodes"]:
        return None
    tenants, present = owners.tenant_labels(schema).values(), graph.labels()
    for model in schema.identities:
        if model.label not in tenants:
            for match in nodes(model, schema.owners[model.label], schema, present):
                if graph.rows(f"{match} AND n._scope IS NULL RETURN n._scope LIMIT 1"):
                    return model.label
    return None
