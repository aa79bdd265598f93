"""No secret leaves the process that needs it: not into Redis, a message, a log, the graph, or a report."""

from __future__ import annotations

import base64
import json
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from demo.inventory import ACCOUNT
from loaders.ledger.signing import SIGNATURE_BYTES
from tests.fleet.command import FLEET_KEY
from tests.fleet.running import AWS_KEYS, Fleet, info_of, wait_for
from tests.servers.aws import AwsServer, Effect, Fault
from workers.embedded import Services
from workers.embedded.broker import Broker

MASTER_PASSWORD = "not-a-real-password"  # of the estate's databases
FAILURES = (
    Fault(Effect.DENY, service="ec2", action="DescribeSubnets", region="eu-west-1"),
    Fault(Effect.NOT_ENABLED, service="elb", region="eu-west-1"),
    Fault(Effect.EXPIRED, service="rds", region="us-east-1"),
    Fault(Effect.MALFORMED, service="ec2", action="DescribeVpcs", region="us-east-1", lacks="vpcId"),
    Fault(Effect.KILL_CLIENT, service="rds", region="eu-west-1", times=1),
)
BODY = re.compile(rb'"body": "([A-Za-z0-9+/=]+)"')
END = "that-is-all"
EVERYTHING = (
    "MATCH (n) RETURN properties(n) AS properties UNION ALL MATCH ()-[e]->() RETURN properties(e) AS properties"
)


@pytest.fixture
def secrets(services: Services, fleet_broker: Broker) -> dict[str, str]:
    broker = urlsplit(fleet_broker.url).password
    assert services.graph.password
    assert broker
    secrets = {"the graph's password": services.graph.password, "the broker's password": broker}
    secrets |= {"the fleet's key": FLEET_KEY}
    secrets |= {name: AWS_KEYS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    return secrets | {"a database's password": MASTER_PASSWORD}


@pytest.mark.parametrize("faults", [(), FAILURES], ids=["undisturbed", "with failures"])
def test_no_secret_is_anywhere(
    fleet: Fleet,
    services: Services,
    fleet_broker: Broker,
    aws: AwsServer,
    secrets: dict[str, str],
    faults: tuple[Fault, ...],
) -> None:
    aws.add(*faults)
    with heard(fleet.redis) as commands:
        with fleet.frozen("loader"):
            ledger = fleet.start()
            wait_for(lambda: info_of(ledger).waiting > 20)
            during = list(held(fleet.redis))
        report = fleet.finish(ledger)
        responses = [
            fleet.app.control.broadcast(ask, reply=True, limit=4) for ask in ("conf", "stats", "active_queues")
        ]
    assert bool(report.not_seen) is bool(faults)
    places = {
        "the commands to Redis": commands,
        "Redis during the run": during,
        "Redis after the run": list(held(fleet.redis)),
        "the graph": [str(row) for row in fleet.graph.rows(EVERYTHING)],
        "the report": [json.dumps(asdict(report))],
        "the workers' logs": [path.read_text() for path in fleet.workers.log_dir.glob("*.log")],
        "the services' logs": [path.read_text() for path in (services.data_dir / "logs").glob("*.log")],
        "the broker's log": [path.read_text() for path in fleet_broker.directory.glob("*.log")],
        "the workers' responses to Flower": [str(response) for response in responses],
        "the workers' command lines": [" ".join(process.cmdline()) for process in fleet.processes()],
    }
    for place, texts in places.items():
        assert texts, place
        for name, secret in secrets.items():
            assert not [text for text in texts if secret in text], f"{name} in {place}"


def test_the_search_finds_what_is_there(fleet: Fleet) -> None:
    """In messages and batches, which are compressed: a bucket's name, and the scope in a message's arguments."""
    with heard(fleet.redis) as commands, fleet.frozen("loader"):
        ledger = fleet.start()
        wait_for(lambda: info_of(ledger).waiting > 20)
        arguments = [text for text in commands if text.startswith(f'[["{ledger.run}"')]
        assert any(f"aws.ec2.vpcs/{ACCOUNT}/us-east-1" in text for text in arguments)
        wait_for(lambda: any(f"demo-website-{ACCOUNT}" in text for text in held(fleet.redis)))
    fleet.finish(ledger)


def held(client: redis.Redis) -> Iterator[str]:
    """Every key and value of every type, those that are packed unpacked as well."""
    read: dict[bytes, Callable[[bytes], Any]] = {
        b"string": lambda key: [client.get(key)],
        b"hash": lambda key: [part for item in client.hgetall(key).items() for part in item],
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in client.scan_iter(count=1000):
        yield key.decode("latin-1")
        kind: Any = client.type(key)
        for value in [] if kind == b"none" else read[kind](key):  # none: it has expired
            yield from unpacked(value or b"")


def unpacked(value: bytes) -> Iterator[str]:
    yield value.decode("latin-1")
    for packed in (value, value[SIGNATURE_BYTES:]):
        with suppress(zlib.error):
            yield zlib.decompress(packed).decode("latin-1")
    for body in BODY.findall(value):
        with suppress(zlib.error, ValueError):
            yield zlib.decompress(base64.b64decode(body)).decode("latin-1")


@contextmanager
def heard(client: redis.Redis) -> Iterator[list[str]]:
    """Every command that Redis gets during the block, as MONITOR has it, with the bodies of messages unpacked."""
    commands: list[str] = []
    with client.monitor() as monitor:  # type: ignore[no-untyped-call]

        def listen() -> None:
            for command in monitor.listen():
                commands.extend(unpacked(command["command"].encode()))
                if END in command["command"]:
                    return

        listener = threading.Thread(target=listen)
        listener.start()
        yield commands
        client.echo(END)
        listener.join(30)
