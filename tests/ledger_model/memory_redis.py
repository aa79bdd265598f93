"""As much of Redis as the scripts use, in a dictionary that can be copied: a state of the search.

The scripts are the real ones, run by the Lua that Redis has. A test compares both on random walks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from lupa import lua51

NOW: Final = 1_000_000  # seconds: nothing waits here; what lapses is moved into the past
Key = dict[str, Any]  # a hash, a set (values None) or a sorted set (values are scores)
Db = dict[str, Key | str]


class MemoryRedis:
    """`db` is the state: it is replaced to go back to another one, and changed in place by `call`.

    `clock`: seconds of its TIME. No key expires.
    """

    def __init__(self, sources: Callable[[str], str], clock: Callable[[], float] = lambda: NOW) -> None:
        self.db: Db = {}
        self._clock = clock
        self._sources = sources
        self._functions: dict[str, Any] = {}

    def call(self, script: str, key: str, *arguments: str | bytes | float) -> Any:
        """Run a script. Its reply is a string, a number, or a list."""
        if script not in self._functions:
            text = f"return function(KEYS, ARGV, redis, cjson)\n{self._sources(script)}\nend"
            self._functions[script] = self._lua.execute(text)
        argv = self._lua.table_from([_text(argument) for argument in arguments])
        keys = self._lua.table_from([key])
        return _plain(self._functions[script](keys, argv, self._redis, self._cjson))

    def copy(self) -> Db:
        return {name: value if isinstance(value, str) else dict(value) for name, value in self.db.items()}

    @cached_property
    def _lua(self) -> Any:
        return lua51.LuaRuntime(unpack_returned_tuples=True)

    @cached_property
    def _redis(self) -> Any:
        return self._lua.table_from({"call": self._command})

    @cached_property
    def _cjson(self) -> Any:
        return self._lua.table_from({"decode": lambda text: self._table(json.loads(text))})

    def _table(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._lua.table_from({name: self._table(each) for name, each in value.items()})
        if isinstance(value, list):
            return self._lua.table_from([self._table(_nil(each)) for each in value])
        return value

    def _command(self, name: str, *arguments: Any) -> Any:
        if name == "TIME":
            seconds, part = divmod(self._clock(), 1)
            return self._table([str(int(seconds)), str(int(part * 1e6))])
        reply = _COMMANDS[name](self.db, *(_text(argument) for argument in arguments))
        return self._table(reply) if isinstance(reply, list) else _nil(reply)


def _nil(value: Any) -> Any:
    """As Redis gives a nil to Lua."""
    return False if value is None else value


def _text(value: Any) -> str:
    """As Redis takes a Lua number: without a fraction if it has none."""
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else f"{value:.17g}"
    return value.decode() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if lua51.lua_type(value) == "table":
        return [_plain(each) for each in value.values()]
    return int(value) if isinstance(value, float) else value


# -- commands


def _key(db: Db, name: str) -> Key:
    found = db.get(name, {})
    assert not isinstance(found, str)
    return found


def _made(db: Db, name: str) -> Key:
    made = db.setdefault(name, {})
    assert not isinstance(made, str)
    return made


def _remove(db: Db, name: str, *fields: str) -> int:
    found = _key(db, name)
    removed = sum(found.pop(field, ...) is not ... for field in fields)
    if name in db and not found:
        del db[name]
    return removed


def _hset(db: Db, name: str, *pairs: str) -> int:
    found = _made(db, name)
    new = sum(field not in found for field in pairs[::2])
    found.update(zip(pairs[::2], pairs[1::2], strict=True))
    return new


def _hsetnx(db: Db, name: str, field: str, value: str) -> int:
    return 0 if field in _key(db, name) else _hset(db, name, field, value)


def _hincrby(db: Db, name: str, field: str, by: str) -> int:
    assert "." not in by
    assert by != "-0", "Redis doesn't accept it"
    found = _made(db, name)
    found[field] = str(int(found.get(field, 0)) + int(by))
    return int(found[field])


def _sadd(db: Db, name: str, *members: str) -> int:
    found = _made(db, name)
    new = len(set(members) - found.keys())
    found.update(dict.fromkeys(members))
    return new


def _zadd(db: Db, name: str, *arguments: str) -> int:
    found, only_greater = _made(db, name), arguments[0] == "GT"
    pairs = arguments[1:] if only_greater else arguments
    new = 0
    for score, member in zip(pairs[::2], pairs[1::2], strict=True):
        new += member not in found
        if not only_greater or float(score) > found.get(member, float("-inf")):
            found[member] = float(score)
    return new


def _zincrby(db: Db, name: str, by: str, member: str) -> str:
    found = _made(db, name)
    found[member] = found.get(member, 0.0) + float(by)
    return _text(found[member])


def _in_order(found: Mapping[str, float]) -> list[str]:
    return sorted(found, key=lambda member: (found[member], member))


def _zrange(db: Db, name: str, start: str, stop: str, *options: str) -> list[str]:
    found = _key(db, name)
    members = _in_order(found)
    end = int(stop)
    chosen = members[int(start) : None if end == -1 else end + 1]
    return [word for member in chosen for word in (member, _text(found[member]))] if options else chosen


def _zrangebyscore(db: Db, name: str, least: str, most: str, *_: str) -> list[str]:
    assert least == "-inf"
    found = _key(db, name)
    return [member for member in _in_order(found) if found[member] <= float(most)]


def _zscore(db: Db, name: str, member: str) -> str | None:
    score = _key(db, name).get(member)
    return None if score is None else _text(score)


def _delete(db: Db, *names: str) -> int:
    return sum(db.pop(name, None) is not None for name in names)


def _set(db: Db, name: str, value: str) -> str:
    db[name] = value
    return "OK"


_COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "PEXPIRE": lambda db, name, _: int(name in db),
    "EXISTS": lambda db, name: int(name in db),
    "DEL": _delete,
    "UNLINK": _delete,
    "GET": lambda db, name: db.get(name),
    "SET": _set,
    "STRLEN": lambda db, name: len(db.get(name, "")),
    "HGET": lambda db, name, field: _key(db, name).get(field),
    "HEXISTS": lambda db, name, field: int(field in _key(db, name)),
    "HMGET": lambda db, name, *fields: [_key(db, name).get(field) for field in fields],
    "HSET": _hset,
    "HSETNX": _hsetnx,
    "HDEL": _remove,
    "HKEYS": lambda db, name: list(_key(db, name)),
    "HINCRBY": _hincrby,
    "SADD": _sadd,
    "SREM": _remove,
    "SCARD": lambda db, name: len(_key(db, name)),
    "SISMEMBER": lambda db, name, member: int(member in _key(db, name)),
    "SMEMBERS": lambda db, name: sorted(_key(db, name)),
    "SSCAN": lambda db, name, *_: ["0", sorted(_key(db, name))],
    "ZADD": _zadd,
    "ZREM": _remove,
    "ZCARD": lambda db, name: len(_key(db, name)),
    "ZINCRBY": _zincrby,
    "ZRANGE": _zrange,
    "ZRANGEBYSCORE": _zrangebyscore,
    "ZSCORE": _zscore,
}
