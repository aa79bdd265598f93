"""The coordinator's transitions: a run is opened, its tenants and scopes are planned, admitted, cancelled, resumed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from loaders.ledger.scripts import PREFIX, RUNS, fence
from loaders.ledger.seals import HEAD, TENANT, UNIT, Seals
from loaders.ledger.signing import NotSigned
from loaders.ledger.state import Attempt, Event, Fenced, State
from loaders.scope import Scope

_MEMBERS_PER_CALL: Final = 5_000
_EARLIER_RUNS: Final = 3  # of which a scope's time is looked for


class Planning(Seals):
    def open(self, *, tag: int, config: Mapping[str, object], window: int, planners: Iterable[Scope]) -> None:
        """Begin the run with one planning unit per provider. `window`: how many tenants may be in progress at once."""
        text = json.dumps(config)
        signature = self._signer.sign(HEAD, str(tag), text)
        units = [word for planner in planners for word in (planner.id, self._signer.sign(UNIT, planner.id))]
        self._call("open_run", self.run, tag, text, signature, window, *units)

    def plan(
        self,
        attempt: Attempt,
        children: Iterable[tuple[Scope, bool, float]],
        *,
        queue: bool,
        denied: str = "",
        whole: bool = False,
        owner: str = "",
        notes: Sequence[str] = (),
        principals: Mapping[str, str] | None = None,
    ) -> list[Event]:
        """End a planner's attempt with its children: (scope, whether the graph holds data of it, expected seconds).

        queue    the children are tenants, to be admitted one by one; otherwise the caller publishes them
        denied   why not everything could be planned; what could be planned is
        whole    the list is complete: what it lacks no longer exists, rather than having been deselected
        owner    whose list it is
        notes    texts for the report
        principals  who the credentials are, by tenant
        """
        rows = [
            [c.id, c.tenant_key, "1" if held else "0", seconds, self._signer.sign(UNIT, c.id)]
            for c, held, seconds in children
        ]
        mode = "queue" if queue else "publish"
        end = State.DENIED if denied else State.FETCHED
        facts = {"whole": whole, "owner": owner, "notes": list(notes), "principals": dict(principals or {})}
        outcome = json.dumps(facts)
        seal = self._seal(attempt, 0, outcome, ())
        return self._transition("plan", *fence(attempt), mode, json.dumps(rows), end, denied, outcome, seal)

    def set_tenants(self, tenants: Mapping[str, Mapping[str, Any]]) -> None:
        """How each tenant is reached, by names only (a profile, a role, a variable): never a secret."""
        if tenants:
            records = ((name, json.dumps(tenant).encode()) for name, tenant in tenants.items())
            pairs = [word for name, record in records for word in (name, self._signer.seal(TENANT, name, record))]
            self._redis.hset(f"{self._key}:access", items=pairs)

    def tenant(self, name: str) -> dict[str, Any]:
        """What `set_tenants` stored for `provider/tenant`. Raises KeyError, NotSigned."""
        [raw] = self._fields(f"{self._key}:access", name)
        if raw is None:
            raise KeyError(name)
        record = self._signer.open(TENANT, name, raw)
        if record is None:
            raise NotSigned(f"the record of the tenant {name}")
        access: dict[str, Any] = json.loads(record)
        return access

    def set_held(self, scope_ids: Iterable[str]) -> None:
        """The scopes of which the graph held data when the run began."""
        ids = list(scope_ids)
        for start in range(0, len(ids), _MEMBERS_PER_CALL):
            self._redis.sadd(f"{self._key}:held", *ids[start : start + _MEMBERS_PER_CALL])

    def held(self, scopes: Sequence[Scope]) -> list[bool]:
        """For each scope, whether the graph held data of it when the run began."""
        if not scopes:
            return []
        flags: list[int] = self._redis.smismember(f"{self._key}:held", [s.id for s in scopes])  # type: ignore[assignment]
        return [bool(flag) for flag in flags]

    def expected_seconds(self, scopes: Sequence[Scope]) -> list[float]:
        """How long each scope took in the latest of the earlier runs in which it ended; 0 if it did in none."""
        found: dict[str, float] = {}
        for run in self._earlier_runs():
            missing = [scope.id for scope in scopes if scope.id not in found]
            for start in range(0, len(missing), _MEMBERS_PER_CALL):
                found |= self._seconds_in(run, missing[start : start + _MEMBERS_PER_CALL])
        return [found.get(scope.id, 0.0) for scope in scopes]

    def _earlier_runs(self) -> list[str]:
        ids: list[bytes] = self._redis.zrevrange(RUNS, 0, _EARLIER_RUNS)  # type: ignore[assignment]
        return [run for run in (name.decode() for name in ids) if run != self.run][:_EARLIER_RUNS]

    def _seconds_in(self, run: str, units: Sequence[str]) -> dict[str, float]:
        """Of the units that ended in a run whose ledger is still whole."""
        if not self._redis.exists(f"{PREFIX}{run}:units"):
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for unit in units:
            pipe.hmget(f"{PREFIX}{run}:unit:{unit}", "started_ms", "ended_ms", "settled")
        times: list[list[bytes | None]] = pipe.execute()
        return {
            unit: max(0.0, float(ended) - float(started)) / 1000
            for unit, (started, ended, settled) in zip(units, times, strict=True)
            if started and ended and settled
        }

    def admit(self) -> list[Scope]:
        """Admit tenants up to the window. The caller publishes the scopes that are returned."""
        units: list[bytes] = self._call("admit")
        return [Scope.parse(unit.decode()) for unit in units]

    def cancel(self, reason: str) -> str:
        """`cancelled`, or the state that the run is already in."""
        reply: bytes = self._call("cancel", reason)
        return reply.decode()

    def resume(self, config: Mapping[str, object]) -> list[Scope]:
        """Plan again what isn't cleaned, and admit the tenants again. The caller publishes what is returned."""
        token, cursor, planners = secrets.token_hex(8), "", dict[str, None]()
        text = json.dumps(config)
        signature = self._signer.sign(HEAD, self._text("tag"), text)
        while cursor != "0":
            reply: list[bytes] = self._call("resume", text, signature, token, cursor)
            cursor, *units = (word.decode() for word in reply)
            if not cursor.isdigit():
                raise Fenced(cursor)
            planners |= dict.fromkeys(units)
        return [*map(Scope.parse, planners), *self.admit()]
