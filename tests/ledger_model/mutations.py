"""Ledgers with one guard or effect broken, each of which breaks a promise: the search must find every one out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

from loaders.ledger import scripts
from tests.ledger_model.search import Sources
from tests.ledger_model.world import Bounds


@dataclass(frozen=True, slots=True)
class Mutation:
    """`changes`: texts of the scripts, and what replaces them. `bounds`: enough to find it out."""

    name: str
    changes: Mapping[str, str]
    bounds: Bounds = field(default_factory=lambda: Bounds(scopes=1, attempts=2, batches=1))

    def sources(self) -> Sources:
        """The scripts, broken. Raises LookupError where nothing of that text is left to break."""
        known = {name: scripts._source(name) for name in _names()}
        missing = [text for text in self.changes if not any(text in source for source in known.values())]
        if missing:
            raise LookupError(f"{self.name}: no script says {missing}")
        return {name: _replaced(source, self.changes) for name, source in known.items()}.__getitem__


def _names() -> list[str]:
    files = (file.name for file in resources.files("loaders.ledger").iterdir())
    return [name.removesuffix(".lua") for name in files if name.endswith(".lua") and name != "prelude.lua"]


def _replaced(source: str, changes: Mapping[str, str]) -> str:
    for text, other in changes.items():
        source = source.replace(text, other)
    return source


_COUNTED: Final = {  # batches as a number: a batch that is reported twice counts twice
    "if redis.call('SCARD', k .. ':out') > 0 then return end": (
        "if tonumber(redis.call('HGET', k, 'left') or 0) > 0 then return end"
    ),
    "redis.call('SADD', k .. ':out', batch)": (
        "redis.call('SADD', k .. ':out', batch); redis.call('HINCRBY', k, 'left', 1)"
    ),
    "if unit and redis.call('SREM', unit_key(unit) .. ':out', batch) == 1 then": (
        "redis.call('SREM', unit_key(unit) .. ':out', batch)\n"
        "  if redis.call('HINCRBY', unit_key(unit), 'left', -1) then"
    ),
    "redis.call('DEL', out)": "redis.call('DEL', out); redis.call('HDEL', unit_key(unit), 'left')",
}

_CLEANED_TWICE: Final = {
    "  if redis.call('SREM', run .. ':cleanups', unit) == 1 then": (
        "  redis.call('SREM', run .. ':cleanups', unit)\n  if true then"
    ),
}
_SETTLED_TWICE: Final = {
    "if f[8] or not TERMINAL[state] then return end": "if state == 'planned' then return end",
    "if redis.call('SREM', run .. ':cleanups', unit) == 1 then": "if true then",
}

MUTATIONS: Final = (
    Mutation(
        "the barrier opens although scopes are open",
        {"if redis.call('HGET', run, 'open') ~= '0' then return 'not settled' end": ""},
    ),
    Mutation("a commit that is reported twice counts twice", _COUNTED, Bounds(1, 1, 2)),
    Mutation(
        "a scope is settled before its batches are committed",
        {"if redis.call('SCARD', k .. ':out') > 0 then return end": ""},
    ),
    Mutation(
        "a denied scope is cleaned",
        {
            "if state == 'fetched' then\n    if f[4]": "if state then\n    if f[4]",
            "if f[1] ~= 'fetched' or f[2] or f[3] or f[4] then return": "if f[2] or f[4] then return",
        },
    ),
    Mutation("a scope with rejected rows is cleaned", {"if state == 'fetched' and f[6] then": "if false then"}),
    Mutation(
        "an attempt that lost its scope may push",
        {"if not running() or not current(unit, attempt, ARGV[3]) then return {'fenced'} end": ""},
    ),
    Mutation(
        "an attempt of any number holds a scope",
        {"held[1] == attempt and held[2] == token and held[3] ==": "held[3] =="},
    ),
    Mutation(
        "two attempts hold a scope",
        {
            "return {f[2] == token and f[3] or 'leased', f[4] or '', f[5] and '1' or ''} end": "end",
            "if state ~= 'planned' then return {'settled'} end": "if settled then return {'settled'} end",
        },
    ),
    Mutation(
        "a scope whose process died is not sent again",
        {"    back_to_planned(unit)\n    publish_now(unit)": "    back_to_planned(unit)"},
    ),
    Mutation(
        "a lost attempt keeps its scope",
        {"ipairs(redis.call('ZRANGEBYSCORE', run .. ':leases', '-inf', now, 'LIMIT', 0, 500))": "ipairs({})"},
        Bounds(1, 1, 0),
    ),
    Mutation(
        "a cleaned scope is never settled",
        {"    settle(unit, events)\n  end\nend\nreturn counted": "  end\nend\nreturn counted"},
    ),
    Mutation("a scope is settled twice", _SETTLED_TWICE),
    Mutation("whatever is reported twice counts twice", _COUNTED | _CLEANED_TWICE, Bounds(1, 1, 2)),
    Mutation("a cancelled run still cleans", {"':models', run .. ':cleanups', ": "':models', "}),
    Mutation(
        "batches of a replaced attempt stay in line",
        {"drop_batches(unit)\nlocal attempt": "local attempt"},
    ),
    Mutation("the ledger forgets that something waits", {"redis.call('HINCRBY', run, 'waiting', 1)": ""}),
    Mutation(
        "a dead analyst is never replaced",
        {"and tonumber(redis.call('HGET', run, 'barrier_lease_ms') or 0) > now_ms() then": "then"},
        Bounds(1, 1, 0),
    ),
)
