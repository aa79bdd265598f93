"""The ledger of one run, in Redis. One method per transition; each is one idempotent Lua script beside this file.

A transition may say what has to follow (`Event`): its caller publishes that message at once, and the sweeper publishes
it again should the caller die in between.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import redis

from loaders.batch import BatchId
from loaders.ledger.holders import Holder, holders
from loaders.reason import NO_REASON, REJECTED, Reason
from loaders.scope import Scope

_RUNS = "chartfleet:runs"
_DURATIONS = "chartfleet:durations"


class State(StrEnum):
    """Where a scope, or a part of one, stands."""

    PLANNED = "planned"
    FETCHING = "fetching"
    FETCHED = "fetched"  # complete; batches or the cleanup may be outstanding
    CLEANED = "cleaned"  # complete, loaded, and what it no longer holds is deleted
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


class RunState(StrEnum):
    RUNNING = "running"
    ANALYSING = "analysing"  # the barrier is open
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What a transition asks its caller to publish."""

    LOAD = "load"
    ADMIT = "admit"
    BARRIER = "barrier"


class Fenced(Exception):
    """The attempt no longer holds its scope: another took over, or the run was cancelled. Stop, write nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A numbered try at a scope or part; number and token are the fence of everything it does."""

    scope: Scope
    number: int
    token: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Batches of one model that wait for the writer, oldest first."""

    model: str
    batches: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A scope or part as the ledger sees it now."""

    scope: Scope
    state: State
    reason: str
    attempt: int
    deaths: int
    rows: int
    seconds: float | None
    worker: str
    parent: bool
    held: bool
    outcome: dict[str, Any] = field(default_factory=dict)
    why: Reason = NO_REASON  # `reason`, as fields
    gaps: tuple[Reason, ...] = ()  # `outcome["gaps"]`, as fields


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """The head of a run. Times are epoch milliseconds, 0 where it hasn't come to that."""

    id: str
    tag: int
    state: RunState
    reason: str
    blocked_by: str  # what the writer waits for; empty while it gets on
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
    round: int
    config: dict[str, Any]
    report: dict[str, Any]


_GAP = "gap:"  # of a unit's fields: what was not seen, and of how many items


@cache
def _source(name: str) -> str:
    here = resources.files("loaders.ledger")
    return "".join(here.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in ("prelude", name))


