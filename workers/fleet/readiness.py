"""Whether the workers are ready for a run: checked before any task is enqueued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from celery.worker.control import inspect_command
from neo4j.exceptions import DriverError, Neo4jError

from workers.fleet.checks import NotReady, check_redis, first_line
from workers.fleet.process import Process, process
from workers.settings import configured
from workers.settings.settings import SettingError, masked


def check_worker(own: Process) -> None:
    """A worker refuses to start on a Redis that would lose its work."""
    if own.settings.broker is None:
        raise SystemExit("chartfleet: a worker needs the fleet's Redis: set CHARTFLEET_BROKER_URL")
    try:
        check_redis(own.redis, own.settings.broker)
    except NotReady as error:
        raise SystemExit(f"chartfleet: {error}") from None


@inspect_command(name="chartfleet_readiness", args=[("modules", list), ("options", dict)])
def readiness(state: Any, modules: Iterable[str] = (), options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What this worker serves, which database it writes to, and what it lacks for a run with these options."""
    own = process()
    served = sorted(q.name for q in state.consumer.task_consumer.queues)
    here = [name for name in modules if f"fetch.{name}" in served or "coordinator" in served]
    found = configured.look(here, options or {})
    missing = found.lacks
    database = None
    if "loader" in served:
        try:
            database = own.writer.database_id()
        except (DriverError, Neo4jError) as error:
            missing.append(f"the graph {masked(own.settings.neo4j_uri)} isn't responding: {first_line(error)}")
        except SettingError as error:
            missing.append(str(error))
    return {"queues": served, "database": database, "missing": missing, "off": found.off}


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the workers answered: name -> readiness.

    here    modules that aren't configured as this process sees it
    shared  names that several workers have, and how many
    """

    workers: Mapping[str, Mapping[str, Any]]
    here: Mapping[str, str]
    shared: Mapping[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> Iterator[str]:
        """What doesn't stop a run, and should be known."""
        for name, count in self.shared.items():
            yield (
                f"{count} workers are named {name}: give each a --hostname of its own, or none; "
                "`chartfleet health worker` and Flower can't tell them apart"
            )

    def lacks(self, modules: Iterable[str]) -> list[str]:
        """The queues that no worker serves."""
        served = {queue for response in self.workers.values() for queue in response["queues"]}
        needed = [f"fetch.{name}" for name in modules if name not in self.off]
        return [queue for queue in ("coordinator", "loader", *needed) if queue not in served]

    @property
    def off(self) -> dict[str, str]:
        """Why a module isn't configured, where it is for no worker that serves it; where none does, as it is here."""
        told = dict(self.here)
        for response in self.workers.values():
            told |= response["off"]
        return {name: why for name, why in told.items() if not self._on(name)}

    @property
    def apart(self) -> Iterator[str]:
        """A line for each worker for which a module isn't configured that is so for others."""
        for worker, response in self.workers.items():
            yield from (f"worker {worker}: {why}" for name, why in response["off"].items() if self._on(name))

    def _on(self, module: str) -> bool:
        return any(
            module not in response["off"] and {"coordinator", f"fetch.{module}"} & set(response["queues"])
            for response in self.workers.values()
        )


def ask_fleet(app: Celery, modules: Iterable[str], options: Mapping[str, Any], *, seconds: float) -> Fleet:
    """Every worker's response that comes within the time."""
    modules = list(modules)
    arguments = {"modules": modules, "options": dict(options)}
    responses = app.control.broadcast("chartfleet_readiness", arguments=arguments, reply=True, timeout=seconds) or []
    named = [(name, response) for reply in responses for name, response in reply.items() if "queues" in response]
    counts, workers = Counter[str](), dict[str, Mapping[str, Any]]()
    for name, response in named:
        counts[name] += 1
        workers[name if counts[name] == 1 else f"{name} ({counts[name]})"] = response
    served = {queue for response in workers.values() for queue in response["queues"]}
    unserved = [] if "coordinator" in served else [name for name in modules if f"fetch.{name}" not in served]
    shared = {name: count for name, count in counts.items() if count > 1}
    return Fleet(workers, configured.look(unserved, options).off, shared)


def check_fleet(fleet: Fleet, modules: Iterable[str], database: str, *, selected: bool) -> None:
    """Every queue is served, nobody lacks anything, and all loaders write to this graph. Raises NotReady.

    `selected`: the modules were asked for by name, so that each must be configured.
    """
    modules = tuple(modules)
    if told := configured.problem(modules, fleet.off, selected=selected):
        raise NotReady(told)
    for line in fleet.apart:
        raise NotReady(line)
    lacking = fleet.lacks(modules)
    if lacking:
        others = ["`chartfleet worker --queues coordinator,fetch`"] if set(lacking) - {"loader"} else []
        writer = ["one with `chartfleet worker --queues loader`"] if "loader" in lacking else []
        raise NotReady(f"no worker serves {', '.join(lacking)}: start {' and '.join(others + writer)}")
    for name, response in fleet.workers.items():
        for line in response["missing"]:
            raise NotReady(f"worker {name}: {line}")
        if response["database"] not in (None, database):
            way_out = "set its CHARTFLEET_NEO4J_URI, or --neo4j-uri"
            raise NotReady(f"worker {name} writes to another graph than this one: {way_out}")
