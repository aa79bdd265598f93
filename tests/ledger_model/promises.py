"""What must hold in every state of a run, whatever happened before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from loaders.ledger import Fenced
from tests.ledger_model.memory_redis import Db, MemoryRedis
from tests.ledger_model.world import RUN, Bounds, ModelLedger, World, attempt_of, batch_id, part

_OVER: Final = ("complete", "cancelled")
_COUNTS: Final = ("open", "waiting", "waiting_bytes", "planned")


def broken(world: World, bounds: Bounds) -> Iterator[str]:
    """The promises that a state breaks, one line each."""
    for name in _COUNTS:
        if int(world.head(name)) < 0:
            yield f"the count {name} is negative: {world.head(name)}"
    for name in ("tenants", "late"):
        if any(int(count) < 0 for count in part(world.db, f"{RUN}:{name}").values()):
            yield f"a count of {name} is negative"
    if world.state == "cancelled":
        if part(world.db, f"{RUN}:cleanups") or int(world.head("waiting")):
            yield "a cancelled run still deletes, or still loads"
        return
    yield from _in_line(world)
    for scope in part(world.db, f"{RUN}:cleanups"):
        yield from _cleanup(world, scope)
    for at, scope in enumerate(bounds.scope_ids):
        holds = world.unit(scope)["state"] == "fetching"
        if world.state == "running" and holds != bool(world.holders[at]):
            yield f"{scope} is {world.unit(scope)['state']}, and attempt {world.holders[at]} holds it"
    if world.state in ("analysing", "complete"):
        yield from _barrier(world, bounds)


def _in_line(world: World) -> Iterator[str]:
    """What waits for the writer is of the newest attempt: older data would overwrite newer."""
    for model in "ab":
        for batch in part(world.db, f"{RUN}:waiting:{model}"):
            _, attempt, _, scope = batch.split("|")
            if attempt.split(".")[0] != world.unit(scope)["attempt"]:
                yield f"the batch {batch} still waits, though a later attempt replaces it"


def _cleanup(world: World, scope: str) -> Iterator[str]:
    """Only of a scope that is complete, and whose batches the graph has."""
    unit = world.unit(scope)
    if unit["state"] != "fetched" or unit.get("bad"):
        yield f"{scope} is to be cleaned, though it is {unit.get('bad') or unit['state']}"
    yield from _not_loaded(world, scope, "is to be cleaned")


def _barrier(world: World, bounds: Bounds) -> Iterator[str]:
    """It opens once, when everything is settled, cleaned and in the graph."""
    if world.opened != 1:
        yield f"the barrier opened {world.opened} times"
    for scope in bounds.scope_ids:
        state = world.unit(scope)["state"]
        if state not in ("cleaned", "denied", "failed", "quarantined"):
            yield f"the barrier opened although {scope} is {state}"
        yield from _not_loaded(world, scope, "is settled")


def _not_loaded(world: World, scope: str, what: str) -> Iterator[str]:
    unit = world.unit(scope)
    if world.resumes or unit["state"] == "quarantined":
        return  # what an earlier round loaded isn't known here; a crashed attempt's batches may be loaded or not
    for number in range(int(unit.get("pushed", 0))):
        if (batch := batch_id(scope, int(unit.get("attempt", 0)), number)) not in world.loaded:
            yield f"{scope} {what}, but the graph doesn't have its batch {batch}"


def fenced(redis: MemoryRedis, world: World, bounds: Bounds) -> Iterator[str]:
    """Calls of every attempt that doesn't hold its scope: none of them changes anything."""
    redis.db = world.db
    before = redis.copy()
    redis.db = redis.copy()
    for at, scope in enumerate(bounds.scope_ids):
        for attempt in range(1, int(world.unit(scope).get("attempt", 0)) + 1):
            if attempt != world.holders[at]:
                yield from _late_calls(redis, before, scope, attempt)


def _late_calls(redis: MemoryRedis, before: Db, scope: str, number: int) -> Iterator[str]:
    ledger, attempt = ModelLedger(redis), attempt_of(scope, number)
    pushed = int(part(before, f"{RUN}:unit:{scope}").get("pushed", 0))
    calls: dict[str, Callable[[], object]] = {
        "push": lambda: ledger.push(attempt, number=pushed, model="a", rows=1, payload=b"late"),
        "fetched": lambda: ledger.fetched(attempt, batches=pushed, outcome={}),
        "denied": lambda: ledger.denied(attempt, "late", {}),
        "later": lambda: ledger.later(attempt, wait_seconds=0, reason="late"),
        "renew": lambda: ledger.renew(attempt, lease_seconds=1),
    }
    for name, call in calls.items():
        with suppress(Fenced):
            call()
        for db in (before, redis.db):
            part(db, RUN).pop("wake_ms", None)  # a wake-up too many does no harm
        if redis.db != before:
            yield f"attempt {number} of {scope} no longer holds it, and its call of {name} changed the ledger"
            return


def is_end(world: World, bounds: Bounds) -> bool:
    """The run is over; or it would go on with an attempt that the bounds don't allow."""
    units = [world.unit(scope) for scope in bounds.scope_ids]
    return world.state in _OVER or any(
        unit["state"] == "planned" and int(unit.get("attempt", 0)) == bounds.attempts for unit in units
    )
