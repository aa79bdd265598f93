"""How an error ends a scope: one mapping, for planning units and fetched scopes alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from loaders.ledger import Attempt, Event, Ledger, State
from loaders.reason import MAX_DETAIL, REJECTED, Reason
from tasks.failures import CallFailed, Failure, InvalidRecord, NotConfigured, RetryLater
from tasks.waits import capped

_STATES: Final = {Failure.DENIED: State.DENIED, Failure.NOT_ENABLED: State.SKIPPED}  # any other failure: FAILED


@dataclass(frozen=True, slots=True)
class Ending:
    """The state that a scope ends in, and why."""

    state: State
    reason: Reason

    @classmethod
    def of(cls, error: Exception, *, items: int = 0, is_reached: bool = False) -> Ending:
        """What an error means for its scope.

        items       how many items it affects, where the others were read
        is_reached  whether the tenant's API was reached: then a denial needs no more than the code and the permission;
                    before that, the detail says what to set or change
        """
        match error:
            case CallFailed():
                state = _STATES.get(error.failure, State.FAILED)
                detail = "" if is_reached and error.failure in _STATES else error.reason[:MAX_DETAIL]
                reason = Reason(
                    failure=str(error.failure), code=error.code, action=error.action, detail=detail, items=items
                )
                return cls(state, reason)
            case NotConfigured():
                return cls(State.SKIPPED, Reason(detail=str(error)))
            case InvalidRecord():
                return cls(State.FAILED, Reason(failure=REJECTED, detail=str(error), items=items))
            case _:
                name = type(error).__name__
                reason = Reason(failure=str(Failure.UNEXPECTED), code=name, detail=str(error)[:MAX_DETAIL], items=items)
                return cls(State.FAILED, reason)

    def record(self, ledger: Ledger, attempt: Attempt, outcome: Mapping[str, object]) -> list[Event]:
        """The transition of the ledger. Raises Fenced."""
        transitions = {State.DENIED: ledger.denied, State.SKIPPED: ledger.skipped}
        return transitions.get(self.state, ledger.failed)(attempt, self.reason.to_json(), dict(outcome))


def record_wait(ledger: Ledger, attempt: Attempt, wait: RetryLater, *, max_wait_seconds: float) -> list[Event]:
    """The scope is given back, or has waited for its API for too long. Raises Fenced."""
    return ledger.later(
        attempt,
        wait_seconds=capped(wait.after_seconds),
        reason=wait.reason,
        action=wait.action,
        max_wait_seconds=max_wait_seconds if wait.throttled else None,
    )
