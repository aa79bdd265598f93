"""A name of the outside stays a name in Cypher, whatever it holds: labels and types of a graph that others filled."""

from __future__ import annotations

import pytest

from loaders.cypher import labels, pattern, quoted
from loaders.graph import Graph

NAMES = [
    "with space",
    "back`tick",
    "``",
    "a` {id: 1}) DETACH DELETE n //",
    "a\\u0060 {id: 1}) DETACH DELETE n //",  # Neo4j reads this as a backtick before it parses
    "a\\\\u0060b",
    "\\u005cu0060",
    "\\",
]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_name_that_the_graph_then_has(graph: Graph, name: str) -> None:
    query = f"CREATE (n{labels((name,))} {{{quoted(name)}: 1}}){pattern(name, 'e', incoming=False)}(n)"
    graph.write(lambda tx: tx.run(query).consume())
    [row] = graph.rows("MATCH (n)-[e]->() RETURN labels(n) AS labels, keys(n) AS keys, type(e) AS type")
    assert row == {"labels": [name], "keys": [name], "type": name}
