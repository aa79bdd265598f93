"""Before a run: is there memory for it in the broker? Judged by the last run, and by what a scope really needs."""

from __future__ import annotations

import pytest
import redis
from celery import Celery

from benchmarks.ledger_memory import measure_messages, measure_scopes
from loaders.ledger import Ledger, RunState
from loaders.scope import Scope
from workers.embedded.broker import Broker
from workers.fleet import transport
from workers.fleet.broker_memory import BrokerMemory
from workers.fleet.configuration import configuration
from workers.fleet.memory_need import MESSAGE_BYTES, SCOPE_BYTES, check_memory
from workers.fleet.readiness import NotReady
from workers.settings.settings import Settings

GRAPH = "the-graph"
SETTINGS = Settings.load({}, {}).with_values({"backlog_bytes": 1_000_000, "selected_modules": ("aws",)}, "test")


def ended(client: redis.Redis, run: str, *, scopes: int, state: str = RunState.COMPLETE) -> None:
    """The ledger of a run that is over; `scopes` is what its head says."""
    ledger = Ledger(client, run)
    config = {**SETTINGS.run_config(), "graph": GRAPH}
    ledger.open(tag=int(run), config=config, window=1, planners=[Scope(type="aws.tenants", tenant="all")])
    ledger.set_tenants({f"aws/{n}": {} for n in range(100)})
    client.hset(f"chartfleet:ledger:{run}", mapping={"state": state, "planned": scopes})


def leave_free(client: redis.Redis, size: int) -> None:
    client.config_set("maxmemory", BrokerMemory.of(client).used + size)


def test_a_scope_and_a_message_need_no_more_than_is_reckoned_with(client: redis.Redis, own_broker: Broker) -> None:
    transport.use()
    app = Celery("test", set_as_current=False)
    app.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": own_broker.url}, "test")))
    assert max(measure_scopes(client, 1_000)) <= SCOPE_BYTES * 1.1  # small tables have more of an overhead
    assert measure_messages(client, app, 300) <= MESSAGE_BYTES * 1.1


def test_nothing_is_said_where_there_is_enough_or_nothing_to_judge_by(client: redis.Redis) -> None:
    leave_free(client, 1_000_000)
    assert check_memory(client, GRAPH, SETTINGS) == ""  # the first run
    ended(client, "1", scopes=500_000)
    assert check_memory(client, "another graph", SETTINGS) == ""
    client.config_set("maxmemory", 0)
    assert check_memory(client, GRAPH, SETTINGS) == ""
    leave_free(client, 2_000_000_000)
    assert check_memory(client, GRAPH, SETTINGS) == ""


def test_a_run_whose_ledger_has_no_room_is_refused_with_the_figures_and_the_way_out(client: redis.Redis) -> None:
    ended(client, "1", scopes=510_000)
    leave_free(client, 100_000_000)
    with pytest.raises(NotReady) as refused:
        check_memory(client, GRAPH, SETTINGS)
    text = str(refused.value)
    assert "the broker has 100" in text
    assert "the last run needed about 796" in text  # 286 MB of ledger, 510 MB of messages, 1 MB of batches
    assert "(510,000 scopes)" in text
    assert "REDIS_MEMORY" in text
    assert "config set maxmemory 1400mb" in text


def test_one_that_asks_for_less_than_the_last_is_only_warned(client: redis.Redis) -> None:
    ended(client, "1", scopes=510_000)
    leave_free(client, 100_000_000)
    other = SETTINGS.with_values({"aws_regions": ("eu-west-1",)}, "test")
    assert "the last run needed about" in check_memory(client, GRAPH, other)


def test_so_is_one_whose_messages_may_have_no_room(client: redis.Redis) -> None:
    ended(client, "1", scopes=510_000)
    leave_free(client, 400_000_000)
    assert "the last run needed about" in check_memory(client, GRAPH, SETTINGS)


def test_what_the_start_forgets_is_free(client: redis.Redis) -> None:
    ended(client, "1", scopes=510_000, state=RunState.CANCELLED)
    ended(client, "2", scopes=510_000)
    leave_free(client, 600_000_000)
    assert check_memory(client, GRAPH, SETTINGS) == ""


def test_a_full_broker_is_refused(client: redis.Redis) -> None:
    client.config_set("maxmemory", 1)
    with pytest.raises(NotReady, match="memory is full"):
        check_memory(client, GRAPH, SETTINGS)
