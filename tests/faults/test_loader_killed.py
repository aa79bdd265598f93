"""The loader is killed, or stopped, in the middle of a batch."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any

from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.locks import locked, wait_until_blocked, waiting
from tests.fleet.running import Fleet, info_of, wait_for

TOO_LATE = re.compile("another writer took over|the batches wait")


def test_a_loader_killed_in_the_middle_of_a_batch_is_replaced(fleet: Fleet, undisturbed: State) -> None:
    with locked(fleet.graph):
        ledger = fleet.start()
        wait_until_blocked(fleet.graph)
        fleet.kill("loader")
    report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_loader_stopped_until_another_took_over_cannot_write(fleet: Fleet, undisturbed: State) -> None:
    with locked(fleet.graph):
        ledger = fleet.start()
        wait_until_blocked(fleet.graph)
        stopped = writer(fleet)
        fleet.freeze("loader")
    with fleet.also("second-loader", ["loader"]):
        wait_for(lambda: info_of(ledger).committed_ms, seconds=90)
        assert writer(fleet)["fence"] > stopped["fence"]
        fleet.thaw("loader")
        report = fleet.finish(ledger)
        wait_for(lambda: TOO_LATE.search(fleet.log("loader")))
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_loader_stopped_between_two_batches_finds_the_fence_taken(fleet: Fleet, undisturbed: State) -> None:
    """It believes that it is the writer, and has committed a batch that the ledger doesn't know of."""
    with locked(fleet.graph):
        ledger = fleet.start()
        wait_until_blocked(fleet.graph)
        fleet.redis.client_pause(60_000, all=False)  # who wants to write to Redis waits
    tag = info_of(ledger).tag
    wait_for(lambda: fleet.graph.rows("MATCH (n) WHERE n.lastupdated = $tag RETURN n LIMIT 1", {"tag": tag}))
    fleet.freeze("loader")
    fleet.redis.client_unpause()
    with ExitStack() as workers:
        with locked(fleet.graph):
            workers.enter_context(fleet.also("second-loader", ["loader"]))
            wait_until_blocked(fleet.graph)  # it is the writer now
            fleet.thaw("loader")
        wait_for(lambda: "another writer took over" in fleet.log("loader"))
        report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_of_two_loaders_one_writes_and_one_waits(fleet: Fleet, undisturbed: State) -> None:
    with fleet.also("second-loader", ["loader"]):
        with locked(fleet.graph):
            ledger = fleet.start()
            wait_until_blocked(fleet.graph)
            fleet.app.send_task("chartfleet.load", args=(ledger.run,))
            wait_until_blocked(fleet.graph, "MERGE (g:SyncGraph")
            batches = [query for query in waiting(fleet.graph) if query["query"].startswith("UNWIND $rows")]
            assert len(batches) == 1
        report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def writer(fleet: Fleet) -> dict[str, Any]:
    return fleet.graph.rows("MATCH (g:SyncGraph) RETURN g.writer AS name, g.fence AS fence")[0]
