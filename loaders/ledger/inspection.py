"""What everyone may ask of a run: its head, its scopes, its batches; and how it is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import redis

from loaders.batch import BatchId
from loaders.ledger.holders import Holder, holders
from loaders.ledger.scripts import decoded
from loaders.ledger.seals import HEAD, Seals
from loaders.ledger.signing import NotSigned
from loaders.ledger.state import Outcome, RunInfo, RunState, State, Unit
from loaders.ledger.writing import GAP, NOT_COMPLETE
from loaders.reason import Reason
from loaders.scope import Scope

_RUNS: Final = "chartfleet:runs"
_UNITS_PER_CALL: Final = 1_000


class Inspection(Seals):
    def info(self) -> RunInfo | None:
        """The head of the run, or None if this broker doesn't know the run. Raises NotSigned."""
        raw = self._hash(self._key)
        if not raw:
            return None
        if not self._signer.fits(raw.get("signature", ""), HEAD, raw.get("tag", ""), raw.get("config", "")):
            raise NotSigned(f"the run {self.run}")

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

    def is_signed(self) -> bool:
        """Whether a process of the fleet opened the run as it is. Costs less than `info`."""
        signature, tag, config = self._fields(self._key, "signature", "tag", "config")
        return self._signer.fits((signature or b"").decode(), HEAD, (tag or b"").decode(), (config or b"").decode())

    def state(self) -> RunState | None:
        """The state of the run, without everything else that `info` reads: a report may be large."""
        [raw] = self._fields(self._key, "state")
        return RunState(raw.decode()) if raw else None

    def units(self) -> Iterator[Unit]:
        """Every scope and part of the run, read in pages so that a large run needs little memory."""
        for unit, fields in self._every_unit():
            yield _unit(unit, fields)

    def proven_units(self) -> Iterator[Unit]:
        """The same once the barrier is open; what its fields call complete and nobody signed has failed."""
        for unit, fields in self._every_unit():
            if not self._is_proven(unit, fields):
                fields |= {"state": State.FAILED, "reason": NOT_COMPLETE.to_json()}
            yield _unit(unit, fields)

    def _every_unit(self) -> Iterator[tuple[str, dict[str, str]]]:
        ids = self._members(f"{self._key}:units")
        for start in range(0, len(ids), _UNITS_PER_CALL):
            page = ids[start : start + _UNITS_PER_CALL]
            pipe = self._redis.pipeline(transaction=False)
            for unit in page:
                pipe.hgetall(f"{self._key}:unit:{unit}")
            replies: list[dict[bytes, bytes]] = pipe.execute()
            for unit, raw in zip(page, replies, strict=True):
                if b"state" in raw:
                    yield unit, decoded(raw)

    def unit(self, scope: Scope) -> Unit | None:
        raw = self._hash(f"{self._key}:unit:{scope.id}")
        return _unit(scope.id, raw) if "state" in raw else None

    def holders(self) -> list[Holder]:
        """The processes with attempts in progress, the longest silent first."""
        return holders(self._redis, self.run)

    def batches(self, scope: Scope) -> list[BatchId]:
        """The batches of a scope that are not committed yet."""
        names = self._members(f"{self._key}:unit:{scope.id}:out")
        return sorted((BatchId.parse(name) for name in names), key=lambda batch: batch.number)

    def forget_units(self) -> None:
        """Remove everything but the head of the run. May be called again: it then costs one look-up."""
        if self._redis.exists(f"{self._key}:units"):
            self._unlink_keys()

    def forget(self) -> None:
        """Remove every key of the run."""
        self._unlink_keys()
        self._redis.unlink(self._key)
        self._redis.zrem(_RUNS, self.run)

    def _unlink_keys(self) -> None:
        for key in self._redis.scan_iter(match=f"{self._key}:*", count=1000):
            self._redis.unlink(key)


def runs(client: redis.Redis) -> list[str]:
    """Ids of the runs that this broker knows, newest first."""
    ids: list[bytes] = client.zrevrange(_RUNS, 0, -1)  # type: ignore[assignment]
    return [run.decode() for run in ids]


def _unit(unit_id: str, raw: Mapping[str, str]) -> Unit:
    started, ended = raw.get("started_ms"), raw.get("ended_ms")
    why, gaps = Reason.parse(raw.get("reason", "")), _gaps(raw)
    return Unit(
        scope=Scope.parse(unit_id),
        state=State(raw["state"]),
        reason=str(why),
        attempt=int(raw["attempt"]),
        crashes=int(raw.get("crashes", 0)),
        rows=int(raw.get("rows", 0)),
        seconds=(float(ended) - float(started)) / 1000 if started and ended else None,
        worker=raw.get("worker", ""),
        parent="parent" not in raw,
        held=raw.get("held") == "1",
        outcome=_outcome(raw, gaps),
        why=why,
        gaps=gaps,
    )


def _outcome(raw: Mapping[str, str], gaps: Sequence[Reason]) -> Outcome:
    """As the attempt reported it, but with the gaps of the unit's own fields: those include the parts' gaps."""
    outcome: Outcome = json.loads(raw.get("outcome", "{}"))
    outcome.pop("gaps", None)
    if gaps:
        outcome["gaps"] = [gap.of_details() for gap in gaps]
    return outcome


def _gaps(raw: Mapping[str, str]) -> tuple[Reason, ...]:
    counts = {name.removeprefix(GAP): int(count) for name, count in raw.items() if name.startswith(GAP)}
    gaps = [replace(Reason.parse(text), items=count) for text, count in counts.items()]
    return tuple(sorted(gaps, key=Reason.of_details))
