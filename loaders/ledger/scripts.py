"""How a transition runs: one idempotent Lua script beside this file, called with the key of the run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import redis

from loaders.ledger.signing import FleetKey, Signer
from loaders.ledger.state import Attempt, Event, Fenced

PREFIX: Final = "chartfleet:ledger:"
RUNS: Final = "chartfleet:runs"


@cache
def _source(name: str) -> str:
    folder = resources.files("loaders.ledger")
    return "".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in ("prelude", name))


class Scripts:
    """The run's place in Redis. Holds no state, so any number of processes may have one.

    With the fleet's key, what it writes is signed, and what it reads is verified where somebody obeys it.
    """

    def __init__(self, client: redis.Redis, run: str, key: FleetKey | None = None) -> None:
        self.run = run
        self._signer = Signer(key, run)
        self._redis = client
        self._key = f"{PREFIX}{run}"

    @property
    def client(self) -> redis.Redis:
        return self._redis

    def now_ms(self) -> int:
        """Redis's clock, which all times of the ledger are read from."""
        seconds, micros = self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def _call(self, name: str, *arguments: str | bytes | int | float) -> Any:
        """The script's reply: what redis-py makes of the Lua value that it returns.

        Raises redis.OutOfMemoryError where the memory of Redis is full: then the script did nothing.
        """
        script = self._redis.register_script(_source(name))
        try:
            return script(keys=[self._key], args=list(arguments))
        except redis.ResponseError as error:
            if not isinstance(error, redis.OutOfMemoryError) and "OOM command not allowed" in str(error):
                raise redis.OutOfMemoryError(str(error)) from None  # as Redis 6.2 reports it
            raise

    def _transition(self, name: str, *arguments: str | bytes | int | float) -> list[Event]:
        """What the caller has to publish after it. Raises Fenced."""
        reply: Sequence[bytes] = self._call(name, *arguments)
        words = [word.decode() for word in reply]
        if words[:1] != ["ok"]:
            raise Fenced(words[0] if words else "no reply")
        return [Event(word) for word in words[1:]]

    # redis-py types every reply of its client as one of an asynchronous one, too: they are narrowed here.

    def _fields(self, key: str, *names: str) -> list[bytes | None]:
        return self._redis.hmget(key, list(names))  # type: ignore[return-value]

    def _hash(self, key: str) -> dict[str, str]:
        raw: dict[bytes, bytes] = self._redis.hgetall(key)  # type: ignore[assignment]
        return decoded(raw)

    def _members(self, key: str) -> list[str]:
        members: set[bytes] = self._redis.smembers(key)  # type: ignore[assignment]
        return sorted(member.decode() for member in members)


def decoded(raw: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in raw.items()}


def fence(attempt: Attempt) -> tuple[str, str, str]:
    """How a script learns which attempt calls it."""
    return attempt.scope.id, str(attempt.number), attempt.token


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
