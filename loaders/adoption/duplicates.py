"""Several nodes of one identity become one: the newest, with the labels, properties and relationships of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import neo4j

from loaders.cypher import labels, pattern, quoted
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.schema import GraphSchema

KEYS_PER_PAGE: Final = 200
RELATIONSHIPS_PER_TRANSACTION: Final = 5_000

_AGE = "coalesce(toIntegerOrNull({0}.lastupdated), 0)"

_UNITE: Final = f"""
UNWIND $rows AS row
MATCH (kept) WHERE elementId(kept) = row.keep
UNWIND row.drop AS id
MATCH (old) WHERE elementId(old) = id
WITH kept, old ORDER BY {_AGE.format("old")}
WITH kept, collect(properties(old)) AS older, min(old.firstseen) AS first, properties(kept) AS newest
FOREACH (properties IN older | SET kept += properties)
SET kept += newest
SET kept.firstseen = CASE WHEN first < coalesce(newest.firstseen, first) THEN first ELSE newest.firstseen END
"""
_TYPES: Final = """
UNWIND $rows AS row UNWIND row.drop AS id
MATCH (old)-[e]-() WHERE elementId(old) = id
RETURN DISTINCT type(e) AS type, startNode(e) <> old AS incoming ORDER BY incoming, type
"""
_DELETE: Final = """
UNWIND $rows AS row UNWIND row.drop AS id
MATCH (old) WHERE elementId(old) = id
DELETE old
"""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The nodes of one identity, by Neo4j's ids: which stays, which go into it, and the labels that it gets."""

    keep: str
    drop: tuple[str, ...]
    labels: tuple[str, ...]


def find(graph: Graph, schema: GraphSchema) -> dict[NodeModel, list[Duplicates]]:
    """Per identity, all nodes that have their key in common with others."""
    present = graph.labels()
    return {
        model: found for model in schema.identities if model.label in present and (found := list(_of(graph, model)))
    }


def _of(graph: Graph, model: NodeModel) -> Iterator[Duplicates]:
    label, name = quoted(model.label), quoted(model.key.name)
    twice = graph.stream(
        f"MATCH (n:{label}) WHERE n.{name} IS NOT NULL WITH n.{name} AS key, count(*) AS nodes "
        "WHERE nodes > 1 RETURN key"
    )
    keys = [row["key"] for row in twice]
    for start in range(0, len(keys), KEYS_PER_PAGE):
        rows = graph.rows(
            f"MATCH (n:{label}) WHERE n.{name} IN $keys "
            f"WITH n ORDER BY {_AGE.format('n')} DESC, size(keys(n)) DESC, elementId(n) "
            f"WITH n.{name} AS key, collect(elementId(n)) AS ids, collect(labels(n)) AS labels "
            "RETURN ids, labels",
            {"keys": keys[start : start + KEYS_PER_PAGE]},
        )
        for row in rows:
            united = {label for of_one in row["labels"] for label in of_one} - set(row["labels"][0])
            yield Duplicates(row["ids"][0], tuple(row["ids"][1:]), tuple(sorted(united)))


def merge(graph: Graph, found: Sequence[Duplicates], written: Collection[str]) -> None:
    """Make each of them one node. Whoever is interrupted finds what is left of them again.

    `written`: types of relationships that are written here, of which two nodes have one at most; of all others each
    stays as it is.
    """
    pending = iter(found)
    while page := list(islice(pending, KEYS_PER_PAGE)):
        rows = [{"keep": one.keep, "drop": list(one.drop)} for one in page]
        by_labels: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for one in page:
            by_labels[one.labels].append(one.keep)

        def unite(
            tx: neo4j.ManagedTransaction,
            rows: Sequence[Mapping[str, Any]] = rows,
            by_labels: Mapping[tuple[str, ...], list[str]] = by_labels,
        ) -> None:
            tx.run(_UNITE, rows=rows).consume()
            for names, ids in by_labels.items():
                if names:
                    query = f"UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id SET n{labels(names)}"
                    tx.run(query, ids=ids).consume()

        graph.write(unite)
        for kind in graph.rows(_TYPES, {"rows": rows}):  # outgoing first: a loop comes out as a loop
            _move(graph, rows, kind["type"], incoming=kind["incoming"], one=kind["type"] in written)
        for kind in graph.rows(_TYPES, {"rows": rows}):
            _move(graph, rows, kind["type"], incoming=kind["incoming"], one=kind["type"] in written)
        graph.write(lambda tx, rows=rows: tx.run(_DELETE, rows=rows).consume())  # type: ignore[misc]


def _move(graph: Graph, rows: Sequence[Mapping[str, Any]], kind: str, *, incoming: bool, one: bool) -> None:
    """Relationships of one type and direction to the node that stays. `one`: of two the newer, with the older's age."""
    first = "CASE WHEN f.firstseen < e.firstseen THEN f.firstseen ELSE coalesce(e.firstseen, f.firstseen) END"
    unite = (
        f"MERGE (kept){pattern(kind, 'f', incoming=incoming)}(other)\n"
        "  ON CREATE SET f = properties(e)\n"
        f"  ON MATCH SET f += CASE WHEN {_AGE.format('e')} > {_AGE.format('f')} "
        f"THEN e {{.*, firstseen: {first}}} ELSE {{firstseen: {first}}} END\n"
    )
    copy = f"CREATE (kept){pattern(kind, 'f', incoming=incoming)}(other) SET f = properties(e)\n"
    query = (
        "UNWIND $rows AS row MATCH (kept) WHERE elementId(kept) = row.keep\n"
        "UNWIND row.drop AS id MATCH (old) WHERE elementId(old) = id\n"
        f"MATCH (old){pattern(kind, 'e', incoming=incoming)}(other) WITH kept, e, other LIMIT $limit\n"
        f"{unite if one else copy}"
        "DELETE e RETURN count(*) AS moved"
    )

    def work(tx: neo4j.ManagedTransaction) -> int:
        return int(tx.run(query, rows=rows, limit=RELATIONSHIPS_PER_TRANSACTION).single(strict=True)["moved"])

    while graph.write(work):
        pass
