"""`chartfleet-detectdrift` with the files of 2020: states of a real graph, shortcuts, and what is printed of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loaders.graph import Graph
from tests.fleet.command import CHARTFLEET, Ended, clean_environment
from tests.fleet.running import NEO4J_PASSWORD
from workers import embedded

NAME = "Internet exposed EC2 instances"
QUERY = "match (n:EC2Instance) where n.exposed_internet = True return n.instanceid, n.exposed_internet_type"
COLUMNS = ["n.instanceid", "n.exposed_internet_type"]

Detectdrift = Callable[..., Ended]


@pytest.fixture
def detectdrift(tmp_path: Path) -> Detectdrift:
    def run(*arguments: str, **variables: str) -> Ended:
        ended = subprocess.run(
            [f"{CHARTFLEET}-detectdrift", *arguments],
            cwd=tmp_path,
            env={**clean_environment(), "CHARTFLEET_DATA_DIR": str(tmp_path / "data"), **variables},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def get_state(detectdrift: Detectdrift, services: embedded.Services, graph: Graph) -> Callable[[], Ended]:
    """Of every query below `drift`, in the graph of the tests."""
    address = services.graph
    at = ["--neo4j-uri", address.uri, "--neo4j-user", str(address.user), "--neo4j-password-env-var", NEO4J_PASSWORD]
    password = {NEO4J_PASSWORD: address.password or ""}
    return lambda: detectdrift("get-state", *at, "--drift-detection-directory", "drift", **password)


@pytest.fixture
def exposed(tmp_path: Path) -> Path:
    """The directory of a query, as the documentation of 2020 has it."""
    return query_directory(tmp_path / "drift" / "exposed")


def query_directory(path: Path, query: str = QUERY) -> Path:
    path.mkdir(parents=True)
    template = {"name": NAME, "validation_query": query, "properties": [], "results": []}
    (path / "template.json").write_text(json.dumps(template))
    (path / "shortcut.json").write_text(json.dumps({"name": NAME, "shortcuts": {}}))
    return path


def content(file: Path) -> Any:
    return json.loads(file.read_text())


def states(directory: Path) -> list[str]:
    return sorted({file.name for file in directory.iterdir()} - {"template.json", "shortcut.json"})


def instance(graph: Graph, id_: str, *how: str) -> None:
    query = "CREATE (:EC2Instance {instanceid: $id, exposed_internet: true, exposed_internet_type: $how})"
    graph.write(lambda tx: tx.run(query, id=id_, how=list(how)).consume())


# -- get-state


def test_a_state_has_the_rows_as_texts_and_is_the_most_recent(
    get_state: Callable[[], Ended], graph: Graph, exposed: Path
) -> None:
    instance(graph, "i-2", "elb", "direct")
    instance(graph, "i-1", "direct")
    before = time.time()
    ended = get_state()
    assert (ended.code, ended.out) == (0, "")
    [file] = states(exposed)
    taken = re.fullmatch(r"(\d+\.){9}json", file) and time.strptime(".".join(file.split(".")[:6]), "%Y.%m.%d.%H.%M.%S")
    assert taken
    assert abs(before - time.mktime(taken) + time.timezone) < 120
    assert content(exposed / file) == {
        "name": NAME,
        "validation_query": QUERY,
        "properties": COLUMNS,
        "results": [["i-1", "direct"], ["i-2", "direct|elb"]],
    }
    assert content(exposed / "shortcut.json") == {"name": NAME, "shortcuts": {"most-recent": file}}


def test_what_is_wrong_in_one_directory_stops_no_other(
    get_state: Callable[[], Ended], tmp_path: Path, exposed: Path
) -> None:
    drift = tmp_path / "drift"
    (drift / "a-empty").mkdir()
    (query_directory(drift / "b-not-json") / "template.json").write_text("{")
    (query_directory(drift / "c-no-query") / "template.json").write_text('{"name": "mine"}')
    query_directory(drift / "d-not-cypher", "match (n")
    query_directory(drift / "nested" / "e-found", "RETURN 1 AS one")
    (query_directory(drift / "f-no-shortcuts") / "shortcut.json").unlink()
    ended = get_state()
    assert ended.code == 0
    assert "a-empty: skipped: drift/a-empty/template.json: no such file" in ended.err
    assert "b-not-json/template.json: not valid JSON" in ended.err
    assert "c-no-query/template.json: validation_query is missing" in ended.err
    assert "d-not-cypher: skipped: the query can't be run: Invalid input" in ended.err
    assert "f-no-shortcuts/shortcut.json: no such file" in ended.err
    assert len(states(exposed)) == len(states(drift / "nested" / "e-found")) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("MATCH (n) DETACH DELETE n", "it writes"),
        ("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", "LOAD CSV reads files and addresses"),
        ("SHOW SETTINGS", "shows more than the data"),
    ],
)
def test_a_query_that_does_more_than_read_is_skipped(
    get_state: Callable[[], Ended], graph: Graph, tmp_path: Path, query: str, told: str
) -> None:
    instance(graph, "i-1")
    directory = query_directory(tmp_path / "drift" / "bad", query)
    ended = get_state()
    assert (ended.code, states(directory)) == (0, [])
    assert told in ended.err
    assert graph.rows("MATCH (n:EC2Instance) RETURN n.instanceid AS id") == [{"id": "i-1"}]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no owners")
def test_a_template_that_others_may_write_is_skipped(get_state: Callable[[], Ended], exposed: Path) -> None:
    exposed.chmod(0o777)
    ended = get_state()
    assert (ended.code, states(exposed)) == (0, [])
    assert "others may write its directory (mode 0777): run `chmod go-w" in ended.err


def test_cypher_of_neo4j_3_5_stays_in_the_file_as_it_was(get_state: Callable[[], Ended], tmp_path: Path) -> None:
    old = "MATCH (n:EC2Instance) WHERE exists(n.instanceid) RETURN n.instanceid"
    directory = query_directory(tmp_path / "drift" / "old", old)
    get_state()
    [file] = states(directory)
    assert content(directory / file)["validation_query"] == old


def test_what_was_not_seen_is_a_line_of_the_log(get_state: Callable[[], Ended], exposed: Path) -> None:
    assert re.search("WARNING driftdetect: drift/exposed: .*aws.ec2.instances.* never seen", get_state().err)


def test_a_graph_that_is_not_there_is_an_error(detectdrift: Detectdrift, exposed: Path) -> None:
    flags = ("--drift-detection-directory", "drift", "--neo4j-uri", "bolt://127.0.0.1:1")
    ended = detectdrift("get-state", *flags)
    assert (ended.code, states(exposed)) == (1, [])
    assert "the graph bolt://127.0.0.1:1 isn't responding" in ended.error


# -- get-drift, add-shortcut: no graph is needed


def state_of(directory: Path, file: str, *rows: list[str], **fields: Any) -> None:
    state = {"name": NAME, "validation_query": QUERY, "properties": COLUMNS, "results": list(rows)}
    (directory / file).write_text(json.dumps(state | fields))


@pytest.fixture
def two_states(exposed: Path) -> Path:
    state_of(exposed, "1.json", ["i-1", "direct"], ["i-2", "direct|elb"])
    state_of(exposed, "2.json", ["i-1", "direct"], ["i-3", "elb"])
    return exposed


PRINTED = """\
Query Name: Internet exposed EC2 instances
Query Properties: ["n.instanceid", "n.exposed_internet_type"]

