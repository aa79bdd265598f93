"""What a run needs of Redis's memory: python -m benchmarks.ledger_memory [SCOPES]

Plans that many scopes (default: 20,000) of 100 accounts in an embedded Redis, ends each with one call and nothing to
say, and publishes some of them as chords. Prints bytes per scope and per message. Exit code 1 if they need more than
`workers.fleet.memory_need` reckons with.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import redis
from celery import Celery

from loaders.ledger import Ledger
from loaders.ledger.signing import FleetKey
from loaders.scope import Scope
from workers.embedded.broker import start_broker
from workers.fleet import transport
from workers.fleet.broker_memory import BrokerMemory
from workers.fleet.configuration import configuration
from workers.fleet.memory_need import MESSAGE_BYTES, SCOPE_BYTES
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

ACCOUNTS: Final = 100
MESSAGES: Final = 2_000


def main() -> int:
    scopes = int(sys.argv[1]) if sys.argv[1:] else 20_000
    with _redis() as (client, app):
        planned, ended = measure_scopes(client, scopes)
        message = measure_messages(client, app, MESSAGES)
    rows = (
        (planned, SCOPE_BYTES, "a planned scope"),
        (ended, SCOPE_BYTES, "once ended"),
        (message, MESSAGE_BYTES, "a message"),
    )
    for found, reckoned, what in rows:
        print(f"{found:6.0f} B  {what} (reckoned with: {reckoned} B)")
    print(f"{scopes:,} scopes: {scopes * ended / 1e6:.0f} MB; two whole ledgers: {2 * scopes * ended / 1e6:.0f} MB")
    return int(any(found > reckoned for found, reckoned, _ in rows))


def measure_scopes(client: redis.Redis, count: int) -> tuple[float, float]:
    """Bytes per scope when it is planned and published, and when it has ended."""
    ledger = Ledger(client, "1700000000-abcd", FleetKey(secrets.token_hex(32)))
    planner = Scope(type="aws.tenants", tenant="all")
    ledger.open(tag=1, config={}, window=1, planners=[planner])
    attempt = ledger.begin(planner, lease_seconds=60, worker="fetch-1@host:4711")
    assert attempt
    before = BrokerMemory.of(client).used
    tenants = [Scope(type="aws.regions", tenant=f"{n:012}") for n in range(ACCOUNTS)]
    ledger.plan(attempt, [(tenant, False, 0.0) for tenant in tenants], queue=False)
    scopes = list(_scopes(count))
    per_account = -(-count // ACCOUNTS)
    for n, tenant in enumerate(tenants):
        attempt = ledger.begin(tenant, lease_seconds=60, worker="fetch-1@host:4711")
        assert attempt
        own = scopes[n * per_account : (n + 1) * per_account]
        ledger.set_held(scope.id for scope in own)
        ledger.plan(attempt, [(scope, False, 0.0) for scope in own], queue=False)
    planned = BrokerMemory.of(client).used - before
    for scope in scopes:
        attempt = ledger.begin(scope, lease_seconds=60, worker="fetch-1@host:4711")
        assert attempt
        ledger.fetched(attempt, batches=0, outcome={"calls": 1, "gaps": {}})
    ended = BrokerMemory.of(client).used - before
    return planned / count, ended / count


def measure_messages(client: redis.Redis, app: Celery, count: int) -> float:
    """Bytes per message of a chord."""
    publisher = Publisher(app)
    publisher.publish_tenant("1700000000-abcd", list(_scopes(2)))  # connects, which needs memory of its own
    before = BrokerMemory.of(client).used
    publisher.publish_tenant("1700000000-abcd", list(_scopes(count)))
    return (BrokerMemory.of(client).used - before) / count


def _scopes(count: int) -> Iterator[Scope]:
    """Names as long as usual."""
    per_account = -(-count // ACCOUNTS)
    for n in range(count):
        account, number = divmod(n, per_account)
        yield Scope(type=f"aws.ec2.instances{number // 17}", tenant=f"{account:012}", region=f"eu-west-{number % 17}")


@contextmanager
def _redis() -> Iterator[tuple[redis.Redis, Celery]]:
    with tempfile.TemporaryDirectory(prefix="chartfleet-") as directory:
        broker = start_broker(Path(directory))
        transport.use()
        app = Celery("benchmark", set_as_current=False)
        app.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": broker.url}, "benchmark")))
        try:
            with redis.Redis.from_url(broker.url) as client:
                yield client, app
        finally:
            broker.stop()


if __name__ == "__main__":
    sys.exit(main())
