"""Every state that a run can reach, breadth first; the shortest way to a broken promise, if there is one."""

from __future__ import annotations

import hashlib
import marshal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from loaders.ledger import scripts
from tests.ledger_model import promises
from tests.ledger_model.memory_redis import MemoryRedis
from tests.ledger_model.world import Action, Bounds, Broken, World, actions, canonical, start, take

Sources = Callable[[str], str]


@dataclass
class Found:
    """`way`: the actions that lead to the state that breaks a promise."""

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    broken: str = ""
    way: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        size = f"{self.states} states, {self.transitions} transitions, {self.seconds:.1f} s"
        return f"{size}\n{self.broken}, after: {', '.join(self.way)}" if self.broken else size


@dataclass(slots=True)
class _Known:
    number: int
    parent: int
    action: Action | None


def explore(bounds: Bounds, sources: Sources = scripts._source) -> Found:
    """All states within the bounds; it ends at the first that breaks a promise."""
    redis = MemoryRedis(sources)
    first = start(redis, bounds)
    known = {_digest(first): _Known(0, -1, None)}
    order: list[_Known] = list(known.values())
    waiting = deque([(0, _packed(first))])
    fair_before: list[list[int]] = [[]]  # for each state, those from which a fair action leads to it
    ends: list[int] = []
    found, began = Found(), time.monotonic()

    def stop(number: int, text: str, last: Action | None = None) -> Found:
        found.broken, found.way = text, _way(order, number) + ([str(last)] if last else [])
        return finish()

    def finish() -> Found:
        found.states, found.seconds = len(known), time.monotonic() - began
        return found

    while waiting:
        number, packed = waiting.popleft()
        world = _unpacked(packed)
        for text in (*promises.broken(world, bounds), *promises.fenced(redis, world, bounds)):
            return stop(number, text)
        if promises.is_end(world, bounds):
            ends.append(number)
        for action in actions(world, bounds):
            found.transitions += 1
            try:
                after = take(redis, world, action, bounds)
            except Broken as error:
                return stop(number, str(error), action)
            name = _digest(after)
            if name not in known:
                known[name] = _Known(len(known), number, action)
                order.append(known[name])
                fair_before.append([])
                waiting.append((known[name].number, _packed(after)))
            if action.fair:
                fair_before[known[name].number].append(number)
    stuck = set(range(len(known))) - _reaching(ends, fair_before)
    return stop(min(stuck), "from here on the run never ends") if stuck else finish()


# -- there are many states: each is known by a digest, and waits as bytes


def _digest(world: World) -> bytes:
    return hashlib.blake2b(marshal.dumps(canonical(world), 2), digest_size=16).digest()


def _packed(world: World) -> tuple[bytes, World]:
    return marshal.dumps(world.db, 2), replace(world, db={})


def _unpacked(packed: tuple[bytes, World]) -> World:
    db, world = packed
    return replace(world, db=marshal.loads(db))


def _reaching(ends: list[int], before: list[list[int]]) -> set[int]:
    """The states from which an end can be reached."""
    reached, to_do = set(ends), deque(ends)
    while to_do:
        for number in before[to_do.popleft()]:
            if number not in reached:
                reached.add(number)
                to_do.append(number)
    return reached


def _way(order: list[_Known], number: int) -> list[str]:
    way: list[str] = []
    while (action := order[number].action) is not None:
        way.append(str(action))
        number = order[number].parent
    return way[::-1]


def world_of(bounds: Bounds, names: list[str], sources: Sources = scripts._source) -> World:
    """The world after these actions, by their texts."""
    redis = MemoryRedis(sources)
    world = start(redis, bounds)
    for name in names:
        action = next(action for action in actions(world, bounds) if str(action) == name)
        world = take(redis, world, action, bounds)
    return world
