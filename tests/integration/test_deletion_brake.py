"""The brake on deletion: one plausible empty list can't empty a graph. A second one can, and so can its user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import redis
from celery import Celery

from loaders import coverage, retirement
from loaders.brake import CONFIRMED, Brake
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.ledger import Event, State
from loaders.loader import Loader
from loaders.scope import Scope
from loaders.writer import RunRefused, Writer
from tasks.engine import registry
from tests.integration.runs import DENIED, Items, Run, Sync, group, rows, scope
from workers import embedded
from workers.fleet import coordinator, loading
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

GROUPS, OTHER_GROUPS = scope("aws.ec2.security_groups"), scope("aws.ec2.security_groups", "2222")
BRAKE = Brake(rows=10, share=0.5)


class Braked(Sync):
    """Runs whose loader has a brake, and which record their coverage."""

    def one(self, items: Items | str, *, confirmed: bool = False, others: int = 0) -> Run:
        run = self.start([GROUPS, OTHER_GROUPS])
        run.loader = Loader(self.writer, registry.schema(), brake=BRAKE)
        run.fetch(OTHER_GROUPS, rows(OTHER_GROUPS, groups(range(others), "other-")))
        if isinstance(items, str):
            run.deny(GROUPS)
        else:
            run.fetch(GROUPS, rows(GROUPS, items))
        for _ in run.loader.drain(run.ledger, run.tag, confirmed=confirmed):
            pass
        run.barrier()
        info = run.ledger.info()
        assert info
        coverage.write(self.writer, replace(info, id=run.ledger.run), run.ledger.units(), now_ms=run.tag)
        return run


pytestmark = pytest.mark.usefixtures("indexed")


@pytest.fixture
def sync(writer: Writer, broker: redis.Redis) -> Braked:
    return Braked(broker, writer)


def groups(numbers: Iterable[int], prefix: str = "sg-") -> Items:
    return [group(f"{prefix}{number}") for number in numbers]


def held(graph: Graph, of: Scope = GROUPS) -> dict[int, int]:
    """Number of each group in the graph -> when it was last seen."""
    query = "MATCH (g:EC2SecurityGroup {_scope: $scope}) RETURN split(g.id, '-')[1] AS number, g.lastupdated AS tag"
    return {int(row["number"]): row["tag"] for row in graph.rows(query, {"scope": of.id})}


def ended(run: Run) -> tuple[State, str]:
    unit = run.ledger.unit(GROUPS)
    assert unit
    return unit.state, unit.reason


def covered(graph: Graph) -> dict[str, Any]:
    [row] = graph.rows("MATCH (s:SyncScope {id: $id}) RETURN s{.status, .reason, .complete_at} AS s", {"id": GROUPS.id})
    found: dict[str, Any] = row["s"]
    return found


def test_a_scope_that_suddenly_lists_none_deletes_when_the_next_complete_run_agrees(sync: Braked, graph: Graph) -> None:
    sync.one(groups(range(20)))
    state, reason = ended(sync.one([]))
    assert state is State.HELD_BACK
    assert reason.startswith("20 of 20 nodes are no longer listed, and stay until the next complete run agrees")
    assert held(graph) == dict.fromkeys(range(20), 1), "what it keeps is as old as it is"
    assert covered(graph) | {"reason": reason} == {"status": "held back", "reason": reason, "complete_at": 1}
    assert ended(sync.one(DENIED))[0] is State.DENIED
    assert len(held(graph)) == 20, "a run that saw nothing agrees with nothing"
    assert ended(sync.one([]))[0] is State.CLEANED
    assert held(graph) == {}
    assert covered(graph)["status"] == "complete"


def test_a_scope_that_loses_more_than_the_share_is_held_back_and_one_that_loses_less_is_not(
    sync: Braked, graph: Graph
) -> None:
    sync.one(groups(range(40)))
    assert ended(sync.one(groups(range(20))))[0] is State.CLEANED
    assert sorted(held(graph)) == list(range(20))
    assert ended(sync.one(groups(range(9))))[0] is State.HELD_BACK
    assert held(graph) == dict.fromkeys(range(9), 3) | dict.fromkeys(range(9, 20), 2)


def test_a_small_scope_loses_all_it_had_at_once(sync: Braked, graph: Graph) -> None:
    sync.one(groups(range(9)))
    assert ended(sync.one([]))[0] is State.CLEANED
    assert held(graph) == {}


def test_what_was_held_back_and_is_listed_again_was_never_gone(sync: Braked, graph: Graph) -> None:
    sync.one(groups(range(20)))
    sync.one([])
    assert ended(sync.one(groups(range(19))))[0] is State.CLEANED
    assert held(graph) == dict.fromkeys(range(19), 3)
    assert ended(sync.one([]))[0] is State.HELD_BACK, "it is the first time again"


def test_a_second_run_agrees_only_about_what_both_did_not_list(sync: Braked, graph: Graph) -> None:
    sync.one(groups(range(50)))
    assert ended(sync.one(groups(range(20))))[0] is State.HELD_BACK
    state, reason = ended(sync.one([]))
    assert state is State.HELD_BACK
    assert reason.startswith("20 of 20 nodes")
    assert sorted(held(graph)) == list(range(20)), "of the other 30, both say that they are gone"
    assert ended(sync.one([]))[0] is State.CLEANED
    assert held(graph) == {}


def test_the_user_confirms_the_deletions(sync: Braked, graph: Graph) -> None:
    sync.one(groups(range(20)))
    assert ended(sync.one([], confirmed=True))[0] is State.CLEANED
    assert held(graph) == {}


def test_a_scope_that_is_held_back_holds_up_no_other(sync: Braked, graph: Graph) -> None:
    sync.one(groups(range(20)), others=8)
    sync.one([], others=3)
    assert len(held(graph)) == 20
    assert sorted(held(graph, OTHER_GROUPS)) == [0, 1, 2]


def test_a_cleanup_that_is_done_twice_is_no_second_run(sync: Braked, writer: Writer, graph: Graph) -> None:
    """A loader that is killed before it tells the ledger."""
    sync.one(groups(range(20)))
    for _ in range(3):
        assert list(Cleanup(writer, registry.schema()).clean([GROUPS], 2, brake=BRAKE).held_back) == [GROUPS]
    assert len(held(graph)) == 20


def test_a_retired_scope_is_not_held_back(sync: Braked, writer: Writer, graph: Graph) -> None:
    """Its own list says that its tenant or region is gone, and it was kept for some runs."""
    sync.one(groups(range(20)))
    assert retirement.delete(writer, registry.schema(), [GROUPS], 2) >= 20
    assert held(graph) == {}


def test_an_item_whose_detail_failed_counts_as_seen(sync: Braked, writer: Writer, graph: Graph) -> None:
    """What could not be read is marked, and stays: it isn't gone."""
    sync.one(groups(range(20)))
    graph.write(lambda tx: tx.run("MATCH (g:EC2SecurityGroup) SET g._kept = '2.1'").consume())
    cleaned = Cleanup(writer, registry.schema()).clean([GROUPS], 2, mark="2.1", brake=BRAKE)
    assert (cleaned.cleaned, cleaned.held_back, len(held(graph))) == ([GROUPS], {}, 20)