class Ledger:
    """The transitions of one run. Holds no state of its own: any number of processes may have one."""

    def __init__(self, client: redis.Redis, run: str) -> None:
        self.run = run
        self._redis = client
        self._key = f"chartfleet:run:{run}"

    def _call(self, name: str, *arguments: str | bytes | int | float) -> Any:
        script = self._redis.register_script(_source(name))
        return script(keys=[self._key], args=list(arguments))

    def _events(self, reply: Sequence[bytes]) -> list[Event]:
        words = [word.decode() for word in reply]
        if words[:1] != ["ok"]:
            raise Fenced(words[0] if words else "no reply")
        return [Event(word) for word in words[1:]]

    # -- the run

    def open(self, *, tag: int, config: dict[str, Any], window: int, planners: Iterable[Scope]) -> None:
        """Begin the run with one planning unit per provider; `window`: tenants that may be under way at once."""
        self._call("open_run", self.run, tag, json.dumps(config), window, *(p.id for p in planners))

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
        """End a planner's attempt with its children: (scope, does the graph hold something of it, expected seconds).

        `queue`: the children are tenants, to be admitted one by one; otherwise the caller publishes them.
        `denied`: why not everything could be planned; what could be is.
        `whole`: what isn't among them isn't there any more, rather than not selected.
        `owner`: whose list it is. `notes`: what the report is to say of it. `principals`: who the credentials are, by
        tenant.
        """
        rows = [[c.id, f"{c.provider}/{c.tenant}", "1" if held else "0", seconds] for c, held, seconds in children]
        mode = "queue" if queue else "publish"
        end = State.DENIED if denied else State.FETCHED
        facts = {"whole": whole, "owner": owner, "notes": list(notes), "principals": dict(principals or {})}
        outcome = json.dumps(facts)
        return self._events(self._call("plan", *_fence(attempt), mode, json.dumps(rows), end, denied, outcome))

    def set_tenants(self, tenants: dict[str, dict[str, Any]]) -> None:
        """How each tenant is reached, by names only (a profile, a role, a variable): never a secret."""
        if tenants:
            self._redis.hset(f"{self._key}:access", mapping={name: json.dumps(t) for name, t in tenants.items()})

    def tenant(self, name: str) -> dict[str, Any]:
        """What `set_tenants` kept of `provider/tenant`. Raises KeyError."""
        raw: bytes | None = self._redis.hget(f"{self._key}:access", name)  # type: ignore[assignment]
        if raw is None:
            raise KeyError(name)
        found: dict[str, Any] = json.loads(raw)
        return found

    def set_held(self, scope_ids: Iterable[str]) -> None:
        """The scopes of which the graph held something when the run began."""
        ids = list(scope_ids)
        for start in range(0, len(ids), 5000):
            self._redis.sadd(f"{self._key}:held", *ids[start : start + 5000])

    def held(self, scopes: Sequence[Scope]) -> list[bool]:
        """For each scope: did the graph hold something of it when the run began?"""
        if not scopes:
            return []
        found: list[int] = self._redis.smismember(f"{self._key}:held", [s.id for s in scopes])  # type: ignore[assignment]
        return [bool(one) for one in found]

    def parts(self, scope: Scope) -> list[Scope]:
        """The parts that the scope's listing planned."""
        found = _set(self._redis, f"{self._key}:unit:{scope.id}:parts")
        return sorted((Scope.parse(part.decode()) for part in found), key=lambda s: s.id)

    def backlog(self) -> tuple[int, int]:
        """Batches, and their bytes, that wait for the writer."""
        found: list[bytes | None] = self._redis.hmget(self._key, "waiting", "waiting_bytes")  # type: ignore[assignment]
        return int(found[0] or 0), int(found[1] or 0)

    def admit(self) -> list[Scope]:
        """Admit tenants up to the window; the caller publishes what is returned."""
        return [Scope.parse(unit.decode()) for unit in self._call("admit")]

    def cancel(self, reason: str) -> str:
        """`cancelled`, or the state that the run is in already."""
        return str(self._call("cancel", reason).decode())

    def resume(self, config: dict[str, Any]) -> list[Scope]:
        """Plan again all that isn't cleaned, and admit tenants anew; the caller publishes what is returned."""
        token, cursor, planners = secrets.token_hex(8), "", dict[str, None]()
        while cursor != "0":
            cursor, *found = (word.decode() for word in self._call("resume", json.dumps(config), token, cursor))
            if not cursor.isdigit():
                raise Fenced(cursor)
            planners |= dict.fromkeys(found)
        return [*map(Scope.parse, planners), *self.admit()]

    def set_blocked_by(self, reason: str) -> None:
        """What the writer waits for, in words; until it next commits something."""
        self._call("blocked_by", reason)

    # -- an attempt

    def begin(self, scope: Scope, *, lease_seconds: float, worker: str) -> Attempt | None:
        """A new attempt at a planned scope, or None where there is nothing to do: leased, settled, not due."""
        token = secrets.token_hex(8)
        reply = self._call("begin", scope.id, token, _ms(lease_seconds), worker)[0].decode()
        return Attempt(scope=scope, number=int(reply), token=token) if reply.isdigit() else None

    def renew(self, attempt: Attempt, *, lease_seconds: float) -> bool:
        """Keep the lease; False where the attempt lost its scope."""
        return bool(self._call("renew", *_fence(attempt), _ms(lease_seconds)))

    def push(self, attempt: Attempt, *, number: int, model: str, rows: int, payload: bytes) -> list[Event]:
        """Hand a batch to the writer. Raises Fenced."""
        return self._events(self._call("push", *_fence(attempt), number, model, rows, payload))

    def fetched(
        self, attempt: Attempt, *, batches: int, outcome: dict[str, Any], parts: Iterable[Scope] = ()
    ) -> list[Event]:
        """The attempt saw everything; `parts` are what its listing planned. Raises Fenced."""
        planned = json.dumps([part.id for part in parts])
        return self._events(self._call("fetched", *_fence(attempt), batches, json.dumps(outcome), planned))

    def denied(self, attempt: Attempt, reason: str, outcome: dict[str, Any]) -> list[Event]:
        return self._ended(attempt, State.DENIED, reason, outcome)

    def failed(self, attempt: Attempt, reason: str, outcome: dict[str, Any]) -> list[Event]:
        return self._ended(attempt, State.FAILED, reason, outcome)

    def skipped(self, attempt: Attempt, reason: str, outcome: dict[str, Any]) -> list[Event]:
        return self._ended(attempt, State.SKIPPED, reason, outcome)

    def _ended(self, attempt: Attempt, state: State, reason: str, outcome: dict[str, Any]) -> list[Event]:
        return self._events(self._call("ended", *_fence(attempt), state, reason, json.dumps(outcome)))

    def later(self, attempt: Attempt, *, wait_seconds: float, reason: str) -> None:
        """Give the scope back (throttled, shut down): the sweeper publishes it when due, and no death is counted."""
        self._events(self._call("later", *_fence(attempt), _ms(wait_seconds), reason))

    # -- the writer

    def take(self, *, max_batches: int, max_bytes: int) -> Taken | None:
        """What waits for the writer, of one model. Nothing is taken away until it is committed."""
        reply = self._call("take", max_batches, max_bytes)
        if not reply:
            return None
        pairs = zip(reply[1::2], reply[2::2], strict=True)
        return Taken(reply[0].decode(), tuple((batch.decode(), payload) for batch, payload in pairs))

    def committed(self, batches: Iterable[str]) -> list[Event]:
        return self._events(self._call("committed", *batches))

    def bad_rows(self, scope: Scope, reason: str) -> None:
        """Rows that the graph refused: said before the batch is committed, so that the scope deletes nothing."""
        self._call("bad_rows", scope.whole.id, reason)

    def rejected(self, scope: Scope, reason: str) -> None:
        """A row that the graph refused, and that stays as it was: a gap of its scope."""
        gap = Reason(failure=REJECTED, detail=reason)
        self._call("rejected", scope.whole.id, _GAP + gap.to_json())

    def cleanups(self) -> list[Scope]:
        """Complete scopes whose batches are all committed and which are to be cleaned."""
        return sorted((Scope.parse(u.decode()) for u in _set(self._redis, f"{self._key}:cleanups")), key=lambda s: s.id)

    def cleaned(self, scopes: Iterable[Scope]) -> list[Event]:
        return self._events(self._call("cleaned", *(s.id for s in scopes)))

    # -- the barrier

    def open_barrier(self, token: str, *, lease_seconds: float) -> bool:
        """True for the one caller that may analyse now: everything is settled, and nobody else holds the barrier."""
        return bool(self._call("open_barrier", token, _ms(lease_seconds)) == b"open")

    def renew_barrier(self, token: str, *, lease_seconds: float) -> bool:
        return bool(self._call("renew_barrier", token, _ms(lease_seconds)))

    def analyst(self) -> str | None:
        """The process that holds the barrier; None where nobody does, or no longer gives a sign."""
        found: list[bytes | None] = self._redis.hmget(self._key, "barrier_token", "barrier_lease_ms")  # type: ignore[assignment]
        token, lease_ms = found
        if token is None or int(lease_ms or 0) <= self.now_ms():
            return None
        return token.decode().rpartition(":")[0]

    def close(self, token: str, state: RunState, report: dict[str, Any]) -> bool:
        return bool(self._call("close_run", token, state, json.dumps(report)))

    # -- the sweeper

    def sweep(
        self,
        *,
        lease_seconds: float,
        max_crashes: int,
        redelivery_grace_seconds: float,
        broker: str,
        queued: Mapping[str, int],
    ) -> tuple[list[Event], list[Scope]]:
        """Find what was lost. `broker`: Redis's own run id; `queued`: how many messages wait for each provider."""
        waiting = [word for pair in queued.items() for word in pair]
        events, units = self._call(
            "sweep", _ms(lease_seconds), max_crashes, _ms(redelivery_grace_seconds), broker, *waiting
        )
        return [Event(e.decode()) for e in events], [Scope.parse(u.decode()) for u in units]

    # -- looking

    def info(self) -> RunInfo | None:
        """The head of the run, or None where this broker knows no such run."""
        raw = {k.decode(): v.decode() for k, v in _hash(self._redis, self._key).items()}
        if not raw:
            return None

        def number(name: str) -> int:
            return int(float(raw.get(name, 0)))

        return RunInfo(
            id=self.run,
            tag=number("tag"),
            state=RunState(raw["state"]),
            reason=raw.get("reason", ""),
            blocked_by=raw.get("blocked_by", ""),
            planned=number("planned"),
            open=number("open"),
            waiting=number("waiting"),
            waiting_bytes=number("waiting_bytes"),
            counts={k.removeprefix("is:"): int(v) for k, v in raw.items() if k.startswith("is:")},
            created_ms=number("created_ms"),
            settled_ms=number("settled_ms"),
            committed_ms=number("committed_ms"),
            barrier_ms=number("barrier_ms"),
            finished_ms=number("finished_ms"),
            round=number("round"),
            config=json.loads(raw.get("config", "{}")),
            report=json.loads(raw.get("report", "{}")),
        )

    def holders(self) -> list[Holder]:
        """Of all attempts under way, the longest silent first."""
        return holders(self._redis, self.run)

    def state(self) -> RunState | None:
        """Where the run stands, without all else that `info` reads: a report may be large."""
        raw: bytes | None = self._redis.hget(self._key, "state")  # type: ignore[assignment]
        return RunState(raw.decode()) if raw else None

    def mark(self, tag: int) -> str:
        """What marks in the graph what this round of the run could not read: a resumption reads it again."""
        found: bytes | None = self._redis.hget(self._key, "round")  # type: ignore[assignment]
        return f"{tag}.{int(found or 0)}"

    def now_ms(self) -> int:
        """The time by the clock that every time of the ledger is by: Redis's."""
        seconds, micros = self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def units(self) -> Iterator[Unit]:
        """Every scope and part of the run, as it stands; read in pages, so that a large run stays small in memory."""
        ids = [unit.decode() for unit in _set(self._redis, f"{self._key}:units")]
        for start in range(0, len(ids), 1000):
            page = ids[start : start + 1000]
            pipe = self._redis.pipeline(transaction=False)
            for unit in page:
                pipe.hgetall(f"{self._key}:unit:{unit}")
            for unit, raw in zip(page, pipe.execute(), strict=True):
                if b"state" in raw:
                    yield _unit(unit, {k.decode(): v.decode() for k, v in raw.items()})

    def unit(self, scope: Scope) -> Unit | None:
        raw = _hash(self._redis, f"{self._key}:unit:{scope.id}")
        return _unit(scope.id, {k.decode(): v.decode() for k, v in raw.items()}) if b"state" in raw else None

    def batches(self, scope: Scope) -> list[BatchId]:
        """The batches of a scope that are not committed yet."""
        out = _set(self._redis, f"{self._key}:unit:{scope.id}:out")
        return sorted((BatchId.parse(b.decode()) for b in out), key=lambda b: b.number)

    def expected_seconds(self, scopes: Sequence[Scope]) -> list[float]:
        """How long each scope took when it last ended; 0 where it never did."""
        if not scopes:
            return []
        past: list[bytes | None] = self._redis.hmget(_DURATIONS, [s.id for s in scopes])  # type: ignore[assignment]
        return [float(ms) / 1000 if ms else 0.0 for ms in past]

    def forget_units(self) -> None:
        """Remove what the ledger holds of each scope; the head of the run stays. Repeating it costs one look."""
        if not self._redis.exists(f"{self._key}:units"):
            return
        for key in self._redis.scan_iter(match=f"{self._key}:*", count=1000):
            self._redis.unlink(key)

    def forget(self) -> None:
        """Remove every key of the run, in pages."""
        for key in self._redis.scan_iter(match=f"{self._key}:*", count=1000):
            self._redis.unlink(key)
        self._redis.unlink(self._key)
        self._redis.zrem(_RUNS, self.run)


