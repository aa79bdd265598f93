"""A small run: its ledger, and what the world outside of it knows. Every action that anybody may take next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.ledger_model.memory_redis import NOW, Db, Key, MemoryRedis

RUN: Final = "chartfleet:run:r1"
PLANNER: Final = "aws.regions/1/global"
LEASE_MS: Final = 60_000
MAX_CRASHES: Final = 2
BARRIERS: Final = ("x", "y")  # two processes that try to open it
_VOLATILE: Final = ("wake_ms", "stalled_ms", "committed_ms", "settled_ms", "swept_ms", "broker", "barrier_ms")


class Broken(Exception):
    """A promise that doesn't hold."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`resumes`: how often the run may be resumed after a cancel."""

    scopes: int = 2
    attempts: int = 2
    batches: int = 2
    resumes: int = 0

    @property
    def scope_ids(self) -> list[str]:
        return [f"aws.t{number}/1/eu" for number in range(self.scopes)]


@dataclass(frozen=True, slots=True)
class World:
    """A state: the ledger, and what is true whatever the ledger says.

    holders  scope -> the attempt whose process works on it, 0 for none
    loaded   batches that the graph has
    opened   how often the barrier was opened in this round
    analyst  the process that holds it; `dead`: one that crashed while it did
    """

    db: Db
    holders: tuple[int, ...]
    loaded: frozenset[str] = frozenset()
    opened: int = 0
    resumes: int = 0
    analyst: str = ""
    dead: str = ""

    def head(self, name: str) -> str:
        return str(part(self.db, RUN).get(name, ""))

    def unit(self, scope: str) -> Key:
        return part(self.db, f"{RUN}:unit:{scope}")

    @property
    def state(self) -> str:
        return self.head("state")


@dataclass(frozen=True, slots=True)
class Action:
    """`fair`: happens by itself sooner or later, so that a run may count on it."""

    name: str
    scope: str = ""
    batch: str = ""
    fair: bool = True

    def __str__(self) -> str:
        return " ".join(word for word in (self.name, self.scope, self.batch) if word)


def part(db: Db, key: str) -> Key:
    found = db.get(key, {})
    assert not isinstance(found, str)
    return found


def batch_id(scope: str, attempt: int, number: int) -> str:
    return f"{'ab'[number % 2]}|{attempt}.{token(scope, attempt)}|{number}|{scope}"


def token(scope: str, attempt: int) -> str:
    return f"{scope[5:6]}{attempt}"


def start(redis: MemoryRedis, bounds: Bounds) -> World:
    """The scopes are planned; the graph holds data of the first one, from an earlier run."""
    redis.db = {}
    redis.call("open_run", RUN, "r1", 1, "{}", 1, PLANNER)
    redis.call("begin", RUN, PLANNER, "p", LEASE_MS, "w")
    children = [[scope, "aws/1", str(int(not at)), 0] for at, scope in enumerate(bounds.scope_ids)]
    redis.call("plan", RUN, PLANNER, 1, "p", "publish", json.dumps(children), "fetched", "", "{}")
    return World(redis.db, (0,) * bounds.scopes)


def actions(world: World, bounds: Bounds) -> Iterator[Action]:
    """What may happen next, to any scope, at any process."""
    if world.state == "cancelled":
        if world.resumes < bounds.resumes:
            yield Action("resume")
        return
    if world.state == "running":
        for at, scope in enumerate(bounds.scope_ids):
            yield from _of_scope(world, bounds, scope, world.holders[at])
        yield from (Action("clean", scope) for scope in part(world.db, f"{RUN}:cleanups"))
        if int(world.head("waiting")):
            yield Action("load")
        yield from (Action("report", batch=batch) for batch in sorted(world.loaded))
    if world.state in ("running", "analysing"):
        yield from (Action("open", barrier) for barrier in BARRIERS if barrier != world.dead)
        yield Action("cancel", fair=False)
    if world.analyst:
        yield Action("close")
        if not world.dead:
            yield Action("analyst dies", fair=False)


def _of_scope(world: World, bounds: Bounds, scope: str, holder: int) -> Iterator[Action]:
    unit = world.unit(scope)
    if int(unit["attempt"]) < bounds.attempts:
        # A message may come twice; that one comes at all, the run may only count on if the ledger will have it sent.
        yield Action("begin", scope, fair=_will_be_sent(world, scope))
    if holder:
        if int(unit["pushed"]) < bounds.batches:
            yield Action("push", scope)
        yield Action("fetched", scope)
        yield Action("denied", scope)
        yield Action("later", scope, fair=False)
        yield Action("dies", scope)
    if world.loaded & part(world.db, f"{RUN}:unit:{scope}:out").keys():  # before the writer reports the batch
        yield Action("bad rows", scope, fair=False)


