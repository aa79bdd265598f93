"""Who writes a run to Redis gets no credential of a worker: the attack, with a server that waits for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import redis
from celery import Celery

from loaders.ledger import Ledger, State
from loaders.ledger.signing import FleetKey
from loaders.scope import Scope
from tests.fleet.command import FLEET_KEY
from workers.fleet import fetching, own_settings
from workers.fleet.attempt import make_attempt
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

SECRET = "a-secret-that-must-not-leave"
USERS = Scope(type="okta.users", tenant="example")
PLANNER = Scope(type="okta.tenants", tenant="okta")
OWN = {"CHARTFLEET_OKTA_ORG_ID": "example", "CHARTFLEET_OKTA_API_KEY_ENV_VAR": "OKTA_TOKEN"}


@pytest.fixture
def thief() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the headers that were sent there."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append(str(self.headers))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()


def own(broker_url: str, **more: str) -> Settings:
    return Settings.load({}, OWN | {"CHARTFLEET_BROKER_URL": broker_url} | more)


@pytest.fixture
def process(broker: redis.Redis, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Process:
    """A worker with a token of its own, and another secret in its environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("OKTA_TOKEN", "token")
    process = Process(own(broker_url))
    process.redis = broker
    return process


def forged(broker: redis.Redis, key: FleetKey | None, url: str, variable: str) -> Ledger:
    """A run that makes a worker send a secret to `url`, as far as Redis can say so."""
    ledger = Ledger(broker, "1-forged", key)
    ledger.open(tag=1, config={"modules": ["okta"], "options": {}}, window=1, planners=[PLANNER])
    access = {"base_url": url, "api_key_variable": variable, "saml_role_regex": "x"}
    ledger.set_tenants({"okta/example": {"provider": "okta", "id": "example", "access": access}})
    planner = ledger.begin(PLANNER, lease_seconds=60, worker="w")
    assert planner is not None
    ledger.plan(planner, [(USERS, False, 0.0)], queue=False)
    return ledger


def fetch(process: Process) -> str:
    publisher = Publisher(Celery(set_as_current=False))
    return make_attempt(process, "1-forged", USERS, publisher, lambda: False, fetching.work)


def state(ledger: Ledger) -> tuple[State, str]:
    unit = ledger.unit(USERS)
    assert unit is not None
    return unit.state, unit.reason


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "OKTA_TOKEN"])
@pytest.mark.parametrize("key", [None, FleetKey("of-another-fleet-0123456789abcdef")], ids=["unsigned", "another key"])
def test_a_forged_run_gets_nothing(
    process: Process, broker: redis.Redis, thief: tuple[str, list[str]], key: FleetKey | None, variable: str
) -> None:
    url, received = thief
    ledger = forged(broker, key, url, variable)
    fetch(process)
    assert received == []
    assert state(ledger)[0] is State.FAILED


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "OKTA_TOKEN"])
def test_nor_does_one_that_a_stolen_key_signed(
    process: Process, broker: redis.Redis, thief: tuple[str, list[str]], variable: str
) -> None:
    """Of a worker that was taken over: others still obey their own settings."""
    url, received = thief
    ledger = forged(broker, FleetKey(FLEET_KEY), url, variable)
    fetch(process)
    assert received == []
    ended, reason = state(ledger)
    assert ended is State.DENIED
    assert "NotOwnSetting" in reason


def test_what_the_own_settings_say_is_reached(
    process: Process, broker: redis.Redis, broker_url: str, thief: tuple[str, list[str]]
) -> None:
    """So that the tests above show something: the same run, where the worker's own settings name the server."""
    url, received = thief
    process.settings = own(broker_url, CHARTFLEET_OKTA_BASE_URL=url)
    own_settings.check_options(process.settings, "okta", process.settings.run_config()["options"])
    ledger = forged(broker, FleetKey(FLEET_KEY), url, "OKTA_TOKEN")
    fetch(process)
    assert len(received) == 1
    assert "SSWS token" in received[0]
    assert state(ledger)[0] is State.CLEANED
