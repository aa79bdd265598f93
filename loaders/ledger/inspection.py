"""What everyone may ask of a run: its head, its scopes, its batches; and how it is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import redis

from loaders.batch import BatchId
from loaders.ledger.holders import Holder, holders
from loaders.ledger.scripts import RUNS, decoded
from loaders.ledger.seals import HEAD, Seals
from loaders.ledger.signing import NotSigned
from loaders.ledger.state import Outcome, RunInfo, RunState, State, Unit
from loaders.ledger.version import UNVERSIONED, UNVERSIONED_KEY, VERSION, OtherVersion
from loaders.ledger.writing import GAP, NOT_COMPLETE
from loaders.reason import Reason
from loaders.scope import Scope

_LEFT: Final = "chartfleet:left:"
_LEFT_SECONDS: Final = 24 * 3600
_UNITS_PER_CALL: Final = 1_000


class Inspection(Seals):
    def info(self) -> RunInfo | None:
        """The head of the run, or None if this broker doesn't know the run. Raises OtherVersion, NotSigned."""
        raw = self._hash(self._key)
        if raw.get("version") != VERSION:
            if version := self.version():
                raise OtherVersion(self.run, version)
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
            swept_ms=number("swept_ms"),
            round=number("round"),
            config=json.loads(raw.get("config", "{}")),
            report=json.loads(raw.get("report", "{}")),
            step=raw.get("barrier_step", ""),
            analyses=number("analyses"),
        )

    def version(self) -> str | None:
        """Of the ledger; None if this broker doesn't know the run."""
        if version := self._text("version"):
            return version
        return UNVERSIONED if self._redis.exists(f"{UNVERSIONED_KEY}{self.run}") else None

    def leave(self, worker: str) -> str | None:
        """In a worker: whether a run is another version's, in words. `status` of that version then names the worker."""
        version = self.version()
        if version in (None, VERSION):
            return None
        key = f"{_LEFT}{self.run}"
        self._redis.hset(key, worker.rpartition(":")[0], VERSION)
        self._redis.expire(key, _LEFT_SECONDS)
        return f"left to a worker of the ledger's version {version}: this one's is {VERSION}"

    def left_by(self) -> dict[str, str]:
        """The workers that left messages of this run to others, and their versions of the ledger."""
        return self._hash(f"{_LEFT}{self.run}")

    def is_signed(self) -> bool:
        """Whether a process of this version, with the fleet's key, opened the run as it is. Costs less than `info`."""
        fields = self._fields(self._key, "version", "signature", "tag", "config")
        version, signature, tag, config = ((field or b"").decode() for field in fields)
        return version == VERSION and self._signer.fits(signature, HEAD, tag, config)

    def state(self) -> RunState | None:
        """The state of the run, without everything else that `info` reads: a report may be large.

        None for a run of another version.
        """
        state, version = self._fields(self._key, "state", "version")
        return RunState(state.decode()) if state and version == VERSION.encode() else None

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

    def tenants(self) -> int:
        """How many tenants were found; 0 where that is no longer known."""
        return int(self._redis.hlen(f"{self._key}:access"))

    def is_whole(self) -> bool:
        """Whether more is known of the run than its head."""
        return bool(self._redis.exists(f"{self._key}:units"))

    def unit(self, scope: Scope) -> Unit | None:
        return _unit_if_known(scope, self._hash(f"{self._key}:unit:{scope.id}"))

    def ended(self, scope: Scope) -> tuple[Unit | None, list[Scope]]:
        """A scope after an attempt, and the parts that its listing planned."""
        key = f"{self._key}:unit:{scope.id}"
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(key)
            pipeline.smembers(f"{key}:parts")
            raw, parts = pipeline.execute()
        return _unit_if_known(scope, decoded(raw)), [Scope.parse(part.decode()) for part in sorted(parts)]

    def holders(self) -> list[Holder]:
        """The processes with attempts in progress, the longest silent first."""
        return holders(self._redis, self.run)

    def batches(self, scope: Scope) -> list[BatchId]:
        """The batches of a scope that are not committed yet."""
        names = self._members(f"{self._key}:unit:{scope.id}:out")
        return sorted((BatchId.parse(name) for name in names), key=lambda batch: batch.number)

    def forget_units(self) -> None:
        """Remove everything but the head of the run. May be called again: it then costs one look-up."""
        if self.is_whole():
            self._unlink_keys()

    def forget(self) -> None:
        """Remove every key of the run, whatever its version."""
        if self.version() == UNVERSIONED:
            for key in self._redis.scan_iter(match=f"{UNVERSIONED_KEY}{self.run}*", count=1000):
                self._redis.unlink(key)
        self._unlink_keys()
        self._redis.unlink(self._key)
        self._redis.zrem(RUNS, self.run)

    def _unlink_keys(self) -> None:
        for key in self._redis.scan_iter(match=f"{self._key}:*", count=1000):
            self._redis.unlink(key)


def runs(client: redis.Redis) -> list[str]:
    """Ids of the runs that this broker knows, newest first."""
    ids: list[bytes] = client.zrevrange(RUNS, 0, -1)  # type: ignore[assignment]
    return [run.decode() for run in ids]


def _unit_if_known(scope: Scope, fields: dict[str, str]) -> Unit | None:
    return _unit(scope.id, fields) if "state" in fields else None


def _unit(unit_id: str, raw: Mapping[str, str]) -> Unit:
    started, ended = raw.get("started_ms"), raw.get("ended_ms")
    why, gaps = Reason.parse(raw.get("reason", "")), _gaps(raw)
    return Unit(
        scope=Scope.parse(unit_id),
        state=State(raw["state"]),
        reason=str(why),
        attempt=int(raw.get("attempt", 0)),
        crashes=int(raw.get("crashes", 0)),
        rows=int(raw.get("rows", 0)),
        seconds=max(0.0, float(ended) - float(started)) / 1000 if started and ended else None,
        worker=raw.get("worker", ""),
        parent="parent" not in raw,
        held=raw.get("held") == "1",
        outcome=_outcome(raw, gaps),
        why=why,
        gaps=gaps,
        suspect="suspect" in raw,
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
