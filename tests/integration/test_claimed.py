"""Commands that write to the graph themselves hold it for as long as they write, however long that is."""

from __future__ import annotations

import time

import pytest

from loaders import indexes
from loaders.graph import Graph
from loaders.writer import RunRefused, claim, claimed_by
from workers import embedded
from workers.commands.claimed import claimed
from workers.settings.settings import Settings

LEASE_SECONDS = 1.0
SETTINGS = Settings.load({}, {}).with_values({"run_lease_seconds": LEASE_SECONDS}, "test")


def claim_of_another(graph: Graph) -> None:
    claim(graph, run="another", tag=8, resume=False, lease_seconds=LEASE_SECONDS)


def test_no_run_starts_while_a_command_writes_for_longer_than_a_claim_lasts(
    graph: Graph, services: embedded.Services
) -> None:
    indexes.ensure_lock(graph)
    with claimed("forget", services.graph, graph, SETTINGS, tag=7):
        time.sleep(2 * LEASE_SECONDS)
        with pytest.raises(RunRefused, match="forget-"):
            claim_of_another(graph)
    claim_of_another(graph)


def test_a_command_whose_claim_was_taken_away_says_so_and_gives_nothing_back(
    graph: Graph, services: embedded.Services
) -> None:
    """By `chartfleet cancel`, say, and a run that started after it."""
    indexes.ensure_lock(graph)
    with pytest.raises(RunRefused, match="claimed the graph in the meantime: run `chartfleet rejected retry` again"):
        write_late(graph, services)
    held = claimed_by(graph)
    assert held
    assert held.run == "another"
    assert graph.rows("MATCH (n:Late) RETURN n") == []


def write_late(graph: Graph, services: embedded.Services) -> None:
    with claimed("rejected retry", services.graph, graph, SETTINGS, tag=7) as writer:
        graph.write(lambda tx: tx.run("MATCH (g:SyncGraph) SET g.run = null").consume())
        claim_of_another(graph)
        time.sleep(LEASE_SECONDS)
        writer.write(lambda tx: tx.run("CREATE (:Late)").consume())
