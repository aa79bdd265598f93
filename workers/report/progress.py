"""How far a run has come, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loaders import coverage
from loaders.ledger import RunInfo, RunState, State
from loaders.reason import counted
from workers.report.layout import counts
from workers.report.silence import SilentWorker, fetching_text


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is.

    fetching     scopes that an attempt holds
    silent       workers whose heartbeat is missing
    full_memory  what there is to say of the broker's memory, if it is full
    """

    info: RunInfo
    fetching: int = 0
    silent: Sequence[SilentWorker] = ()
    full_memory: str = ""

    def __str__(self) -> str:
        waits = (self.info.blocked_by, self.full_memory)
        return "; ".join(filter(None, (self._settled, self.info.step, self._waiting, self._fetching, *waits)))

    @property
    def change(self) -> tuple[object, ...]:
        """Equal as long as there is nothing new to say: the seconds of a silent worker are not news."""
        workers = tuple((worker["worker"], worker["scopes"]) for worker in self.silent)
        return self._settled, self._waiting, self.fetching, workers, self.info.blocked_by, bool(self.full_memory)

    @property
    def _settled(self) -> str:
        if self.info.state is RunState.ANALYSING:
            return f"{counted(self.info.planned, 'scope')}, analysing"
        statuses = Counter[str]()
        for state, count in self.info.counts.items():
            statuses[coverage.status(State(state))] += count
        text = f"{self.info.planned - self.info.open} of {counted(self.info.planned, 'scope')}"
        return f"{text}: {counts(statuses)}" if statuses.total() else text

    @property
    def _waiting(self) -> str:
        is_running = self.info.state is RunState.RUNNING
        return f"{counted(self.info.waiting, 'batch')} to load" if is_running and self.info.waiting else ""

    @property
    def _fetching(self) -> str:
        return fetching_text(self.fetching, self.silent) if self.fetching else ""
