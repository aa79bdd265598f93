"""Is the whole fleet ready for a run? Judged by the responses of all workers."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from celery import Celery

from workers.fleet import queues
from workers.fleet.inspect import Readiness, ask_readiness, registered
from workers.fleet.readiness import NotReady
from workers.settings import configured
from workers.settings.fleet_key import VARIABLE, fleet_key
from workers.settings.settings import RunConfig


@dataclass(frozen=True, slots=True)
class FleetReadiness:
    """The responses of all workers.

    workers  by name
    here     modules that aren't configured as this process sees it
    shared   names that several workers have, and how many
    foreign  workers with another fleet key than this process's
    silent   workers that the broker knows and that didn't respond: busy, or gone
    """

    workers: Mapping[str, Readiness]
    here: Mapping[str, str]
    shared: Mapping[str, int] = field(default_factory=dict)
    foreign: Sequence[str] = ()
    silent: Collection[str] = ()

    @property
    def notes(self) -> Iterator[str]:
        """What the user should know, although it doesn't stop a run."""
        for name, count in self.shared.items():
            yield (
                f"{count} workers are named {name}: give each a --hostname of its own, or none; "
                "`chartfleet health worker` and Flower can't tell them apart"
            )

    def lacks(self, modules: Iterable[str]) -> list[str]:
        """The queues that no worker serves."""
        served = {queue for worker in self.workers.values() for queue in worker["queues"]}
        return [
            queue for queue in queues.needed(name for name in modules if name not in self.off) if queue not in served
        ]

    @property
    def off(self) -> dict[str, str]:
        """The modules that no worker that serves them has configured, and why; as seen here if none serves it."""
        reasons = dict(self.here)
        for worker in self.workers.values():
            reasons |= worker["off"]
        return {name: why for name, why in reasons.items() if not self._on(name)}

    @property
    def disagreements(self) -> Iterator[str]:
        """A line for each worker for which a module isn't configured although it is for others."""
        for name, worker in self.workers.items():
            yield from (f"worker {name}: {why}" for module, why in worker["off"].items() if self._on(module))

    def _on(self, module: str) -> bool:
        return any(
            module not in worker["off"] and queues.reaches(module, worker["queues"]) for worker in self.workers.values()
        )


def ask_fleet(app: Celery, config: RunConfig, *, seconds: float) -> FleetReadiness:
    """The responses of all workers that arrive within the time."""
    nonce = secrets.token_hex(16)
    counts, workers = Counter[str](), dict[str, Readiness]()
    for name, readiness in ask_readiness(app, config, seconds=seconds, nonce=nonce):
        counts[name] += 1
        workers[name if counts[name] == 1 else f"{name} ({counts[name]})"] = readiness
    served = {queue for worker in workers.values() for queue in worker["queues"]}
    unserved = [name for name in config["modules"] if not queues.reaches(name, served)]
    shared = {name: count for name, count in counts.items() if count > 1}
    own = fleet_key().fingerprint(nonce)
    foreign = [name for name, worker in workers.items() if worker.get("key") != own]
    off = configured.check(unserved, config["options"]).off
    return FleetReadiness(workers, off, shared, foreign, silent=registered(app) - counts.keys())


def check_fleet(fleet: FleetReadiness, modules: Iterable[str], database: str, *, selected: bool) -> None:
    """Every queue is served, no worker lacks anything, and all loaders write to this graph. Raises NotReady.

    `selected`: the modules were asked for by name, so that each must be configured.
    """
    modules = tuple(modules)
    for name in fleet.foreign:
        raise NotReady(
            f"worker {name} has another {VARIABLE}: it would refuse this run; set the same in the environment of "
            "every process of the fleet, and restart it"
        )
    if problem := configured.problem(modules, fleet.off, selected=selected):
        raise NotReady(problem)
    for line in fleet.disagreements:
        raise NotReady(line)
    if lacking := fleet.lacks(modules):
        raise NotReady(f"no worker serves {', '.join(lacking)}: start {_way_out(lacking)}")
    for name, worker in fleet.workers.items():
        for line in worker["missing"]:
            raise NotReady(f"worker {name}: {line}")
        if worker["database"] not in (None, database):
            way_out = "set its CHARTFLEET_NEO4J_URI, or --neo4j-uri"
            raise NotReady(f"worker {name} writes to a different graph: {way_out}")


def _way_out(lacking: list[str]) -> str:
    others = [f"`chartfleet worker --queues {queues.COORDINATOR},{queues.FETCH}`"]
    writer = [f"one with `chartfleet worker --queues {queues.LOADER}`"]
    return " and ".join(
        (others if set(lacking) - {queues.LOADER} else []) + (writer if queues.LOADER in lacking else [])
    )