New Query Results:

n.instanceid: i-3
n.exposed_internet_type: elb

Missing Query Results:

n.instanceid: i-2
n.exposed_internet_type: ['direct', 'elb']
"""


def get_drift(detectdrift: Detectdrift, directory: Path, start: str, end: str) -> Ended:
    return detectdrift("get-drift", "--query-directory", str(directory), "--start-state", start, "--end-state", end)


def test_the_rows_that_are_new_and_missing_are_printed(detectdrift: Detectdrift, two_states: Path) -> None:
    ended = get_drift(detectdrift, two_states, "1.json", "2.json")
    assert (ended.code, ended.out) == (0, PRINTED)


def test_shortcuts_stand_for_files_and_for_what_other_shortcuts_stand_for(
    detectdrift: Detectdrift, two_states: Path
) -> None:
    for flag, name, target in (
        ("--filename", "first", "1.json"),
        ("--file", "base", "first"),
        ("--file", "last", "2.json"),
    ):
        ended = detectdrift("add-shortcut", "--query-directory", str(two_states), "--shortcut", name, flag, target)
        assert ended.code == 0
    assert content(two_states / "shortcut.json")["shortcuts"] == {"first": "1.json", "base": "1.json", "last": "2.json"}
    assert get_drift(detectdrift, two_states, "base", "last").out == PRINTED


@pytest.mark.parametrize(
    ("name", "target", "told"),
    [("2.json", "1.json", "2.json: is the name of a file"), ("last", "3.json", "3.json: is neither a shortcut nor")],
)
def test_a_shortcut_that_misleads_is_refused(
    detectdrift: Detectdrift, two_states: Path, name: str, target: str, told: str
) -> None:
    ended = detectdrift("add-shortcut", "--query-directory", str(two_states), "--shortcut", name, "--file", target)
    assert ended.code == 2
    assert told in ended.error
    assert content(two_states / "shortcut.json")["shortcuts"] == {}


@pytest.mark.parametrize("fields", [{"name": "Other"}, {"validation_query": "RETURN 1"}, {"properties": ["a", "b"]}])
def test_states_of_two_queries_are_not_compared(
    detectdrift: Detectdrift, two_states: Path, fields: dict[str, Any]
) -> None:
    state_of(two_states, "2.json", **fields)
    ended = get_drift(detectdrift, two_states, "1.json", "2.json")
    assert (ended.code, ended.out) == (1, "")
    assert "of the two states differ, so they can't be compared" in ended.error


def test_a_state_that_is_not_there(detectdrift: Detectdrift, two_states: Path) -> None:
    ended = get_drift(detectdrift, two_states, "1.json", "first")
    assert (ended.code, ended.out) == (1, "")
    assert "exposed/first: no such file" in ended.error


# -- the command line


def test_without_a_command_there_is_an_error_in_the_log_and_exit_code_0(detectdrift: Detectdrift) -> None:
    ended = detectdrift()
    assert (ended.code, ended.out) == (0, "")
    assert "ERROR driftdetect: no command: give get-state, get-drift or add-shortcut" in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["get-state"], "required: --drift-detection-directory"),
        (["get-state", "--drift-detection-directory", "nowhere"], "nowhere is no such directory"),
        (["get-drift", "--query-directory", "."], "required: --start-state, --end-state"),
        (["get-states"], "invalid choice: 'get-states'"),
    ],
)
def test_a_wrong_argument_is_a_usage_error(detectdrift: Detectdrift, arguments: list[str], told: str) -> None:
    ended = detectdrift(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.error


def test_quiet_is_before_the_command_as_in_2020(get_state: Callable[[], Ended], detectdrift: Detectdrift) -> None:
    assert "--verbose" in detectdrift("--help").out
    assert detectdrift("-v", "--quiet", "get-drift", "--help").code == 0
