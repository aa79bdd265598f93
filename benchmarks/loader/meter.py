"""What a piece of work takes: by the clock, and in CPU time, which other programs on the machine change less."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import psutil

from benchmarks.peer.usage import cpu_seconds
from workers import embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds: of the clock, of the CPU time of this process alone, and of that with Neo4j and Redis."""

    clock: float
    own_cpu: float
    cpu: float

    def __truediv__(self, count: float) -> Spent:
        return Spent(clock=self.clock / count, own_cpu=self.own_cpu / count, cpu=self.cpu / count)


class Meter:
    def __init__(self, services: embedded.Services) -> None:
        status = embedded.status(services.data_dir)
        self._own: Final = psutil.Process()
        self._services: Final = [psutil.Process(service.pid) for service in (status.graph, status.broker)]

    def measure(self, work: Callable[[], object]) -> Spent:
        clock, own, others = time.perf_counter(), cpu_seconds(self._own), self._cpu_of_services()
        work()
        own_cpu = cpu_seconds(self._own) - own
        return Spent(clock=time.perf_counter() - clock, own_cpu=own_cpu, cpu=own_cpu + self._cpu_of_services() - others)

    def _cpu_of_services(self) -> float:
        return sum(map(cpu_seconds, self._services))


def middle(turns: Sequence[Spent]) -> Spent:
    """By the clock, that of the middle turn: one that another program disturbed doesn't count. In CPU time, the mean,
    since a turn has few ticks of it.
    """
    count = len(turns)
    return Spent(
        clock=median(turn.clock for turn in turns),
        own_cpu=sum(turn.own_cpu for turn in turns) / count,
        cpu=sum(turn.cpu for turn in turns) / count,
    )
