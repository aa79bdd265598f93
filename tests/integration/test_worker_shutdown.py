"""A worker that is stopped while every call of a scope hangs: a container gets no more than its grace for that."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from loaders.ledger import Ledger, State, Unit
from loaders.scope import Scope
from tasks.okta.access import OktaAccess
from tasks.resource import Tenant
from tests.fleet.command import Command
from tests.fleet.running import wait_for
from tests.servers.json_api import Asked, JsonApi, Reply
from workers.embedded.broker import start_broker
from workers.fleet.attempt import SHUTDOWN
from workers.fleet.configuration import configuration
from workers.fleet.publisher import Publisher
from workers.settings.fleet_key import fleet_key
from workers.settings.settings import Settings

PLANNER = Scope(type="okta.tenants", tenant="okta")
PART = Scope(type="okta.factors", tenant="example", part=",".join(f"00u{number}" for number in range(30)))
CALLS = 10  # that Okta accepts at a time: more than there are threads in Python's own pool on two cores
GRACE_SECONDS = 30  # of compose
TOKEN = "CHARTFLEET_TEST_OKTA_TOKEN"


@pytest.mark.parametrize("pool", ["prefork", pytest.param("threads", marks=pytest.mark.long)])
def test_its_scope_is_given_back_and_it_ends_at_once(tmp_path: Path, pool: str) -> None:
    broker = start_broker(tmp_path / "broker")
    try:
        with hung_okta() as okta, redis.Redis.from_url(broker.url) as client:
            ledger = planned(client, okta.url)
            with worker(tmp_path, broker.url, okta.url, pool) as process:
                publish(broker.url, ledger.run)
                wait_for(lambda: okta.measured[""].in_flight >= CALLS, seconds=60)
                start = time.monotonic()
                process.send_signal(signal.SIGTERM)
                wait_for(lambda: unit(ledger).state is State.PLANNED)
                assert time.monotonic() - start < 5
                assert (unit(ledger).reason, unit(ledger).crashes) == (SHUTDOWN, 0)
                process.communicate(timeout=GRACE_SECONDS - 10)
    finally:
        broker.stop()


@contextmanager
def hung_okta() -> Iterator[JsonApi]:
    """It accepts calls, and never responds."""
    over = threading.Event()

    def hang(asked: Asked) -> Reply:
        over.wait()
        return Reply([])

    with JsonApi({"GET /api/v1/users/{id}/factors": hang}) as server:
        try:
            yield server
        finally:
            over.set()


def planned(client: redis.Redis, url: str) -> Ledger:
    ledger = Ledger(client, "1-test", fleet_key())
    ledger.open(tag=1, config={"options": {}}, window=1, planners=[PLANNER])
    access = OktaAccess(base_url=url, api_key_variable=TOKEN, saml_role_regex="none").as_json()
    tenant = Tenant(provider="okta", id=PART.tenant, access=access)
    ledger.set_tenants({f"okta/{PART.tenant}": {"provider": "okta", "id": tenant.id, "access": dict(access)}})
    planner = ledger.begin(PLANNER, lease_seconds=600, worker="test")
    assert planner is not None
    ledger.plan(planner, [(PART, True, 0.0)], queue=False)
    return ledger


def unit(ledger: Ledger) -> Unit:
    unit = ledger.unit(PART)
    assert unit is not None
    return unit


def publish(broker_url: str, run: str) -> None:
    from celery import Celery

    app = Celery("chartfleet-test", set_as_current=False)
    app.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": broker_url}, "test")))
    Publisher(app).publish_scopes(run, [PART])


@contextmanager
def worker(folder: Path, broker_url: str, okta_url: str, pool: str) -> Iterator[subprocess.Popen[str]]:
    chartfleet = Command(folder, {"CHARTFLEET_BROKER_URL": broker_url, TOKEN: "not-a-secret"})
    own = ("--okta-org-id", PART.tenant, "--okta-api-key-env-var", TOKEN, "--okta-base-url", okta_url)
    process = chartfleet.start("worker", "--queues", "fetch.okta", "--concurrency", "1", *own, "--", "--pool", pool)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=30)
