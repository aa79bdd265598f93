"""The ledger's scripts, explored in every order that a small run allows: no promise is broken, unless on purpose."""

from __future__ import annotations

import random
from typing import Any

import pytest
import redis

from loaders.ledger import scripts
from tests.ledger_model.memory_redis import Db, MemoryRedis
from tests.ledger_model.mutations import MUTATIONS, Mutation
from tests.ledger_model.search import explore
from tests.ledger_model.world import Bounds, actions, start, take

WALKS, STEPS = 30, 25
DURATIONS = "chartfleet:durations"  # how long scopes took, by a clock


@pytest.mark.parametrize(
    ("bounds", "states"),
    [
        pytest.param(Bounds(scopes=1, attempts=2, batches=2), 2_000, id="one scope, tried twice"),
        pytest.param(Bounds(scopes=2, attempts=1, batches=1), 2_000, id="two scopes"),
        pytest.param(Bounds(scopes=1, attempts=1, batches=1, resumes=1), 300, id="cancelled and resumed"),
        pytest.param(Bounds(scopes=2, attempts=2, batches=1), 50_000, id="two of each", marks=pytest.mark.long),
        pytest.param(Bounds(scopes=2, attempts=2, batches=2), 100_000, id="all", marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(7200)
def test_no_state_of_a_run_breaks_a_promise(bounds: Bounds, states: int) -> None:
    found = explore(bounds)
    print(found)
    assert not found.broken, str(found)
    assert found.states > states


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_promise_that_is_broken_on_purpose_is_found_out(mutation: Mutation) -> None:
    found = explore(mutation.bounds, mutation.sources())
    assert found.broken, f"{found.states} states, and nothing wrong in them"


def test_the_model_and_a_real_redis_reply_alike(oldest_redis: redis.Redis) -> None:
    """On random walks, with every script that the search calls."""
    rng = random.Random(19)
    called: set[str] = set()
    bounds = Bounds(scopes=2, attempts=2, batches=2, resumes=1)
    for _ in range(WALKS):
        both = _Both(oldest_redis)
        world = start(both, bounds)
        for _ in range(STEPS):
            possible = [action for action in actions(world, bounds) if action.name != "cancel" or rng.random() < 0.2]
            if not possible:
                break
            world = take(both, world, rng.choice(possible), bounds)
        called |= both.called
    assert called >= {"admit", "begin", "cancel", "cleaned", "close_run", "committed", "ended", "fetched", "later"}
    assert called >= {"open_barrier", "open_run", "plan", "push", "resume", "sweep", "take", "bad_rows"}


class _Both(MemoryRedis):
    """Makes each call in the model and in Redis: the replies must be the same, and so must be what both keep."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(scripts._source)
        client.flushall()
        self._client = client
        self._written: Db = {}
        self.called: set[str] = set()

    def call(self, script: str, key: str, *arguments: str | bytes | float) -> Any:
        self.called.add(script)
        self._move_what_was_written()
        mine = super().call(script, key, *arguments)
        theirs = self._client.register_script(self._sources(script))(keys=[key], args=list(arguments))
        assert _replied(script, _plain(theirs)) == _replied(script, mine), (script, arguments)
        self._written = self.copy()
        assert self._kept() == {n: _kept(v) for n, v in self.db.items() if n != DURATIONS}, (script, arguments)
        return mine

    def _move_what_was_written(self) -> None:
        """What the world itself writes into the ledger: leases that lapse."""
        for name, value in self.db.items():
            written = self._written.get(name, {})
            for member, moved in value.items() if isinstance(value, dict) else ():
                if isinstance(written, dict) and moved != written.get(member, moved):
                    if isinstance(moved, float):
                        self._client.zadd(name, {member: moved})
                    else:
                        self._client.hset(name, member, moved)

    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for raw in self._client.scan_iter("chartfleet:*", count=1000):
            match self._client.type(raw):
                case b"hash":
                    found: Any = self._client.hgetall(raw)
                    kept[raw.decode()] = _without_times({k.decode(): v.decode() for k, v in found.items()})
                case b"set":
                    kept[raw.decode()] = sorted(_plain(list(self._client.smembers(raw))))
                case b"zset":
                    kept[raw.decode()] = sorted(_plain(self._client.zrange(raw, 0, -1)))
                case _:
                    kept[raw.decode()] = _plain(self._client.get(raw))
        return kept


def _replied(script: str, reply: Any) -> Any:
    """What comes from a set has no order."""
    if script not in ("admit", "resume", "sweep"):
        return reply
    return sorted(reply) if all(isinstance(each, str) for each in reply) else [sorted(each) for each in reply]


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return value
    is_hash = any(isinstance(each, str) for each in value.values())
    return _without_times(value) if is_hash else sorted(value)


def _without_times(found: dict[str, str]) -> dict[str, str]:
    """The model's clock stands still."""
    times = {name for name in found if name.endswith("_ms")}
    return {name: "a time" if name in times else value for name, value in found.items()}


def _plain(reply: Any) -> Any:
    if isinstance(reply, bytes):
        return reply.decode()
    return [_plain(each) for each in reply] if isinstance(reply, list | tuple) else reply
