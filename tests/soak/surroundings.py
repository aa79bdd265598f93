"""What all runs of the harness share: Redis, Neo4j, the providers, the proxies before them, and the fleet."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import redis

from loaders.graph import Graph
from tests.fleet import short_lived_graph
from tests.fleet.command import clean_environment
from tests.fleet.running import Fleet, running_fleet, wait_for
from tests.servers.aws import AwsServer
from tests.servers.company import Company, flags, variables
from tests.servers.tcp_proxy import TcpProxy
from tests.soak.estate import AWS_REGIONS, AWS_TYPES, MODULES, Estate
from tests.soak.proxy import FaultProxy
from tests.soak.redis_door import RedisDoor
from tests.soak.refusals import aws_name, aws_refusal, company_name, company_refusal
from workers import embedded
from workers.embedded.broker import Broker, start_broker
from workers.embedded.graph import own_settings
from workers.embedded.process import write_private
from workers.embedded.services import GRAPH

# Short, so that what waits for a lease or a time-out waits seconds; not so short that a busy machine loses a lease.
SETTINGS: Final[Mapping[str, Any]] = {
    "lease_seconds": 5.0,
    "sweep_seconds": 0.5,
    "redelivery_grace_seconds": 3.0,
    "writer_lease_seconds": 4.0,
    "transaction_seconds": 60.0,
    "run_lease_seconds": 10.0,
    "hard_time_limit_seconds": 150,
    "visibility_timeout_seconds": 180,
    "rows_per_batch": 4,
    "concurrency": 8,
    "fetch_processes": 2,
    "admission_window": 2,
    "runs_kept": 5,
    "deletion_brake_rows": 1_000_000,  # none: it would keep what a broken promise deletes
    "aws_regions": AWS_REGIONS,
    "aws_requested_syncs": AWS_TYPES,
    "selected_modules": MODULES,
}
CALL_SECONDS: Final = 0.05  # of each call to a provider


@dataclass
class Surroundings:
    directory: Path
    services: embedded.Services
    broker: Broker
    redis_door: RedisDoor
    graph_door: TcpProxy
    proxies: tuple[FaultProxy, ...]
    estate: Estate
    fleet: Fleet
    redis: redis.Redis  # not through the door

    @property
    def graph(self) -> Graph:
        """Not through the door."""
        return self.fleet.graph

    def restart_broker(self, *, lost_bytes_since: Mapping[Path, int] | None = None) -> None:
        """SIGKILL, and start again. `lost_bytes_since`: sizes of the append-only files to which they fall back."""
        self.broker.process.send(signal.SIGKILL)
        wait_for(lambda: not self.broker.process.alive)
        for file, size in (lost_bytes_since or {}).items():
            with suppress(FileNotFoundError):
                os.truncate(file, min(size, file.stat().st_size))
        self.broker = start_broker(self.broker.directory, self.broker.port)

    def append_only_sizes(self) -> dict[Path, int]:
        return {file: file.stat().st_size for file in self.broker.directory.rglob("*.aof")}

    def restart_graph(self) -> None:
        """SIGKILL, and start again, with its files."""
        self.services.running[GRAPH].process.send(signal.SIGKILL)
        wait_for(lambda: not self.services.running[GRAPH].process.alive)
        self.services = embedded.start(self.services.data_dir, broker=False, say=lambda _: None)
        self.graph_door.redirect(*_place(self.services.graph.uri))

    def wait_for_services(self) -> None:
        """Until both respond again."""
        wait_for(lambda: _pings(self.redis), seconds=60)


@contextmanager
def surroundings(
    directory: Path, *, breakage: str = "", services: embedded.Services | None = None
) -> Iterator[Surroundings]:
    """Everything, started once.

    breakage  a promise that the workers break: a name of `tests.soak.broken`
    services  with a graph that runs already, and goes on running
    """
    before = dict(os.environ)
    with ExitStack() as stack:
        stack.callback(_restore, before)
        _set_environment(directory, breakage)
        services = services or _services(directory / "services", stack)
        broker = start_broker(directory / "broker")
        aws = stack.enter_context(AwsServer())
        company = stack.enter_context(Company())
        proxies = (
            stack.enter_context(FaultProxy(aws.url, aws_name, aws_refusal, delay_seconds=CALL_SECONDS)),
            stack.enter_context(FaultProxy(company.url, company_name, company_refusal, delay_seconds=CALL_SECONDS)),
        )
        redis_door = stack.enter_context(RedisDoor("127.0.0.1", broker.port))
        graph_door = stack.enter_context(TcpProxy(*_place(services.graph.uri)))
        os.environ.update(variables(proxies[1].url, directory))
        settings = {
            **SETTINGS,
            **_options(flags(proxies[1].url)),
            "neo4j_uri": f"bolt://127.0.0.1:{graph_door.port}",
        }
        broker_url = broker.url.replace(f":{broker.port}/", f":{redis_door.port}/")
        estate = Estate(aws, company)
        fleet = stack.enter_context(
            running_fleet(services.graph, broker_url, directory / "logs", proxies[0].url, **settings)
        )
        client = stack.enter_context(redis.Redis.from_url(broker.url))
        found = Surroundings(directory, services, broker, redis_door, graph_door, proxies, estate, fleet, client)
        stack.callback(lambda: found.broker.stop())
        yield found


def _services(directory: Path, stack: ExitStack) -> embedded.Services:
    (directory / "graph" / "conf").mkdir(mode=0o700, parents=True)
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    write_private(own_settings(directory / "graph"), short_lived_graph.SETTINGS)
    stack.callback(embedded.stop, directory)
    return embedded.start(directory, broker=False, say=lambda _: None)


def _set_environment(directory: Path, breakage: str) -> None:
    kept = clean_environment()
    os.environ.clear()
    os.environ.update(kept, JDK_JAVA_OPTIONS=short_lived_graph.JAVA_OPTIONS, TMPDIR=str(directory))
    if breakage:
        os.environ.update(SOAK_BREAKAGE=breakage, PYTHONPATH=os.pathsep.join(_import_path()))


def _import_path() -> list[str]:
    """Python imports `sitecustomize` from the first of these when it starts."""
    here = Path(__file__).parent
    return [str(here / "breakage"), str(here.parents[1])]


def _restore(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _options(arguments: list[str]) -> dict[str, Any]:
    """Those flags, as the values of settings, of the providers that are synced."""
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    values = {flag.removeprefix("--").replace("-", "_"): value for flag, value in pairs}
    return {name: value for name, value in values.items() if name.partition("_")[0] in MODULES}


def _place(uri: str) -> tuple[str, int]:
    address = urlsplit(uri)
    assert address.hostname
    assert address.port
    return address.hostname, address.port


def _pings(client: redis.Redis) -> bool:
    with suppress(redis.RedisError):
        return bool(client.ping())
    time.sleep(0.1)
    return False
