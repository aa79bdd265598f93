"""Which services run in a data directory, and starting and stopping them, from any number of processes at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import platformdirs

from loaders.trusted_file import distrust_directory
from workers.embedded import broker as broker_server
from workers.embedded import graph as graph_server
from workers.embedded import jars
from workers.embedded.errors import Crashed, EmbeddedError
from workers.embedded.flock import exclusive, shared
from workers.embedded.process import (
    ServerProcess,
    free_port,
    is_free,
    stop_all,
    wait_until_ready,
    write_private,
)

if TYPE_CHECKING:
    from pathlib import Path

    from loaders.graph import GraphAddress

BROKER: Final = "broker"
GRAPH: Final = "graph"
_PORT_TRIES: Final = 3

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Running:
    """An entry of services.json: what was started, and where it listens. It may have crashed since.

    The ports are Redis's, or Neo4j's for Bolt and for HTTP. `kept`: started explicitly, so only `stop` stops it.
    """

    process: ServerProcess
    ports: tuple[int, ...]
    version: str
    kept: bool

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def http_port(self) -> int:
        return self.ports[1]

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Running:
        return cls(**{**stored, "process": ServerProcess(**stored["process"]), "ports": tuple(stored["ports"])})


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """A service as `chartfleet services status` shows it; address, pid and version are None unless it is running."""

    name: str
    running: bool
    address: str | None
    pid: int | None
    version: str | None
    password_file: Path
    log_file: Path


@dataclass(frozen=True, kw_only=True)
class Status:
    data_dir: Path
    broker: ServiceStatus
    graph: ServiceStatus
    browser_url: str | None


@dataclass(frozen=True)
class Services:
    """Where the embedded services of a data directory listen. Asking for one that was not started is an error.

    It holds no password: addresses are built when they are asked for.
    """

    data_dir: Path
    running: Mapping[str, Running]

    @property
    def broker_url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`"""
        return broker_server.url(_home(self.data_dir, BROKER), self._of(BROKER).port)

    @property
    def graph(self) -> GraphAddress:
        return graph_server.address(_home(self.data_dir, GRAPH), self._of(GRAPH).port)

    @property
    def browser_url(self) -> str:
        return graph_server.browser_url(self._of(GRAPH).http_port, self._of(GRAPH).port)

    def _of(self, name: str) -> Running:
        try:
            return self.running[name]
        except KeyError:
            raise EmbeddedError(f"The embedded {name} was not started in {self.data_dir}") from None


def default_data_dir() -> Path:
    return platformdirs.user_data_path("chartfleet")


def start(data_dir: Path, *, broker: bool = True, graph: bool = True, say: Say) -> Services:
    """Start what isn't running, wait until it responds, and leave it running until `stop`."""
    return _start(data_dir, _chosen(broker=broker, graph=graph), say, kept=True)


def stop(data_dir: Path) -> None:
    """Stop the services even if they are in use. Their data are kept."""
    _stop(data_dir, lambda _: True)


@contextmanager
def using(data_dir: Path, say: Say, *, broker: bool = True, graph: bool = True) -> Iterator[Services]:
    """Services for a block. Unless `start` keeps them, they stop when the last user, in any process, leaves."""
    _prepare(data_dir)
    with shared(data_dir / ".users.lock") as users:
        try:
            yield _start(data_dir, _chosen(broker=broker, graph=graph), say, kept=False)
        finally:
            if users.alone():  # from here on nobody else can enter until the block ends
                _stop(data_dir, lambda service: not service.kept)


def status(data_dir: Path) -> Status:
    """What is running now; a service that was killed counts as stopped."""
    alive = {name: service for name, service in _read(data_dir).items() if service.process.alive}

    def of(name: str, scheme: str, password_file: Path) -> ServiceStatus:
        service = alive.get(name)
        return ServiceStatus(
            name=name,
            running=service is not None,
            address=f"{scheme}://127.0.0.1:{service.port}" if service else None,
            pid=service.process.pid if service else None,
            version=service.version if service else None,
            password_file=password_file,
            log_file=_log(data_dir, name),
        )

    return Status(
        data_dir=data_dir,
        broker=of(BROKER, "redis", broker_server.password_file(_home(data_dir, BROKER))),
        graph=of(GRAPH, "bolt", graph_server.password_file(_home(data_dir, GRAPH))),
        browser_url=graph_server.browser_url(alive[GRAPH].http_port, alive[GRAPH].port) if GRAPH in alive else None,
    )


