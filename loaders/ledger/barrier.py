"""The barrier's transitions: one process opens it, keeps its lease, and closes the run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from loaders.ledger.scripts import Scripts, milliseconds
from loaders.ledger.state import RunState


class Barrier(Scripts):
    def open_barrier(self, token: str, *, lease_seconds: float) -> bool:
        """True for the one caller that may analyse: everything is settled, and no other process holds the barrier."""
        return bool(self._call("open_barrier", token, milliseconds(lease_seconds)) == b"open")

    def renew_barrier(self, token: str, *, lease_seconds: float) -> bool:
        return bool(self._call("renew_barrier", token, milliseconds(lease_seconds)))

    def give_back_barrier(self, token: str, *, wait_seconds: float, counts: bool) -> None:
        """Another attempt at the analysis may begin after that time. `counts`: this one counts as an attempt."""
        self._call("give_back_barrier", token, milliseconds(wait_seconds), "0" if counts else "1")

    def begin_step(self, token: str, step: str) -> None:
        """What the analysis does now, for everyone who asks what the run is waiting for."""
        self._call("step", token, step, 0)

    def failed_step(self, token: str, step: str) -> int:
        """How often this step has failed, this time included."""
        return int(self._call("step", token, step, 1))

    def analyst(self) -> str | None:
        """The process that holds the barrier; None if no process does, or if its lease has run out."""
        token, lease_ms = self._fields(self._key, "barrier_token", "barrier_lease_ms")
        if token is None or int(lease_ms or 0) <= self.now_ms():
            return None
        return token.decode().rpartition(":")[0]

    def close(self, token: str, state: RunState, report: Mapping[str, object]) -> bool:
        return bool(self._call("close_run", token, state, json.dumps(report)))
