"""A small run: its ledger, and what the world outside of it knows. Every action that anybody may take next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from loaders.ledger import Attempt, Fenced, Ledger, RunState
from loaders.scope import Scope
from tests.ledger_model.memory_redis import NOW, Db, Key, MemoryRedis

RUN: Final = "chartfleet:ledger:r1"
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


class ModelLedger(Ledger):
    """The product's own ledger, over the model of Redis. Tokens follow from the attempt, so that states repeat."""

    def __init__(self, memory: MemoryRedis) -> None:
        super().__init__(None, "r1")  # type: ignore[arg-type]  # its scripts are all that is called
        self._memory = memory

    def _call(self, name: str, *arguments: str | bytes | int | float) -> Any:
        return _as_bytes(self._memory.call(name, self._key, *arguments))

    def _fields(self, key: str, *names: str) -> list[bytes | None]:
        found = part(self._memory.db, key)
        return [str(found[name]).encode() if name in found else None for name in names]

    def start(self, scope: str, number: int) -> bool:
        """Whether the ledger gives the attempt of this number the scope."""
        reply: list[bytes] = self._call("begin", scope, token(scope, number), LEASE_MS, "w")
        return reply[0] == str(number).encode()


def _as_bytes(reply: Any) -> Any:
    if isinstance(reply, str):
        return reply.encode()
    return [_as_bytes(each) for each in reply] if isinstance(reply, list) else reply


def attempt_of(scope: str, number: int) -> Attempt:
    return Attempt(scope=Scope.parse(scope), number=number, token=token(scope, number))


def start(redis: MemoryRedis, bounds: Bounds) -> World:
    """The scopes are planned; the graph holds data of the first one, from an earlier run."""
    redis.db = {}
    ledger = ModelLedger(redis)
    ledger.open(tag=1, config={}, window=1, planners=[Scope.parse(PLANNER)])
    ledger.start(PLANNER, 1)
    children = [(Scope.parse(scope), at == 0, 0.0) for at, scope in enumerate(bounds.scope_ids)]
    ledger.plan(attempt_of(PLANNER, 1), children, queue=False)
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
    if int(unit.get("attempt", 0)) < bounds.attempts:
        # A message may come twice; that one comes at all, the run may only count on if the ledger will have it sent.
        yield Action("begin", scope, fair=_will_be_sent(world, scope))
    if holder:
        if int(unit.get("pushed", 0)) < bounds.batches:
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
    ledger = ModelLedger(redis)
    if action.scope in bounds.scope_ids:
        try:
            return _of_attempt(ledger, redis, world, action, bounds.scope_ids.index(action.scope))
        except Fenced as error:
            raise Broken(f"{action}: the ledger says {error}, although this attempt holds the scope") from None
    changed = replace(world, db=redis.db)
    match action.name:
        case "load":
            taken = ledger.take(max_batches=9, max_bytes=1000)
            batches = taken.batches if taken else ()
            return replace(changed, loaded=world.loaded | {batch for batch, _ in batches})
        case "report":
            ledger.committed([action.batch])
        case "open" if ledger.open_barrier(action.scope, lease_seconds=LEASE_MS / 1000):
            if world.analyst not in ("", action.scope):
                raise Broken(f"{world.analyst} and {action.scope} hold the barrier")
            return replace(changed, analyst=action.scope, opened=world.opened + (world.state == "running"))
        case "analyst dies":
            _made(redis.db, RUN)["barrier_lease_ms"] = "0"
            _sweep(ledger)
            return replace(changed, analyst="", dead=world.analyst)
        case "close":
            ledger.close(world.analyst, RunState.COMPLETE, {})
            return replace(changed, analyst="")
        case "cancel":
            ledger.cancel("asked for")
            return replace(changed, holders=(0,) * bounds.scopes, analyst="")
        case "resume":
            ledger.resume({})
            return replace(changed, opened=0, resumes=world.resumes + 1, loaded=frozenset())
    return changed


def _of_attempt(ledger: ModelLedger, redis: MemoryRedis, world: World, action: Action, at: int) -> World:
    """What happens to one scope. Raises Broken, Fenced."""
    scope, number = action.scope, world.holders[at]
    attempt, unit = attempt_of(scope, number), world.unit(scope)
    pushed = int(unit.get("pushed", 0))
    match action.name:
        case "begin":
            if ledger.start(scope, following := int(unit.get("attempt", 0)) + 1):
                if number:
                    raise Broken(f"two attempts hold {scope}")
                number = following
        case "push":
            ledger.push(attempt, number=pushed, model="ab"[pushed % 2], rows=1, payload=b"x")
        case "fetched":
            ledger.fetched(attempt, batches=pushed, outcome={})
            number = 0
        case "denied":
            ledger.denied(attempt, "why", {})
            number = 0
        case "later":
            ledger.later(attempt, wait_seconds=0, reason="throttled")
            number = 0
        case "dies":
            _made(redis.db, f"{RUN}:leases")[scope] = 0.0
            _sweep(ledger)
            number = 0
        case "bad rows":
            ledger.bad_rows(Scope.parse(scope), "no such type")
        case "clean":
            ledger.cleaned([Scope.parse(scope)])
    holders = (*world.holders[:at], number, *world.holders[at + 1 :])
    return replace(world, db=redis.db, holders=holders)


def _sweep(ledger: Ledger) -> None:
    ledger.sweep(
        lease_seconds=LEASE_MS / 1000,
        max_crashes=MAX_CRASHES,
        redelivery_grace_seconds=10,
        broker="b",
        queued={"aws": 1},
    )


def _made(db: Db, key: str) -> Key:
    made = db.setdefault(key, {})
    assert not isinstance(made, str)
    return made


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
        elif name in ("chartfleet:durations", f"{RUN}:set_back"):
            continue  # whose turn it is breaks no promise
        elif name == f"{RUN}:tries":
            frozen.append((name, tuple(sorted(value))))  # how often a batch was taken, no transition asks: only whether
        else:
            ignored = (*_VOLATILE, "pushed") if name == RUN else ("started_ms", "ended_ms")
            frozen.append((name, tuple(sorted((k, v) for k, v in value.items() if k not in ignored))))
    return (
        tuple(frozen),
        world.holders,
        tuple(sorted(world.loaded)),
        world.opened,
        world.resumes,
        world.analyst,
        world.dead,
    )
