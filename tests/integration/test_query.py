"""`chartfleet query`: what it prints, what it refuses before it runs, and what it says of its coverage."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from neo4j.exceptions import ClientError

from analysis.queries import execution
from loaders import coverage
from loaders.errors import UsageError
from loaders.graph import Graph
from loaders.ledger import State, Unit
from loaders.scope import Scope
from tests.fleet.command import Command
from tests.fleet.ledger_records import run_info, unit
from tests.fleet.running import graph_variables, wait_for
from workers import embedded

ACCOUNT = "111122223333"
BUCKETS = Scope(type="aws.s3.buckets", tenant=ACCOUNT)
ACCOUNTS = tuple(
    Scope(type=name, tenant=ACCOUNT) for name in ("aws.account", "aws.iam.account_summary", "aws.organizations")
)


@pytest.fixture
def chartfleet(tmp_path: Path, services: embedded.Services, graph: Graph) -> Command:
    """At an empty graph."""
    return Command(tmp_path, graph_variables(services.graph))


def write(graph: Graph, query: str, **parameters: Any) -> None:
    graph.write(lambda tx: tx.run(query, parameters).consume())


def recorded(graph: Graph, *units: Unit) -> None:
    """A run that left this coverage."""
    coverage.write(graph, run_info("7-run", 7), units, now_ms=1_790_000_000_000)


def everything(graph: Graph) -> list[dict[str, Any]]:
    return graph.rows("MATCH (n) OPTIONAL MATCH (n)-[e]->() RETURN labels(n), properties(n), type(e) ORDER BY n.id")


# -- what it runs


def test_a_sample_query_by_its_name(chartfleet: Command, graph: Graph) -> None:
    write(graph, "CREATE (:S3Bucket {name: 'open', anonymous_access: true, anonymous_actions: ['s3:GetObject']})")
    ended = chartfleet("query", "aws.s3.public-buckets")
    assert ended.out == "bucket\tactions\tby_policy\tby_acl\nopen\ts3:GetObject\tfalse\tfalse\n"


def test_every_query_is_listed_with_its_question(chartfleet: Command) -> None:
    ended = chartfleet("query", "--list", "s3.public-b", CHARTFLEET_NEO4J_URI="bolt://127.0.0.1:1")
    assert ended.code == 0
    assert ended.out.splitlines()[1].startswith("aws.s3.public-buckets\t\tWhich buckets can anybody use")


def test_a_file_with_parameters(chartfleet: Command, graph: Graph) -> None:
    write(graph, "CREATE (:Mine {id: '1', n: 1}), (:Mine {id: '2', n: 2})")
    (chartfleet.cwd / "mine.cypher").write_text("// Which are mine\nMATCH (m:Mine {id: $id}) RETURN m.n AS n;\n")
    assert chartfleet("query", "mine.cypher", "--param", 'id="2"').out == "n\n2\n"


def test_a_number_that_finds_nothing_may_have_been_a_text(chartfleet: Command) -> None:
    ended = chartfleet("query", "-", "--param", "id=2", stdin="MATCH (m:Mine {id: $id}) RETURN m")
    assert "$id is a number here; a text is --param 'id=\"...\"'" in ended.err


def test_a_directory_of_own_queries(chartfleet: Command) -> None:
    folder = chartfleet.cwd / "queries"
    folder.mkdir()
    (folder / "mine.cypher").write_text("// one: What is one\nRETURN 1 AS x;\n\n// two: What is two\nRETURN 2 AS x;\n")
    assert chartfleet("query", "--directory", "queries", "mine.two").out == "x\n2\n"
    ended = chartfleet("query", "queries/mine.cypher")
    assert (ended.code, ended.out) == (2, "")
    assert "holds 2 queries: mine.one, mine.two; name one, with --directory" in ended.error


def test_cypher_of_neo4j_3_5_from_standard_input(chartfleet: Command, graph: Graph) -> None:
    write(graph, "CREATE (:Mine {id: '1'}), (:Mine)")
    query = "MATCH (m:Mine) WHERE exists(m.id) AND m.id = {id} RETURN m.id AS id"
    assert chartfleet("query", "-", "--param", 'id="1"', stdin=query).out == "id\n1\n"


# -- what it refuses

REFUSED = [
    ("CREATE (:Mine)", "it writes"),
    ("MATCH (n) SET n.seen = true RETURN n", "it writes"),
    ("MATCH (n) DETACH DELETE n", "it writes"),
    ("MERGE (n:Mine) RETURN n", "it writes"),
    ("CALL { CREATE (:Mine) } RETURN 1", "it writes"),
    ("MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS", "it writes"),
    ("MATCH (n) CALL (n) { RETURN 1 AS x } IN TRANSACTIONS RETURN x", "commits by itself"),
    ("CREATE INDEX mine FOR (n:Mine) ON (n.id)", "it changes the schema or the server"),
    ("CREATE USER eve SET PASSWORD 'password'", "it changes the schema or the server"),
    ("CALL db.createLabel('Mine')", "it writes"),
    ("CALL db.clearQueryCaches()", "it changes the schema or the server"),
    ("CALL db.stats.clear('QUERIES')", "CALL db.stats.clear is not known to only read"),
    ("CALL `db`.`stats`.`retrieve`('QUERIES')", "CALL db.stats.retrieve is not known to only read"),
    ("CALL dbms.listConfig()", "it changes the schema or the server"),
    ("SHOW SETTINGS", "shows more than the data"),
    ("SHOW TRANSACTIONS", "shows more than the data"),
    ("TERMINATE TRANSACTIONS 'neo4j-transaction-1'", "ends other transactions"),
    ("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", "LOAD CSV reads files and addresses"),
    ("RETURN 1; RETURN 2", "can't be run: Expected exactly one statement"),
    ("PROFILE MATCH (n) RETURN n", "can't be run"),
    ("", "can't be run"),
]


@pytest.mark.parametrize(("query", "told"), REFUSED)
def test_what_does_more_than_read_is_refused_before_it_runs(graph: Graph, query: str, told: str) -> None:
    write(graph, "CREATE (:Kept {id: 'kept'})")
    before = everything(graph)
    with pytest.raises(UsageError, match=re.escape(told)):
        execution.run(graph, query, {}, timeout_seconds=30)
    assert everything(graph) == before


def test_what_is_written_in_a_transaction_for_reading_is_never_committed(graph: Graph) -> None:
    """Were a plan to say too little: Neo4j refuses to write in it, and what it allows is rolled back."""
    with (
        pytest.raises(ClientError, match="Writing in read access mode not allowed"),
        graph.reading(timeout_seconds=30) as transaction,
    ):
        transaction.run("CREATE (:Mine)").consume()
    assert everything(graph) == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("MATCH (n) DETACH DELETE n", "the query is refused: it writes; only reading the graph is allowed"),
        ("MATCH (n", "(line 1, column 9 (offset: 8))"),
        ("RETURN 1;\nRETURN 2", "standard input holds 2 queries"),
        ("// nothing", "standard input holds no queries"),
    ],
)
def test_a_refusal_is_one_line_and_exits_with_2(chartfleet: Command, query: str, told: str) -> None:
    ended = chartfleet("query", "-", stdin=query)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.error


ENDLESS = "UNWIND range(1, 100000000) AS x UNWIND range(1, 10000) AS y RETURN count(*)"


def test_a_query_that_takes_too_long_is_stopped(chartfleet: Command) -> None:
    ended = chartfleet("query", "-", "--timeout-seconds", "1", stdin=ENDLESS)
    assert (ended.code, ended.out) == (1, "")
    assert "took longer than 1 s and was stopped; match less, or give it more time" in ended.error


def test_ctrl_c_ends_the_query_in_neo4j_too(chartfleet: Command, graph: Graph) -> None:
    process = chartfleet.start("query", "-", "--timeout-seconds", "600")
    assert process.stdin
    process.stdin.write(ENDLESS)
    process.stdin.close()
    wait_for(lambda: under_way(graph))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    wait_for(lambda: not under_way(graph))


def under_way(graph: Graph) -> bool:
    query = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery = $query RETURN currentQuery"
    return bool(graph.rows(query, {"query": ENDLESS}))


def test_a_query_that_fails_says_so_in_one_line(chartfleet: Command) -> None:
    ended = chartfleet("query", "-", stdin="UNWIND [1, 0] AS x RETURN 1 / x")
    assert (ended.code, ended.out) == (1, "")
    assert ended.error == "chartfleet: the query failed: / by zero"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a query, a file of one, or - for standard input"),
        (["aws.s3.public-bukets"], 'no query "aws.s3.public-bukets"; did you mean aws.s3.public-buckets?'),
        (["nowhere.cypher"], "nowhere.cypher: can't be read"),
        (["--directory", "nowhere", "mine"], "--directory: nowhere is no such directory"),
        (["public-databases", "--param", "x=1"], "the query has no parameter $x; it has none"),
        (["public-databases", "--format", "yaml"], '"yaml" is not one of table, json, csv'),
        (["public-databases", "--limit", "many"], '"many" is not a number of rows'),
        (["public-databases", "--timeout-seconds", "0"], '"0" is not a number of seconds'),
    ],
)
def test_a_wrong_argument_is_a_usage_error(chartfleet: Command, arguments: list[str], told: str) -> None:
    ended = chartfleet("query", *arguments, CHARTFLEET_NEO4J_URI="bolt://127.0.0.1:1")
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.error


# -- how it prints

VALUES = "RETURN 'a' AS text, -5 AS number, true AS flag, null AS nothing, ['x', 1] AS list, {b: 1, a: 'ä'} AS map"


def test_json_has_rows_and_coverage(chartfleet: Command) -> None:
    ended = chartfleet("query", "-", "--format", "json", stdin=VALUES)
    row = {"text": "a", "number": -5, "flag": True, "nothing": None, "list": ["x", 1], "map": {"a": "ä", "b": 1}}
    assert (ended.code, ended.err) == (0, "")
    assert (ended.json["rows"], ended.json["cut"], ended.json["coverage"]["complete"]) == ([row], False, True)


def test_nodes_are_their_properties_and_paths_are_lists(chartfleet: Command, graph: Graph) -> None:
    write(
        graph, "CREATE (:A {id: 1, b: 2})-[:TO {at: datetime('2026-01-02T03:04:05Z')}]->(:B {p: point({x: 1, y: 2})})"
    )
    query = "MATCH path = (a:A)-[edge:TO]->(b:B) RETURN path, a, edge"
    ended = chartfleet("query", "-", "--format", "json", stdin=query)
    [row] = ended.json["rows"]
    assert row == {
        "path": [{"b": 2, "id": 1}, "TO", {"p": [1.0, 2.0]}],
        "a": {"b": 2, "id": 1},
        "edge": {"at": "2026-01-02T03:04:05.000000000+00:00"},
    }
    assert list(row["a"]) == ["b", "id"]


def test_csv_is_that_of_rfc_4180(chartfleet: Command) -> None:
    process = chartfleet(
        "query", "-", "--format", "csv", stdin="RETURN 'a \"b\", c' AS text, [1, 'x'] AS list, null AS no"
    )
    assert list(csv.reader(io.StringIO(process.out))) == [["text", "list", "no"], ['a "b", c', '[1, "x"]', ""]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_a_cell_of_csv_is_no_formula(chartfleet: Command, text: str) -> None:
    ended = chartfleet(
        "query",
        "-",
        "--format",
        "csv",
        "--param",
        f"text={json.dumps(text)}",
        stdin="RETURN $text AS text, -1 AS number",
    )
    [_, [cell, number]] = csv.reader(io.StringIO(ended.out))
    assert cell.startswith("'")
    assert number == "-1"


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_name_controls_no_terminal(chartfleet: Command, form: str) -> None:
    ended = chartfleet("query", "-", "--format", form, stdin="RETURN 'a\\u001b[2Jb\\u202e' AS `na\\u001bme`")
    assert "\x1b" not in ended.out + ended.err
    assert "a\\x1b[2Jb\\u202e" in ended.out
    assert "na\\x1bme" in ended.out


def test_the_limit_is_told_when_it_is_reached(chartfleet: Command) -> None:
    query = "UNWIND range(1, 3) AS x RETURN x"
    cut = chartfleet("query", "-", "--limit", "2", stdin=query)
    assert (cut.code, cut.out) == (3, "x\n1\n2\n")
    assert "only the first 2 rows are shown: --limit 0 shows all" in cut.err
    for enough in ("3", "0"):
        assert chartfleet("query", "-", "--limit", enough, stdin=query).code == 0


# -- what was not seen

QUERY = "MATCH (:AWSAccount)-[:RESOURCE]->(b:S3Bucket) RETURN b.name AS name"
DENIED = unit(BUCKETS, state=State.DENIED, reason="AccessDenied s3:ListAllMyBuckets")


def test_complete_coverage_is_told_and_exits_with_0(chartfleet: Command, graph: Graph) -> None:
    recorded(graph, *map(unit, (*ACCOUNTS, BUCKETS)))
    ended = chartfleet("query", "-", stdin=QUERY)
    assert (ended.code, ended.out) == (0, "name\n")
    assert (
        ended.error
        == "coverage: all of 4 scopes seen (aws.account, aws.iam.account_summary, aws.organizations, aws.s3.buckets)"
    )


def test_what_was_never_seen_is_told_and_exits_with_3(chartfleet: Command, graph: Graph) -> None:
    recorded(graph, *map(unit, ACCOUNTS))
    ended = chartfleet("query", "-", stdin=QUERY)
    assert ended.code == 3
    assert ended.error == "coverage: aws.s3.buckets never seen"


def test_what_was_denied_is_told_with_its_reason(chartfleet: Command, graph: Graph) -> None:
    recorded(graph, *map(unit, ACCOUNTS), unit(BUCKETS))
    recorded(graph, DENIED)
    told = chartfleet("query", "-", stdin=QUERY)
    assert told.code == 3
    assert told.error == f"coverage: 1 of 4 scopes not seen: {ACCOUNT} (AccessDenied s3:ListAllMyBuckets)"
    ended = chartfleet("query", "-", "--format", "json", stdin=QUERY)
    assert (ended.code, ended.err, ended.json["rows"]) == (3, "", [])
    assert ended.json["coverage"] == {
        "complete": False,
        "run": "7-run",
        "started_at": "1970-01-01T00:00:00Z",
        "types": ["aws.account", "aws.iam.account_summary", "aws.organizations", "aws.s3.buckets"],
        "scopes": 4,
        "not_seen": [
            {
                "type": "aws.s3.buckets",
                "tenant": ACCOUNT,
                "region": "global",
                "status": "denied",
                "reason": "AccessDenied s3:ListAllMyBuckets",
                "last_complete": "2026-09-21T14:13:20Z",
            }
        ],
        "details_not_seen": [],
        "never_seen": [],
        "as_earlier_runs_saw": 0,
    }


def test_an_expected_gap_is_told_but_exits_with_0(chartfleet: Command, graph: Graph) -> None:
    recorded(graph, *map(unit, (*ACCOUNTS, BUCKETS)))
    recorded(graph, DENIED)
    ended = chartfleet("query", "-", "--expected-gaps", f"aws.s3.buckets/{ACCOUNT}/*", stdin=QUERY)
    assert ended.code == 0
    assert "1 of 4 scopes not seen" in ended.error


def test_a_query_about_the_coverage_itself_rests_on_nothing(chartfleet: Command, graph: Graph) -> None:
    recorded(graph, DENIED)
    ended = chartfleet("query", "samples.scopes-not-seen")
    assert (ended.code, ended.out.splitlines()[1].split("\t")[:3]) == (0, [ACCOUNT, "global", "denied"])
