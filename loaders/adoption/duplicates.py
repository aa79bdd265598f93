"""Merges nodes with the same key into the newest, which gets the labels, properties and relationships of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import neo4j

from loaders.cypher import labels, pattern, quoted
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.pages import pages
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
    """Nodes with the same key, by element id: the one to keep, those merged into it, and the labels that it gets."""

    keep: str
    drop: tuple[str, ...]
    labels: tuple[str, ...]


def find(graph: Graph, schema: GraphSchema) -> dict[NodeModel, list[Duplicates]]:
    """The groups of nodes with the same key, by the model that identifies them."""
    present = graph.labels()
    return {
        model: groups for model in schema.identities if model.label in present and (groups := list(_of(graph, model)))
    }


def _of(graph: Graph, model: NodeModel) -> Iterator[Duplicates]:
    label, name = quoted(model.label), quoted(model.key.name)
    shared_keys = graph.stream(
        f"MATCH (n:{label}) WHERE n.{name} IS NOT NULL WITH n.{name} AS key, count(*) AS nodes "
        "WHERE nodes > 1 RETURN key"
    )
    keys = [row["key"] for row in shared_keys]
    for start in range(0, len(keys), KEYS_PER_PAGE):
        rows = graph.rows(
            f"MATCH (n:{label}) WHERE n.{name} IN $keys "
            f"WITH n ORDER BY {_AGE.format('n')} DESC, size(keys(n)) DESC, elementId(n) "
            f"WITH n.{name} AS key, collect(elementId(n)) AS ids, collect(labels(n)) AS labels "
            "RETURN ids, labels",
            {"keys": keys[start : start + KEYS_PER_PAGE]},
        )
        for row in rows:
            united = {label for labels_of_node in row["labels"] for label in labels_of_node} - set(row["labels"][0])
            yield Duplicates(row["ids"][0], tuple(row["ids"][1:]), tuple(sorted(united)))


def merge(graph: Graph, groups: Iterable[Duplicates], written: Collection[str]) -> None:
    """Merge each group into one node. After an interruption, `find` returns what is left to merge.

    `written`: the relationship types that Chartfleet writes. Of these, at most one is kept between two nodes; all
    others are kept as they are.
    """
    for page in pages(groups, KEYS_PER_PAGE):
        rows: list[dict[str, object]] = [{"keep": group.keep, "drop": list(group.drop)} for group in page]
        by_labels: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for group in page:
            by_labels[group.labels].append(group.keep)

        def unite(
            tx: neo4j.ManagedTransaction,
            rows: Sequence[Mapping[str, object]] = rows,
            by_labels: Mapping[tuple[str, ...], list[str]] = by_labels,
        ) -> None:
            tx.run(_UNITE, rows=rows).consume()
            for names, ids in by_labels.items():
                if names:
                    query = f"UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id SET n{labels(names)}"
                    tx.run(query, ids=ids).consume()

        graph.write(unite)
        for _ in range(2):  # outgoing first, which turns a loop into an incoming one: it is moved the second time
            for kind in graph.rows(_TYPES, {"rows": rows}):
                _move(graph, rows, kind["type"], incoming=kind["incoming"], unique=kind["type"] in written)
        graph.write(lambda tx, rows=rows: tx.run(_DELETE, rows=rows).consume())  # type: ignore[misc]


def _move(graph: Graph, rows: Sequence[Mapping[str, object]], kind: str, *, incoming: bool, unique: bool) -> None:
    """Move relationships of one type and direction to the kept node.

    `unique`: of two relationships keep the newer, with the `firstseen` of the older.
    """
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
        f"{unite if unique else copy}"
        "DELETE e RETURN count(*)"
    )
    graph.write_until_done(query, {"rows": rows}, limit=RELATIONSHIPS_PER_TRANSACTION)
