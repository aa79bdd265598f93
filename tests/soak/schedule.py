"""What happens to a run, and when: drawn from the seed and the number of the run, and from nothing else."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tests.fleet.running import COORDINATOR, FETCH, LOADER

LAST_SECOND: Final = 12.0  # after the start of a run at which a fault may begin
HTTP_SHARE: Final = (0.1, 0.6)  # of the calls' names that a fault of HTTP concerns


class Kind(StrEnum):
    """A kind of fault. The values are what is printed."""

    # processes
    KILL = "SIGKILL to a worker"
    KILL_CHILD = "SIGKILL to the process for suspects, or the worker"
    TERMINATE = "SIGTERM, then SIGKILL"
    STOP = "SIGSTOP for longer than the lease"
    SECOND_LOADER = "a second loader"
    SECOND_COORDINATOR = "a second coordinator"
    BEAT = "beat asks for runs"
    # the run
    CANCEL = "cancel"
    RESUME = "cancel, then resume"
    # Redis
    REDIS_RESTART = "Redis restarts"
    REDIS_ROLLBACK = "Redis restarts without its last second"
    REDIS_FLUSHED = "FLUSHALL"
    REDIS_FULL = "Redis is out of memory"
    REDIS_REPLIES = "replies of Redis are lost"
    # Neo4j
    GRAPH_AWAY = "Neo4j is unreachable"
    GRAPH_RESTART = "Neo4j restarts"
    # the providers' APIs
    LATENCY = "slow responses"
    THROTTLING = "throttling"
    SERVER_ERROR = "HTTP 5xx"
    CUT = "connections cut"
    HANG = "calls hang"
    SLOW_BYTES = "slow bytes"
    TRUNCATED = "truncated responses"
    MALFORMED = "malformed responses"
    OTHER_OBJECT = "another object's response"
    EXPIRED = "expired credentials"
    DENIED = "AccessDenied"


HTTP: Final = frozenset(
    {
        Kind.LATENCY,
        Kind.THROTTLING,
        Kind.SERVER_ERROR,
        Kind.CUT,
        Kind.HANG,
        Kind.SLOW_BYTES,
        Kind.TRUNCATED,
        Kind.MALFORMED,
        Kind.OTHER_OBJECT,
        Kind.EXPIRED,
        Kind.DENIED,
    }
)
# After one of these a scope may have lost attempts through no fault of its own process.
COSTS_ATTEMPTS: Final = frozenset(
    {Kind.KILL, Kind.KILL_CHILD, Kind.TERMINATE, Kind.STOP, Kind.REDIS_FULL, Kind.REDIS_ROLLBACK, Kind.REDIS_FLUSHED}
)
# One of these is enough for a run, and the run has nothing left to lose.
ENDS_RUN: Final = frozenset({Kind.CANCEL, Kind.RESUME, Kind.REDIS_FLUSHED})


@dataclass(frozen=True, slots=True)
class Fault:
    """`at`: seconds after the start of the run; `seconds`: how long it lasts.

    target  the worker that it hits
    share   of the names of calls that it concerns; `salt` decides which
    """

    kind: Kind
    at: float
    seconds: float = 0.0
    target: str = ""
    share: float = 0.0
    salt: int = 0

    def __str__(self) -> str:
        parts = [f"at {self.at:.1f} s: {self.kind}"]
        parts += [f"of {self.target}"] if self.target else []
        parts += [f"on {self.share:.0%} of the calls"] if self.share else []
        parts += [f"for {self.seconds:.0f} s"] if self.seconds else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`before`, `estate`: variants of the estate, that of the run before and that of this run.

    by_message  the run is started by a message to the coordinator, as beat does, rather than as `sync` does
    """

    seed: str
    number: int
    before: int
    estate: int
    by_message: bool
    faults: tuple[Fault, ...] = field(default=())

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(fault.kind for fault in self.faults)


def draw(seed: str, number: int, *, variants: int, without: Collection[Kind] = ()) -> Schedule:
    """The schedule of one run. Every kind comes about equally often, as if dealt from a deck.

    `without` these kinds, the others stay as they are.
    """
    rng = random.Random(f"{seed}:{number}")
    kinds = _dealt(seed, number)
    if len(ENDS_RUN & set(kinds)) > 1:
        kinds = [kind for kind in kinds if kind not in ENDS_RUN] + [next(kind for kind in kinds if kind in ENDS_RUN)]
    before, estate = (random.Random(f"{seed}:estate:{n}").randrange(variants) for n in (number - 1, number))
    drawn = [_fault(kind, rng) for kind in kinds]
    faults = sorted((fault for fault in drawn if fault.kind not in without), key=lambda fault: fault.at)
    by_message = Kind.BEAT not in kinds and rng.random() < 0.3
    return Schedule(seed, number, before, estate, by_message, tuple(faults))


def _dealt(seed: str, number: int) -> list[Kind]:
    """Two to four kinds: what is on top of the deck when it is this run's turn."""
    deck: list[Kind] = []
    rounds = start = 0
    for run in range(number + 1):
        wanted = random.Random(f"{seed}:size:{run}").choice((2, 3, 3, 4))
        while len(deck) < start + wanted:
            deck += _shuffled(f"{seed}:deck:{rounds}")
            rounds += 1
        if run == number:
            return list(dict.fromkeys(deck[start : start + wanted]))
        start += wanted
    return []


def _shuffled(seed: str) -> list[Kind]:
    kinds = list(Kind)
    random.Random(seed).shuffle(kinds)
    return kinds


def _fault(kind: Kind, rng: random.Random) -> Fault:
    at, salt = round(rng.uniform(0.0, LAST_SECOND), 1), rng.randrange(1 << 30)
    worker = rng.choice((COORDINATOR, f"{FETCH}-1", f"{FETCH}-2", LOADER, LOADER))
    seconds = round(rng.uniform(4.0, 10.0), 1)
    if kind in HTTP:
        share = round(rng.uniform(*HTTP_SHARE), 2)
        if kind in (Kind.DENIED, Kind.MALFORMED, Kind.OTHER_OBJECT):
            return Fault(kind, at=0.0, seconds=3600.0, share=share / 2, salt=salt)
        return Fault(kind, at=at / 3, seconds=seconds, share=share, salt=salt)
    match kind:
        case Kind.KILL | Kind.TERMINATE:
            return Fault(kind, at, target=worker, salt=salt)
        case Kind.KILL_CHILD:
            return Fault(kind, at, target=worker, salt=salt)
        case Kind.STOP:
            return Fault(kind, at, seconds=seconds, target=worker, salt=salt)
        case Kind.SECOND_LOADER | Kind.SECOND_COORDINATOR | Kind.BEAT:
            return Fault(kind, at=0.0)
        case Kind.GRAPH_AWAY | Kind.REDIS_FULL | Kind.REDIS_REPLIES:
            return Fault(kind, at, seconds=seconds + 4, salt=salt)
        case _:
            return Fault(kind, at, salt=salt)
