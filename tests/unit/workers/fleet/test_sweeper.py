"""The sweeper of any worker ends a run that takes too long."""

from __future__ import annotations

import redis
from celery import Celery

from loaders.ledger import Ledger, RunState, State
from loaders.scope import Scope
from workers.fleet.configuration import configuration
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.fleet.queues import LOADER, length
from workers.fleet.sweeper import sweep_once, under_way
from workers.settings.settings import Settings

PLANNER = Scope(type="aws.tenants", tenant="aws")
DAY = 86_400


def test_an_overdue_run_comes_to_its_analysis_and_one_that_nobody_analyses_is_cancelled(
    broker_url: str, broker: redis.Redis
) -> None:
    settings = Settings.load({}, {}).with_values({"broker_url": broker_url, "max_run_seconds": float(DAY)}, "test")
    app = Celery("chartfleet-test", set_as_current=False)
    app.conf.update(configuration(settings))
    process, publisher = Process(settings), Publisher(app)
    ledger = process.ledger("1-test")
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    broker.delete(LOADER)
    try:
        begin_earlier(broker, ledger, DAY + 60)
        sweep_once(process, publisher)
        unit = ledger.unit(PLANNER)
        assert unit is not None
        assert (unit.state, unit.why.failure) == (State.FAILED, "unfinished")
        assert length(broker, LOADER) == 1, "the message that starts the analysis"

        begin_earlier(broker, ledger, DAY)
        broker.delete("chartfleet:sweeper")
        sweep_once(process, publisher)
        assert (ledger.state(), under_way(broker)) == (RunState.CANCELLED, []), "nobody keeps its claim on the graph"
    finally:
        broker.delete(LOADER)
        ledger.forget()


def begin_earlier(broker: redis.Redis, ledger: Ledger, seconds: int) -> None:
    broker.hincrby(f"chartfleet:ledger:{ledger.run}", "created_ms", -seconds * 1000)
