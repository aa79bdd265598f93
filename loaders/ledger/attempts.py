"""A fetcher's transitions: an attempt at a scope begins, keeps its lease, pushes batches, and ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from loaders.ledger.scripts import fence, milliseconds
from loaders.ledger.seals import BATCH, UNIT, Seals, batch_name
from loaders.ledger.signing import NotSigned
from loaders.ledger.state import Attempt, Event, State
from loaders.masking import mask
from loaders.reason import THROTTLED, UNFINISHED, Reason
from loaders.scope import Scope

MAX_RETURNS: Final = 1_000  # of one scope: a worker that never gets on with it, or a wait that is never over


class Attempts(Seals):
    def begin(self, scope: Scope, *, lease_seconds: float, worker: str) -> Attempt | None:
        """A new attempt at a planned scope, or None if there is nothing to do: it is leased, settled, or not due.

        Raises NotSigned, once the scope is recorded as failed: no process of the fleet planned it.
        """
        token = secrets.token_hex(8)
        reply: list[bytes] = self._call("begin", scope.id, token, milliseconds(lease_seconds), worker)
        number, *rest = (word.decode() for word in reply)
        if not number.isdigit():
            return None
        attempt = Attempt(scope=scope, number=int(number), token=token, suspect=rest[1] == "1")
        if not self._signer.fits(rest[0], UNIT, scope.id):
            not_signed = NotSigned(f"the scope {scope.shown}")
            self.failed(attempt, Reason(failure="not signed", detail=str(not_signed)).to_json(), {})
            raise not_signed
        return attempt

    def renew(self, attempt: Attempt, *, lease_seconds: float) -> bool:
        """Extend the lease. False if the attempt has lost its scope."""
        return bool(self._call("renew", *fence(attempt), milliseconds(lease_seconds)))

    def has_ended(self, attempt: Attempt) -> bool:
        """Whether it has recorded its own outcome, and no other attempt has begun since."""
        number, token, state = self._fields(f"{self._key}:unit:{attempt.scope.id}", "attempt", "token", "state")
        is_own = (number, token) == (str(attempt.number).encode(), attempt.token.encode())
        return is_own and state not in (State.FETCHING.encode(), State.PLANNED.encode())

    def push(self, attempt: Attempt, *, number: int, model: str, rows: int, payload: bytes) -> list[Event]:
        """Hand a batch to the writer. Raises Fenced."""
        sealed = self._signer.seal(BATCH, batch_name(attempt, number, model), payload)
        return self._transition("push", *fence(attempt), number, model, rows, sealed)

    def fetched(
        self, attempt: Attempt, *, batches: int, outcome: Mapping[str, object], parts: Iterable[Scope] = ()
    ) -> list[Event]:
        """The attempt saw everything. `parts`: those that its listing planned. Raises Fenced."""
        ids, text = sorted({part.id for part in parts}), _compact(outcome)
        planned = json.dumps([[part, self._signer.sign(UNIT, part)] for part in ids])
        seal = self._seal(attempt, batches, text, ids)
        return self._transition("fetched", *fence(attempt), batches, text, planned, seal)

    def denied(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.DENIED, reason, outcome)

    def failed(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.FAILED, reason, outcome)

    def skipped(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.SKIPPED, reason, outcome)

    def _ended(self, attempt: Attempt, state: State, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._transition("ended", *fence(attempt), state, mask(reason), _compact(outcome))

    def later(
        self,
        attempt: Attempt,
        *,
        wait_seconds: float,
        reason: str,
        action: str = "",
        max_wait_seconds: float | None = None,
    ) -> list[Event]:
        """Give the scope back (throttled, shut down). The sweeper publishes it when it is due; no crash is counted.

        action            what was called
        max_wait_seconds  how long the scope may wait in all for an API that throttles it, before it fails. None: it
                          waits for something else

        A scope that is given back MAX_RETURNS times fails as well. Raises Fenced.
        """
        reason = mask(reason)
        waited = f"waited {max_wait_seconds or 0:,.0f} s in all; the last time: {reason}"
        returned = f"given back {MAX_RETURNS:,} times; the last time: {reason}"
        return self._transition(
            "later",
            *fence(attempt),
            milliseconds(wait_seconds),
            reason,
            "" if max_wait_seconds is None else milliseconds(max_wait_seconds),
            MAX_RETURNS,
            Reason(failure=THROTTLED, action=action, detail=waited).to_json(),
            Reason(failure=UNFINISHED, action=action, detail=returned).to_json(),
        )

    def alone(self, attempt: Attempt) -> None:
        """The attempt now has a process to itself: if that ends, it is to blame. Raises Fenced."""
        self._transition("alone", *fence(attempt))

    def given_up(self, attempt: Attempt, *, max_crashes: int, reason: str, crashed: bool = False) -> list[Event]:
        """The attempt makes no progress, though its worker is alive: after so many the scope is quarantined.

        `crashed`: it had a process to itself, and that ended. Raises Fenced.
        """
        return self._transition("given_up", *fence(attempt), max_crashes, mask(reason), int(crashed))

    def others_wait(self, scope: Scope) -> bool:
        """Whether other tenants of the scope's provider have anything left to be fetched or loaded."""
        of_provider, own = f"{scope.provider}/", scope.tenant_key
        tenants = self._members(f"{self._key}:admitted")
        return any(tenant.startswith(of_provider) and tenant != own for tenant in tenants)

    def backlog(self) -> tuple[int, int]:
        """How many batches wait for the writer, and their size in bytes."""
        batches, size = self._fields(self._key, "waiting", "waiting_bytes")
        return int(batches or 0), int(size or 0)


def _compact(outcome: Mapping[str, object]) -> str:
    """Each scope keeps its own: most of them have nothing to say."""
    return json.dumps({name: value for name, value in outcome.items() if value}, separators=(",", ":"))
