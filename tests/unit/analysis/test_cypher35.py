"""Queries of 2020 in, queries that Neo4j 5 takes out. tests/integration/test_analysis.py runs the results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cypher35 import dropped_index, tokens, upgrade

REWRITTEN = {
    # parameters
    "MATCH (n) WHERE n.lastupdated <> {UPDATE_TAG} RETURN n": "MATCH (n) WHERE n.lastupdated <> $UPDATE_TAG RETURN n",
    "MATCH (n:L{id: {ID}}) RETURN n LIMIT {LIMIT_SIZE}": "MATCH (n:L{id: $ID}) RETURN n LIMIT $LIMIT_SIZE",
    "UNWIND {ROWS} AS row RETURN row.a IN {LIST}": "UNWIND $ROWS AS row RETURN row.a IN $LIST",
    "CREATE (n:L {PROPS})": "CREATE (n:L $PROPS)",
    "CREATE (n {PROPS})": "CREATE (n $PROPS)",
    "MATCH (n:L) SET n += {PROPS}": "MATCH (n:L) SET n += $PROPS",
    "RETURN {`odd name`} AS x": "RETURN $`odd name` AS x",
    "RETURN {a: {A}, b: [{B}]} AS x": "RETURN {a: $A, b: [$B]} AS x",
    # existence
    "MATCH (n:L) WHERE EXISTS(n.p) RETURN n": "MATCH (n:L) WHERE (n.p IS NOT NULL) RETURN n",
    "MATCH (n:L) WHERE NOT exists(n.p) RETURN n": "MATCH (n:L) WHERE NOT (n.p IS NOT NULL) RETURN n",
    "MATCH (n:L) WHERE NOT(EXISTS (n['p'])) RETURN n": "MATCH (n:L) WHERE NOT( (n['p'] IS NOT NULL)) RETURN n",
    # length
    "MATCH (n:L) WHERE length(n.p) = 47 RETURN n": "MATCH (n:L) WHERE size(n.p) = 47 RETURN n",
    "RETURN length('abc') AS x": "RETURN size('abc') AS x",
    "MATCH (n:L) RETURN length(collect(n)) AS x": "MATCH (n:L) RETURN size(collect(n)) AS x",
    "MATCH p = (:L)-->() RETURN length(nodes(p)) AS x": "MATCH p = (:L)-->() RETURN size(nodes(p)) AS x",
    "MATCH p = (:L)-->() WITH collect(p) AS ps RETURN length(ps) AS x": (
        "MATCH p = (:L)-->() WITH collect(p) AS ps RETURN size(ps) AS x"
    ),
    "MATCH (n:L) RETURN {len: length(n.p)} AS x": "MATCH (n:L) RETURN {len: size(n.p)} AS x",
    "MATCH (n:L) WHERE size((n)-->()) > 1 RETURN n": "MATCH (n:L) WHERE COUNT { (n)-->() } > 1 RETURN n",
    "MATCH (n:L) RETURN length((n)<-[:A]-()) AS x": "MATCH (n:L) RETURN COUNT { (n)<-[:A]-() } AS x",
    # functions that are gone
    "RETURN toInt('1') AS x": "RETURN toInteger('1') AS x",
    "MATCH p = (:L)-->() RETURN rels(p) AS x": "MATCH p = (:L)-->() RETURN relationships(p) AS x",
    "RETURN filter(x IN [1, 2] WHERE x > 1) AS x": "RETURN [x IN [1, 2] WHERE x > 1] AS x",
    "RETURN extract(x IN [1, 2] | x + 1) AS x": "RETURN [x IN [1, 2] | x + 1] AS x",
    # relationship types
    "MATCH (:L)-[r:A|:B*1..2]->(m) RETURN m": "MATCH (:L)-[r:A|B*1..2]->(m) RETURN m",
    # schema
    "CREATE INDEX ON :L(p)": "CREATE INDEX IF NOT EXISTS FOR (n:L) ON (n.p)",
    "create index on :`a b`(p, `q r`);": "create index IF NOT EXISTS FOR (n:`a b`) ON (n.p, n.`q r`);",
    "CREATE CONSTRAINT ON (n:C) ASSERT n.p IS UNIQUE": (
        "CREATE CONSTRAINT IF NOT EXISTS FOR (n:C) REQUIRE n.p IS UNIQUE"
    ),
}

MODERN = [
    "RETURN $UPDATE_TAG AS tag",
    "RETURN {a: 1} AS x, {} AS y",
    "MATCH (n:L) WITH n, 1 AS score RETURN n {score} AS x, collect(n {score}) AS xs, [n {score}] AS list",
    "RETURN '{A} EXISTS(n.p)' AS x, \"length('a')\" AS y, 'it\\'s {A}' AS z",
    "MATCH (n:L) RETURN n.`{A}` AS `EXISTS(n.p)` // {A}\n/* length('x') {B} */",
    "MATCH (n:L) WHERE EXISTS((n)-->()) AND NOT exists( (n)<--() ) RETURN n",
    "MATCH (n:L) WHERE EXISTS { (n)-->() } AND COUNT { (n)-->() } > 0 RETURN n",
    "MATCH (n:L) WHERE n.p IS NOT NULL AND size(n.p) = 3 RETURN n",
    "MATCH p = (:L)-->() RETURN length(p) AS x",
    "MATCH (a:L), p = (a)-->() WITH p AS q RETURN length(q) AS x",
    "MATCH p = (:L)-->() WITH collect(p) AS ps RETURN [x IN ps | length(x)] AS x, length(ps[0]) AS y",
    "MATCH p = (:L)-->() WITH collect(p) AS ps RETURN length(head(ps)) AS x",
    "MATCH p = (:L)-->() WITH collect(DISTINCT p) AS ps UNWIND ps AS q RETURN length(q) AS x",
    "MATCH p = (:L)-->() RETURN [x IN collect(p) | length(x)] AS x",
    "MATCH p = shortestPath((a:L)-[*..3]-(b)) WHERE a <> b RETURN length(p) AS x",
    "MATCH p = ANY SHORTEST (:L)-[]->+() RETURN length(p) AS x",
    "MATCH (n:L) RETURN [p = (n)-->() | length(p)] AS x",
    "MATCH (:L)-[r:A|B*1..2]->(m) RETURN m",
    "MATCH ((:L)-[r:A]->()){1,2} RETURN 1 AS x",
    "CALL { MATCH (n:L) RETURN n } RETURN n",
    "CREATE INDEX IF NOT EXISTS FOR (n:L) ON (n.p)",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:C) REQUIRE n.p IS UNIQUE",
    "MATCH (n:L) RETURN size(n.p) - (1) AS x",
]


@pytest.mark.parametrize(("old", "new"), REWRITTEN.items())
def test_an_old_spelling_becomes_the_modern_one(old: str, new: str) -> None:
    assert upgrade(old) == new


@pytest.mark.parametrize("query", MODERN)
def test_modern_cypher_comes_back_unchanged(query: str) -> None:
    assert upgrade(query) == query


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [piece for query in [*REWRITTEN, *MODERN] for piece in (query, *(t.text for t in tokens(query)))]
            ),
            st.text(max_size=5),
        ),
        max_size=12,
    ).map(" ".join)
)
def test_once_modern_stays_modern(query: str) -> None:
    assert upgrade(upgrade(query)) == upgrade(query)


@given(st.text())
def test_no_text_is_lost_or_looked_into(text: str) -> None:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    commented = "// " + text.replace("\n", " ")
    assert "".join(token.text for token in tokens(text)) == text
    assert upgrade(f"RETURN {quoted} AS x {commented}") == f"RETURN {quoted} AS x {commented}"


def test_an_index_that_is_dropped_by_its_label_must_be_looked_up() -> None:
    query = "DROP INDEX ON :length(p, `q r`)"
    assert upgrade(query) == query
    assert dropped_index(query) == ("length", ["p", "q r"])
    assert dropped_index("DROP INDEX by_name") is None
