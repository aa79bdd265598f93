"""`make bench QUICK=1` without the peer: it runs, and its figures can be true."""

from __future__ import annotations

import pytest

from benchmarks.peer import plan, session, tables
from benchmarks.peer.tools import BROKER, GRAPH


@pytest.mark.long
def test_the_figures_of_a_quick_benchmark_can_be_true() -> None:
    cell = plan.QUICK
    wanted = plan.wanted(cell, quick=True, peer=False)
    measured = session.run(cell.size, cell.latency_ms, wanted, warm_up_runs=1)
    (one,) = measured.figures
    latency_seconds = cell.latency_ms / 1000
    assert one.forwarded == 0, "the proxy has every response, so the simulator is not what is measured"
    assert one.proxy_cpu_seconds / one.calls < 0.001, "the proxy can answer a thousand calls a second"
    assert one.calls > one.scopes > 30
    assert one.wall_seconds > one.calls * latency_seconds / one.max_in_flight
    assert one.nodes > 150
    assert one.relationships > one.nodes
    assert set(one.roles) == {"command", "coordinator", "fetch", "loader"}
    assert {role: share.processes for role, share in one.roles.items()}["fetch"] == plan.USUAL
    assert set(one.beside) == {BROKER, GRAPH}
    assert sum(share.cpu_seconds for share in one.roles.values()) <= one.cpu_seconds
    assert 50 < max(share.peak_bytes for share in one.roles.values()) / 1e6 < tables.peak_mb(one) < 2_000
    assert 1 < tables.ms_per_scope("loader")(one) < 1_000
