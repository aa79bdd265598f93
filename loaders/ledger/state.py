"""What the ledger says of a run, of its scopes and of their attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypedDict

from loaders.reason import NO_REASON, Reason
from loaders.scope import Scope


class State(StrEnum):
    """The state of a scope, or of a part of one."""

    PLANNED = "planned"
    FETCHING = "fetching"
    FETCHED = "fetched"  # complete; batches or the cleanup may be outstanding
    CLEANED = "cleaned"  # complete and loaded, and what it no longer holds is deleted
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"
    HELD_BACK = "held back"  # complete and loaded, but it lists so much less than before that nothing was deleted yet


class RunState(StrEnum):
    RUNNING = "running"
    ANALYSING = "analysing"  # the barrier is open
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY: Final = (RunState.RUNNING, RunState.ANALYSING)


class Event(StrEnum):
    """What a transition asks its caller to publish."""

    LOAD = "load"
    ADMIT = "admit"
    BARRIER = "barrier"


class Fenced(Exception):
    """The attempt no longer holds its scope: another took over, or the run was cancelled. It must stop writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A numbered attempt at a scope or part. Number and token together are its fencing token.

    suspect  a process ended with an earlier attempt and perhaps others in it: this one needs a process to itself
    """

    scope: Scope
    number: int
    token: str
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Batches of one model that wait for the writer, oldest first.

    tries  how often they were taken, this time included; a batch that was taken before is taken alone
    """

    model: str
    tries: int
    batches: tuple[tuple[str, bytes], ...]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.batches]


class Outcome(TypedDict, total=False):
    """What an attempt reported when it ended; `gaps` as text, including those of the scope's parts.

    whole, owner, notes, principals   of planning units; see `Planning.plan`
    """

    calls: int
    gaps: list[str]
    whole: bool
    owner: str
    notes: list[str]
    principals: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A scope or part in its present state.

    suspect  a lease of it ran out: since then it is only tried in a process that it has to itself
    """

    scope: Scope
    state: State
    reason: str
    attempt: int
    crashes: int
    rows: int
    seconds: float | None
    worker: str
    parent: bool
    held: bool
    outcome: Outcome = field(default_factory=Outcome)
    why: Reason = NO_REASON  # `reason`, as fields
    gaps: tuple[Reason, ...] = ()  # `outcome["gaps"]`, as fields
    suspect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """The head of a run. Times are epoch milliseconds, 0 for what has not happened yet."""

    id: str
    tag: int
    state: RunState
    reason: str
    blocked_by: str  # what the writer waits for; empty while it makes progress
    planned: int
    open: int
    waiting: int
    waiting_bytes: int
    counts: dict[str, int]
    created_ms: int
    settled_ms: int
    committed_ms: int
    barrier_ms: int
    finished_ms: int
    swept_ms: int  # the run's heartbeat: a sweeper looks after it
    round: int
    config: dict[str, Any]
    report: dict[str, Any]
    step: str = ""  # of the analysis, while it runs
    analyses: int = 0  # how often an analysis of this run was begun
