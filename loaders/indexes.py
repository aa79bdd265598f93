"""Constraints and indexes, derived from the node models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import neo4j

from loaders import cypher
from loaders.errors import ChartfleetError
from loaders.graph import Graph
from loaders.schema import GraphSchema

# Chartfleet's own nodes in the graph: the writer's node, the runs, and the coverage of each scope.
BOOKKEEPING = ("SyncGraph", "SyncRun", "SyncScope", "SyncRule", "SyncFinding")
_OWN: Final = (
    ("SyncScope", "type"),  # each verdict asks what was seen of some types, of all scopes of all accounts
    ("SyncFinding", "rule"),  # and each rule what it found before
)


class DuplicateNodes(ChartfleetError):
    """A uniqueness constraint can't be created because nodes share one key."""


def indexes(schema: GraphSchema) -> Iterator[tuple[str, str]]:
    """(label, property) of each index: for the cleanup, for queries, and for the values that links compare."""
    return iter(_places(schema, schema.by_label))


def _places(schema: GraphSchema, written: Collection[str]) -> dict[tuple[str, str], None]:
    """The indexes for these labels."""
    declared: dict[tuple[str, str], None] = {place: None for place in _OWN if place[0] in written}
    for model in schema.models:
        if model.label not in written:
            continue
        declared[model.identity.label, "_scope"] = None
        for prop in model.properties:
            for label in model.spellings:
                constrained = prop.is_key and label == model.identity.label
                if (prop.index or prop.is_key) and not constrained:
                    declared[label, prop.name] = None
        for relationship in model.links:
            if relationship.within is None:
                label = relationship.through[0] if relationship.through else relationship.label
                for _, theirs in relationship.on:
                    declared[label, theirs] = None
    return declared


def ensure_lock(graph: Graph) -> None:
    """There must be only one node that writers and runs lock, even if two first runs start at once."""
    graph.autocommit(cypher.constraint("SyncGraph", "id"))


def ensure(graph: Graph, schema: GraphSchema, types: Iterable[str] | None = None) -> None:
    """Create the constraints and indexes that are missing. A plain index in the place of a constraint, as earlier tools
    created them, is replaced by it. An index of an earlier version that nothing declares any more is dropped, because
    it may refuse values that are loaded now.

    types  those that will be loaded; None: all. An empty graph takes 8 s for the 530 of all types

    Raises DuplicateNodes if nodes of the graph share a key.
    """
    present = _present(graph)
    written = {*BOOKKEEPING, *(schema.by_label if types is None else schema.written_by(types))}
    unique = {place for place in _unique(schema) if place[0] in written}
    for label, name in sorted(unique):
        row = present.get((label, name))
        if row and row["constrained"]:
            continue
        if row:
            graph.autocommit(f"DROP INDEX {cypher.quoted(row['name'])}")
        _constrain(graph, label, name)
    wanted = _places(schema, written)
    graph.define(cypher.index(*place) for place in wanted if place not in present and place not in unique)
    for name in sorted(_obsolete(schema, present)):
        graph.autocommit(f"DROP INDEX {cypher.quoted(name)} IF EXISTS")
    graph.autocommit("CALL db.awaitIndexes(300)")


def _obsolete(schema: GraphSchema, present: Mapping[tuple[str, ...], Mapping[str, Any]]) -> set[str]:
    """Names of Chartfleet's own indexes that no model declares. Labels unknown to the schema belong to other tools."""
    known = {label for model in schema.models for label in model.labels}
    wanted = {*indexes(schema), *_unique(schema)}
    return {
        row["name"]
        for place, row in present.items()
        if row["name"].startswith(cypher.OWN_INDEX) and place not in wanted and place[0] in known
        if not row["constrained"]
    }


def replaced(graph: Graph, schema: GraphSchema) -> list[tuple[str, str]]:
    """(label, property) of the plain indexes that `ensure` would replace by constraints."""
    present = _present(graph)
    return sorted(place for place in _unique(schema) if place in present and not present[place]["constrained"])


def _unique(schema: GraphSchema) -> set[tuple[str, str]]:
    return {(model.label, model.key.name) for model in schema.identities} | {(label, "id") for label in BOOKKEEPING}


def _present(graph: Graph) -> dict[tuple[str, ...], dict[str, Any]]:
    """The range indexes of nodes, by label and properties."""
    rows = graph.rows(
        "SHOW INDEXES YIELD name, labelsOrTypes, properties, owningConstraint, type, entityType "
        "WHERE type = 'RANGE' AND entityType = 'NODE' "
        "RETURN name, labelsOrTypes[0] AS label, properties, owningConstraint IS NOT NULL AS constrained"
    )
    return {(row["label"], *row["properties"]): row for row in rows}


def _constrain(graph: Graph, label: str, name: str) -> None:
    try:
        graph.autocommit(cypher.constraint(label, name))
    except neo4j.exceptions.Neo4jError as error:
        if not (error.code or "").endswith(".Schema.ConstraintCreationFailed"):
            raise
        message = " ".join((error.message or "").split())
        raise DuplicateNodes(
            f"the graph holds several {label} nodes with the same {name}, left by an earlier tool: {message}; "
            f"`chartfleet adopt` merges them, `chartfleet adopt --dry-run` shows how"
        ) from None