def _start(data_dir: Path, names: Sequence[str], say: Say, *, kept: bool) -> Services:
    _prepare(data_dir)
    with exclusive(data_dir / ".start.lock"):
        running = _read(data_dir)
        launched: list[str] = []

        def launch(name: str) -> None:
            running[name] = _launch(data_dir, name, running.get(name), say, kept=kept)
            launched.append(name)
            _write(data_dir, running)  # now: if this process is killed, the next start must find the service

        try:
            for name in names:  # the broker starts up while the graph's jars are fetched
                service = running.get(name)
                if service and service.process.alive:
                    running[name] = replace(service, kept=service.kept or kept)
                    _write(data_dir, running)
                else:
                    launch(name)
            for name in names:
                for tries_left in reversed(range(_PORT_TRIES)):
                    try:
                        _wait(data_dir, name, running[name])
                        break
                    except Crashed:
                        # Retry if it was about to exit when it was found, or if another server took its port first.
                        if not tries_left or (name in launched and all(map(is_free, running[name].ports))):
                            raise
                        launch(name)
                if name in launched:
                    say(_greeting(data_dir, name, running[name]))
        except BaseException:
            stop_all([running[name].process for name in launched])
            raise
    return Services(data_dir, {name: running[name] for name in names})


def _stop(data_dir: Path, chosen: Callable[[Running], bool]) -> None:
    if data_dir.exists():
        with exclusive(data_dir / ".start.lock"):
            stop_all([service.process for service in _read(data_dir).values() if chosen(service)])


def _launch(data_dir: Path, name: str, before: Running | None, say: Say, *, kept: bool) -> Running:
    """Start a service, if possible on its previous ports: bookmarks and scripts keep working."""
    home, log = _home(data_dir, name), _log(data_dir, name)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    had = before.ports if before else ()
    if name == BROKER:
        redis = broker_server.launch(home, free_port(*had, broker_server.PREFERRED_PORT), log)
        return Running(process=redis.process, ports=(redis.port,), version=redis.version, kept=kept)
    port = free_port(*had[:1], graph_server.PREFERRED_BOLT_PORT)
    http_port = free_port(*had[1:], graph_server.PREFERRED_HTTP_PORT)
    process = graph_server.launch(home, port, http_port, log, say)
    return Running(process=process, ports=(port, http_port), version=jars.VERSION, kept=kept)


def _wait(data_dir: Path, name: str, service: Running) -> None:
    services = Services(data_dir, {name: service})

    def responds() -> bool:
        if name == BROKER:
            return broker_server.responds(services.broker_url)
        return graph_server.responds(services.graph)

    wait_until_ready(name, service.process, service.ports, responds, _log(data_dir, name))


def _greeting(data_dir: Path, name: str, service: Running) -> str:
    if name == BROKER:
        return f"The embedded broker is listening on 127.0.0.1:{service.port} (Redis {service.version})"
    return f"The embedded graph is listening on 127.0.0.1:{service.port} (Neo4j {service.version})"


def _prepare(data_dir: Path) -> None:
    missing = [package for package in ("jgo", "psutil") if find_spec(package) is None]
    if missing:
        raise EmbeddedError(
            f"Embedded services need {' and '.join(missing)}: pip install 'chartfleet[embedded]', "
            "or name a graph and a broker with --neo4j-uri and --broker-url"
        )
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if problem := distrust_directory(data_dir):
        raise EmbeddedError(f"The data directory {data_dir}: {problem}")


def _chosen(*, broker: bool, graph: bool) -> list[str]:
    return [name for name, wanted in ((BROKER, broker), (GRAPH, graph)) if wanted]


def _home(data_dir: Path, name: str) -> Path:
    return data_dir / name


def _log(data_dir: Path, name: str) -> Path:
    return data_dir / "logs" / f"{name}.log"


def _read(data_dir: Path) -> dict[str, Running]:
    try:
        stored = json.loads((data_dir / "services.json").read_text())
    except FileNotFoundError:
        return {}
    return {name: Running.from_json(service) for name, service in stored.items()}


def _write(data_dir: Path, running: Mapping[str, Running]) -> None:
    stored = {name: asdict(service) for name, service in running.items()}
    write_private(data_dir / "services.json", json.dumps(stored, indent=2) + "\n")