def _will_be_sent(world: World, scope: str) -> bool:
    return scope in part(world.db, f"{RUN}:published:aws") or scope in part(world.db, f"{RUN}:later")


def take(redis: MemoryRedis, world: World, action: Action, bounds: Bounds) -> World:
    """The world after the action. Raises Broken."""
    redis.db = {name: value if isinstance(value, str) else dict(value) for name, value in world.db.items()}
    holders, loaded, opened, resumes = list(world.holders), world.loaded, world.opened, world.resumes
    analyst, dead = world.analyst, world.dead
    scope = action.scope
    at = bounds.scope_ids.index(scope) if scope in bounds.scope_ids else 0
    fence = (scope, holders[at], token(scope, holders[at])) if scope in bounds.scope_ids else ()
    match action.name:
        case "begin":
            number = int(world.unit(scope)["attempt"]) + 1
            if redis.call("begin", RUN, scope, token(scope, number), LEASE_MS, "w") == [str(number)]:
                if holders[at]:
                    raise Broken(f"two attempts hold {scope}")
                holders[at] = number
        case "push":
            number = int(world.unit(scope)["pushed"])
            _accepted(redis.call("push", RUN, *fence, number, "ab"[number % 2], 1, "x"), action)
        case "fetched":
            pushed = world.unit(scope)["pushed"]
            _accepted(redis.call("fetched", RUN, *fence, pushed, "{}", "[]"), action)
            holders[at] = 0
        case "denied":
            _accepted(redis.call("ended", RUN, *fence, "denied", "why", "{}"), action)
            holders[at] = 0
        case "later":
            _accepted(redis.call("later", RUN, *fence, 0, "throttled"), action)
            holders[at] = 0
        case "dies":
            _made(redis.db, f"{RUN}:leases")[scope] = 0.0
            _sweep(redis)
            holders[at] = 0
        case "load":
            taken = redis.call("take", RUN, 9, 1000)
            loaded |= frozenset(taken[1::2])
        case "report":
            redis.call("committed", RUN, action.batch)
        case "bad rows":
            redis.call("bad_rows", RUN, scope, "no such type")
        case "clean":
            redis.call("cleaned", RUN, scope)
        case "open":
            if redis.call("open_barrier", RUN, scope, LEASE_MS) == "open":
                if analyst not in ("", scope):
                    raise Broken(f"{analyst} and {scope} hold the barrier")
                analyst = scope
                opened += world.state == "running"
        case "analyst dies":
            _made(redis.db, RUN)["barrier_lease_ms"] = "0"
            _sweep(redis)
            analyst, dead = "", analyst
        case "close":
            redis.call("close_run", RUN, analyst, "complete", "{}")
            analyst = ""
        case "cancel":
            redis.call("cancel", RUN, "asked for")
            holders, analyst = [0] * bounds.scopes, ""
        case "resume":
            redis.call("resume", RUN, "{}", "r", "")
            redis.call("admit", RUN)
            opened, resumes, loaded = 0, resumes + 1, frozenset()
    return World(redis.db, tuple(holders), loaded, opened, resumes, analyst, dead)


def _sweep(redis: MemoryRedis) -> Any:
    return redis.call("sweep", RUN, LEASE_MS, MAX_CRASHES, 10_000, "b", "aws", 1)


def _made(db: Db, key: str) -> Key:
    made = db.setdefault(key, {})
    assert not isinstance(made, str)
    return made


def _accepted(reply: Any, action: Action) -> None:
    if reply[:1] != ["ok"]:
        raise Broken(f"{action}: the ledger says {reply}, although this attempt holds the scope")


def canonical(world: World) -> tuple[Any, ...]:
    """Two worlds that differ in times only are one; of places in line, only the order counts."""
    frozen: list[Any] = []
    for name in sorted(world.db):
        value = world.db[name]
        if isinstance(value, str):
            frozen.append((name, value))
        elif ":waiting:" in name:
            frozen.append((name, tuple(sorted(value, key=lambda member: (value[member], member)))))
        elif name in (f"{RUN}:leases", f"{RUN}:published:aws", f"{RUN}:later"):
            frozen.append((name, tuple(sorted((member, score > NOW * 1000) for member, score in value.items()))))
        elif name == "chartfleet:durations":
            continue
        else:
            ignored = (*_VOLATILE, "pushed") if name == RUN else ("started_ms", "ended_ms")
            frozen.append((name, tuple(sorted((k, v) for k, v in value.items() if k not in ignored))))
    return (tuple(frozen), world.holders, world.loaded, world.opened, world.resumes, world.analyst, world.dead)