def runs(client: redis.Redis) -> list[str]:
    """Ids of the runs that this broker knows, newest first."""
    found: list[bytes] = client.zrevrange(_RUNS, 0, -1)  # type: ignore[assignment]
    return [run.decode() for run in found]


def _fence(attempt: Attempt) -> tuple[str, str, str]:
    return attempt.scope.id, str(attempt.number), attempt.token


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _hash(client: redis.Redis, key: str) -> dict[bytes, bytes]:
    return client.hgetall(key)  # type: ignore[return-value]


def _set(client: redis.Redis, key: str) -> set[bytes]:
    return client.smembers(key)  # type: ignore[return-value]


def _unit(unit_id: str, raw: dict[str, str]) -> Unit:
    started, ended = raw.get("started_ms"), raw.get("ended_ms")
    why, gaps = Reason.parse(raw.get("reason", "")), _gaps(raw)
    return Unit(
        scope=Scope.parse(unit_id),
        state=State(raw["state"]),
        reason=str(why),
        attempt=int(raw["attempt"]),
        deaths=int(raw["deaths"]),
        rows=int(raw.get("rows", 0)),
        seconds=(float(ended) - float(started)) / 1000 if started and ended else None,
        worker=raw.get("worker", ""),
        parent="parent" not in raw,
        held=raw.get("held") == "1",
        outcome=_outcome(raw, gaps),
        why=why,
        gaps=gaps,
    )


def _outcome(raw: Mapping[str, str], gaps: Sequence[Reason]) -> dict[str, Any]:
    """What the attempt recorded; `gaps` as text, with those of the scope's parts."""
    recorded: dict[str, Any] = json.loads(raw.get("outcome", "{}"))
    without_gaps = {name: value for name, value in recorded.items() if name != "gaps"}
    return without_gaps | ({"gaps": [gap.of_details() for gap in gaps]} if gaps else {})


def _gaps(raw: Mapping[str, str]) -> tuple[Reason, ...]:
    """What was not seen of items that were: the scope's own gaps, and those of its parts."""
    counts = {field.removeprefix(_GAP): int(count) for field, count in raw.items() if field.startswith(_GAP)}
    gaps = [replace(Reason.parse(text), items=count) for text, count in counts.items()]
    return tuple(sorted(gaps, key=Reason.of_details))
