"""Constraints and indexes, derived from the node models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import neo4j

from loaders import cypher
from loaders.errors import ChartfleetError
from loaders.graph import Graph
from loaders.model import GraphSchema

# What Chartfleet keeps of itself in the graph: the writer's node, the runs, and the coverage of each scope.
BOOKKEEPING = ("SyncGraph", "SyncRun", "SyncScope")


class DuplicateNodes(ChartfleetError):
    """Two nodes of one identity stand in the way of a uniqueness constraint."""


def indexes(schema: GraphSchema) -> Iterator[tuple[str, str]]:
    """(label, property): what cleanup looks up, what queries of 2020 look up, and what links compare."""
    found: dict[tuple[str, str], None] = {}
    for model in schema.models:
        found[model.identity.label, "_scope"] = None
        for prop in model.properties:
            for label in model.spellings:
                constrained = prop.is_key and label == model.identity.label
                if (prop.index or prop.is_key) and not constrained:
                    found[label, prop.name] = None
        for relationship in model.links:
            if relationship.within is None:
                label = relationship.through[0] if relationship.through else relationship.label
                for _, theirs in relationship.on:
                    found[label, theirs] = None
    return iter(found)


def ensure_lock(graph: Graph) -> None:
    """The one node that writers and runs lock can't be two, even where two first runs begin at once."""
    graph.autocommit(cypher.constraint("SyncGraph", "id"))


def ensure(graph: Graph, schema: GraphSchema) -> None:
    """Create what is missing. A plain index in the place of a constraint, as earlier tools made them, gives way to it;
    one that an earlier version made, and that nothing declares any more, goes: it may refuse what is loaded now.

    Raises DuplicateNodes where the graph holds two nodes of one identity.
    """
    unique, there = _unique(schema), _present(graph)
    for label, name in sorted(unique):
        row = there.get((label, name))
        if row and row["constrained"]:
            continue
        if row:
            graph.autocommit(f"DROP INDEX {cypher.quoted(row['name'])}")
        _constrain(graph, label, name)
    missing = [one for one in indexes(schema) if one not in there and one not in unique]
    graph.define(cypher.index(*one) for one in missing)
    for name in sorted(_obsolete(schema, there)):
        graph.autocommit(f"DROP INDEX {cypher.quoted(name)} IF EXISTS")
    graph.autocommit("CALL db.awaitIndexes(300)")


def _obsolete(schema: GraphSchema, there: Mapping[tuple[str, ...], Mapping[str, Any]]) -> set[str]:
    """Names of this project's own indexes that no model declares. Labels that the schema doesn't know are others'."""
    known = {label for model in schema.models for label in model.labels}
    wanted = {*indexes(schema), *_unique(schema)}
    return {
        row["name"]
        for place, row in there.items()
        if row["name"].startswith(cypher.OWN_INDEX) and place not in wanted and place[0] in known
        if not row["constrained"]
    }


def in_the_way(graph: Graph, schema: GraphSchema) -> list[tuple[str, str]]:
    """(label, property) of the plain indexes that are there in the place of a constraint."""
    there = _present(graph)
    return sorted(place for place in _unique(schema) if place in there and not there[place]["constrained"])


def _unique(schema: GraphSchema) -> set[tuple[str, str]]:
    return {(model.label, model.key.name) for model in schema.identities} | {(label, "id") for label in BOOKKEEPING}


def _present(graph: Graph) -> dict[tuple[str, ...], dict[str, Any]]:
    """The range indexes of nodes, by label and properties."""
    present = graph.rows(
        "SHOW INDEXES YIELD name, labelsOrTypes, properties, owningConstraint, type, entityType "
        "WHERE type = 'RANGE' AND entityType = 'NODE' "
        "RETURN name, labelsOrTypes[0] AS label, properties, owningConstraint IS NOT NULL AS constrained"
    )
    return {(row["label"], *row["properties"]): row for row in present}


def _constrain(graph: Graph, label: str, name: str) -> None:
    try:
        graph.autocommit(cypher.constraint(label, name))
    except neo4j.exceptions.Neo4jError as error:
        if not (error.code or "").endswith(".Schema.ConstraintCreationFailed"):
            raise
        found = " ".join((error.message or "").split())
        raise DuplicateNodes(
            f"the graph holds several {label} nodes of one {name}, left by an earlier tool: {found}; "
            f"`chartfleet adopt` merges them, `chartfleet adopt --dry-run` says how"
        ) from None