# -- the flag


class Silent(Publisher):
    """Nobody listens."""

    def publish_events(self, run: str, events: Iterable[Event]) -> None:
        list(events)


@pytest.fixture
def process(services: embedded.Services, sync: Braked, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """A loader's, with the settings that nobody changed."""
    address = services.graph
    values = {"broker_url": services.broker_url, "neo4j_uri": address.uri, "neo4j_user": address.user}
    monkeypatch.setenv("PASSWORD_OF_THE_GRAPH", address.password or "")
    values["neo4j_password_env_var"] = "PASSWORD_OF_THE_GRAPH"
    process = Process(Settings.load({}, {}).with_values(values, "test"))
    with closing(process.writer), closing(process.redis):
        yield process


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_run_that_was_started_with_the_flag_holds_nothing_back(
    sync: Braked, process: Process, graph: Graph, confirmed: bool
) -> None:
    sync.one(groups(range(150)))
    run = sync.start([GROUPS], {CONFIRMED: confirmed})
    run.fetch(GROUPS, {})
    sync.writer.release()
    loading.load(process, run.ledger.run, Silent(Celery()), lambda: False)
    assert ended(run)[0] is (State.CLEANED if confirmed else State.HELD_BACK)
    assert len(held(graph)) == (0 if confirmed else 150)


def test_a_run_that_is_under_way_can_not_be_confirmed(sync: Braked, process: Process, graph: Graph) -> None:
    run = sync.start([GROUPS]).ledger.run
    with pytest.raises(RunRefused, match="is under way"):
        coordinator.resume(process.settings, graph, process.redis, run, Silent(Celery()), confirm_deletions=True)
