"""What is signed in a run's ledger, and how it is verified that a scope is complete.

head       the run's configuration and tag, by the coordinator that opened or resumed it
unit       that a scope or part is planned, by the planner
tenant     how a tenant is reached, by the planner
batch      rows, by the fetcher
seal       that an attempt saw everything: its batches, parts and outcome, by the fetcher or planner
committed  that the graph has a batch, by the loader
settled    that nothing is left of a scope which it no longer holds, or that this is held back, by the loader
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from loaders.ledger.scripts import Scripts, decoded
from loaders.ledger.state import Attempt, State

HEAD: Final = "head"
UNIT: Final = "unit"
TENANT: Final = "tenant"
BATCH: Final = "batch"
_COMMITTED: Final = "committed"
_SEAL: Final = "seal"
_SETTLED: Final = "settled"

_COMPLETE: Final = (State.FETCHED, State.CLEANED, State.HELD_BACK)

Fields = Mapping[str, str]  # of a unit's hash


def batch_name(attempt: Attempt, number: int, model: str) -> str:
    """The name that push.lua gives a batch."""
    return f"{model}|{attempt.number}.{attempt.token}|{number}|{attempt.scope.id}"


class Seals(Scripts):
    def _seal(self, attempt: Attempt, batches: int, outcome: str, parts: Sequence[str]) -> str:
        """That this attempt saw everything: its signature, with the counts that it covers."""
        held = (attempt.scope.id, str(attempt.number), attempt.token)
        signature = self._signer.sign(_SEAL, *held, str(batches), outcome, _digest(parts))
        return f"{signature}|{batches}|{len(parts)}"

    def _is_sealed(self, unit: str, fields: Fields, parts: Collection[str]) -> bool:
        """Whether the current attempt saw everything, in these parts."""
        signature, batches, count = _read_seal(fields)
        held = (unit, fields.get("attempt", ""), fields.get("token", ""))
        signed = (*held, str(batches), fields.get("outcome", ""), _digest(sorted(parts)))
        return count == len(parts) and self._signer.fits(signature, _SEAL, *signed)

    def _complete(self, units: Sequence[str]) -> set[str]:
        """Those of which everything was seen, in all parts, and every batch is in the graph."""
        if not self._signer.verifies:
            return {*units}
        parts = dict(zip(units, self._sets(f"{self._key}:unit:{unit}:parts" for unit in units), strict=True))
        every = [*units, *(part for of in parts.values() for part in of)]
        fields = dict(zip(every, self._hashes(f"{self._key}:unit:{unit}" for unit in every), strict=True))
        receipts = dict(zip(every, self._hashes(f"{self._key}:unit:{unit}:receipts" for unit in every), strict=True))

        def is_loaded(unit: str, of: Collection[str]) -> bool:
            return self._is_sealed(unit, fields[unit], of) and self._has_receipts(unit, fields[unit], receipts[unit])

        return {unit for unit, of in parts.items() if is_loaded(unit, of) and all(is_loaded(part, ()) for part in of)}

    def _has_receipts(self, unit: str, fields: Fields, receipts: Fields) -> bool:
        """Whether the loader signed for every batch of the current attempt."""
        _, batches, _ = _read_seal(fields)
        attempt = f"{fields.get('attempt', '')}.{fields.get('token', '')}"
        return all(
            self._signer.fits(receipts.get(str(number), ""), _COMMITTED, attempt, str(number), unit)
            for number in range(batches)
        )

    def _receipt(self, batch: str, failed: Collection[str]) -> str:
        """The loader's signature for a batch. Its number is unique in its attempt, so its model is not needed.

        Empty for a batch of a scope that failed, and for a name that no attempt gave: no commit of it counts.
        """
        _, attempt, number, unit = (*batch.split("|", 3), "", "", "")[:4]
        if not unit or unit.partition("#")[0] in failed:
            return ""
        return self._signer.sign(_COMMITTED, attempt, number, unit)

    def _settled_receipts(self, state: State, units: Sequence[str]) -> dict[str, str]:
        """For each unit, the loader's signature that it is cleaned, or held back."""
        if not self._signer.verifies:
            return dict.fromkeys(units, "")
        fields = self._hashes(f"{self._key}:unit:{unit}" for unit in units)
        pairs = zip(units, fields, strict=True)
        return {unit: self._signer.sign(_SETTLED, state, *_held(unit, of)) for unit, of in pairs}

    def _is_proven(self, unit: str, fields: Fields) -> bool:
        """Whether a unit that its state calls complete is."""
        state = State(fields["state"])
        if not self._signer.verifies or state not in _COMPLETE or "parent" in fields:
            return True
        is_settled = self._signer.fits(fields.get("receipt", ""), _SETTLED, state, *_held(unit, fields))
        return is_settled or (state is not State.HELD_BACK and self._is_empty(unit, fields))

    def _is_empty(self, unit: str, fields: Fields) -> bool:
        """Whether everything was seen, and nothing was there to load: such a scope needs no cleanup by the loader."""
        _, batches, count = _read_seal(fields)
        parts = self._members(f"{self._key}:unit:{unit}:parts") if count > 0 else []
        if batches != 0 or not self._is_sealed(unit, fields, parts):
            return False
        of_parts = self._hashes(f"{self._key}:unit:{part}" for part in parts)
        return all(
            _read_seal(of)[1] == 0 and self._is_sealed(part, of, ()) for part, of in zip(parts, of_parts, strict=True)
        )

    def _text(self, field: str) -> str:
        """A field of the run's head."""
        [raw] = self._fields(self._key, field)
        return raw.decode() if raw else ""

    def _sets(self, keys: Iterable[str]) -> list[set[str]]:
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.smembers(key)
        replies: list[set[bytes]] = pipe.execute()
        return [{member.decode() for member in reply} for reply in replies]

    def _hashes(self, keys: Iterable[str]) -> list[dict[str, str]]:
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.hgetall(key)
        replies: list[dict[bytes, bytes]] = pipe.execute()
        return [decoded(reply) for reply in replies]


def _held(unit: str, fields: Fields) -> tuple[str, str, str]:
    return unit, fields.get("attempt", ""), fields.get("token", "")


def _read_seal(fields: Fields) -> tuple[str, int, int]:
    """The signature, the number of batches, the number of parts; what matches nothing where there is none."""
    signature, _, counts = fields.get("seal", "").partition("|")
    batches, _, parts = counts.partition("|")
    return (signature, int(batches), int(parts)) if batches.isdigit() and parts.isdigit() else ("", -1, -1)


def _digest(parts: Iterable[str]) -> str:
    """Of a list of any length."""
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()
