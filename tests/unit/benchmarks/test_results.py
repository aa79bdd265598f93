"""Sessions are kept as JSON, and the page follows from them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from benchmarks.peer import page, plan, results, tables
from benchmarks.peer.session import Figures, Scenario, Session
from benchmarks.peer.tools import BROKER, GRAPH, PEER, Chartfleet
from benchmarks.peer.usage import Share

OURS = Chartfleet(2).name


def figures(tool: str, wall_seconds: float, scenario: Scenario = Scenario.EMPTY) -> Figures:
    roles = {"command": Share(1.0, 100_000_000, 1), "fetch": Share(4.0, 150_000_000, 2), "loader": Share(2.0, 1, 1)}
    beside = {GRAPH: Share(3.0, 900_000_000, 1)}
    return Figures(
        tool=tool,
        scenario=scenario,
        wall_seconds=wall_seconds,
        calls=1210,
        by_service={"ec2": 1210},
        forwarded=0,
        max_in_flight=9,
        cpu_seconds=7.0,
        peak_bytes=250_000_000,
        nodes=1000,
        relationships=2000,
        scopes=0 if tool == PEER else 200,
        rows=0,
        stages={} if tool == PEER else {"planning": 2.0, "analysis": 1.5},
        roles={"command": roles["command"]} if tool == PEER else roles,
        beside=beside if tool == PEER else {**beside, BROKER: Share(0.5, 8_000_000, 1)},
        proxy_cpu_seconds=0.4,
    )


def session(*runs: Figures, size: str = "5x3", latency_ms: int = 80) -> Session:
    return Session(
        size=size, latency_ms=latency_ms, at="2026-01-01T00:00:00+00:00", load=0.5, changed=3, figures=list(runs)
    )


def test_a_ratio_is_of_medians_of_the_same_scenario_and_session() -> None:
    runs = [figures(PEER, 120), figures(PEER, 999), figures(PEER, 100), figures(OURS, 10), figures(OURS, 12)]
    both = session(*runs, figures(OURS, 1, Scenario.FRESH))
    assert tables.ratio(both, OURS, Scenario.EMPTY) == "10.9"
    assert tables.ratio(both, OURS, Scenario.FRESH) == "", "the peer wasn't measured on a fresh graph"


def test_the_broker_counts_for_the_tool_the_graph_does_not() -> None:
    row = next(line for line in tables.comparison(session(figures(OURS, 10))) if OURS in line)
    assert row == f"| {Scenario.EMPTY} | {OURS} | 10.0 |  | 1,210 | 7.5 | 258 | 3.0 | 1,000 | 2,000 |"


def test_cpu_time_of_a_scope_is_told_by_role() -> None:
    row = list(tables.by_role(session(figures(PEER, 100), figures(OURS, 10))))[-1]
    assert row.endswith("| 20 | 10 |"), "4 s of the fetch processes and 2 s of the loader, for 200 scopes"


def test_the_seconds_of_the_stages_and_what_is_outside_of_them_are_the_whole_command() -> None:
    rows = list(tables.stages(session(figures(PEER, 100), figures(OURS, 10))))
    assert rows[0] == "| scenario | tool | planning | analysis | outside |"
    assert rows[2:] == [f"| {Scenario.EMPTY} | {OURS} | 2.0 | 1.5 | 6.5 |"]


def test_what_one_more_scope_costs_is_the_slope_between_two_estates() -> None:
    small, large = figures(OURS, 5), figures(OURS, 10)
    small = dataclasses.replace(small, scopes=100, roles={**small.roles, "fetch": Share(3.0, 1, 1)})
    sessions = [session(small, size="1x2"), session(large), session(large, latency_ms=200)]
    rows = list(tables.one_more_scope(sessions))
    assert rows[2:] == [f"| {OURS} | 1x2 | 5x3 | 80 | 100 to 200 | 10.0 | 0.0 | 0.0 | 0.0 |"]


def test_a_session_replaces_that_of_the_same_cell_and_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    for one in (session(size="20x3"), session(figures(OURS, 9)), session(figures(OURS, 10)), session(latency_ms=0)):
        results.add(one, file)
    found = [one.session for one in results.load(file)]
    assert [(one.size, one.latency_ms) for one in found] == [("5x3", 0), ("5x3", 80), ("20x3", 80)]
    assert found[1] == session(figures(OURS, 10))


def test_the_page_has_the_ratios_the_machine_and_a_picture() -> None:
    machine = results.Machine.this()
    text = page.text([results.Result(machine, session(figures(PEER, 120), figures(OURS, 10)))])
    assert "| 5x3 | 80 | 12.0 |" in text
    assert f"| 1 | {machine.cores} |" in text
    assert "    bar [120.0, 10.0]" in text


def test_the_page_is_that_of_the_kept_results() -> None:
    if results.RESULTS.exists():
        assert page.PAGE.read_text() == page.text(results.load())


def test_kept_results_are_the_figures_of_every_session() -> None:
    stored = json.loads(results.RESULTS.read_text()) if results.RESULTS.exists() else []
    names = {field.name for field in dataclasses.fields(Figures)}
    assert all(set(one) == names for result in stored for one in result["session"]["figures"])


def test_a_quick_benchmark_is_one_run_of_each_tool() -> None:
    assert [(one.tool.name, len(one.scenarios)) for one in plan.wanted(plan.QUICK, quick=True, peer=True)] == [
        (PEER, 1),
        (OURS, 1),
    ]


def test_a_cell_names_accounts_regions_and_latency() -> None:
    (cell,) = plan.cells("20x3:200")
    assert (cell.size.accounts, cell.size.regions, cell.latency_ms, str(cell)) == (20, 3, 200, "20x3:200")
