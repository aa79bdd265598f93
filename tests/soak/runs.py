"""One run of the harness: the estate changes, a run starts, faults happen to it, it ends, the oracle judges it."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import redis

from loaders.ledger import UNDER_WAY, Ledger, RunInfo, RunState, Unit
from loaders.writer import RunRefused, claimed_by, revoke_claim
from tests.fleet.running import wait_for
from tests.fleet.short_lived_graph import empty
from tests.soak.estate import Estate
from tests.soak.injection import Injection, newest_run, start_beat
from tests.soak.leaks import leaks
from tests.soak.oracle import Ended, is_seen, jobs_done, violations
from tests.soak.schedule import Kind, Schedule
from tests.soak.snapshot import Snapshot, snapshot
from tests.soak.surroundings import Surroundings
from workers.fleet.queues import SYNC_TASK

END_SECONDS: Final = 240  # a run under faults takes 20 to 40; a busy machine needs longer
FIRST_SECONDS: Final = 400  # Neo4j plans all queries of the analysis, which a busy machine takes minutes for
START_SECONDS: Final = 60
POLL_SECONDS: Final = 0.2
BEAT_RUNS_SECONDS: Final = 8  # how long beat goes on asking
ASKED_SECONDS: Final = 12  # a run that was asked for has begun by then: it may wait 10 s for the graph


@dataclass
class Verdict:
    """`state` of the run as it ended; "lost" where Redis lost it."""

    schedule: Schedule
    run: str
    state: str
    seconds: float
    injected: Counter[Kind]
    violations: list[str] = field(default_factory=list)


class NotUndisturbed(Exception):
    """A run without any fault broke a promise: there is nothing to compare others with."""


class Harness:
    """Runs over one fleet. The graph goes from one to the next, as in a fleet that runs every day."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._expected: dict[int, Snapshot] = {}
        self._leaves: int | None = None  # the variant that the graph holds
        self._settled = True  # the last run passed its barrier
        self._beat: subprocess.Popen[bytes] | None = None  # while it asks for runs

    @property
    def estate(self) -> Estate:
        return self.around.estate

    def expected(self, variant: int) -> Snapshot:
        """What an undisturbed run leaves. The first time, it is made from an empty graph."""
        if variant not in self._expected:
            empty(self.around.graph)
            self._undisturbed(variant)
            self._expected[variant] = snapshot(self.around.graph)
        return self._expected[variant]

    def judge(self, schedule: Schedule) -> Verdict:
        """Make a run, and say which promises it broke. After a violation the graph begins anew."""
        try:
            expected = self.expected(schedule.estate)
            self.expected(schedule.before)
            if self._leaves != schedule.before:
                self._undisturbed(schedule.before)
        except NotUndisturbed as error:
            return Verdict(schedule, "", "not begun", 0.0, Counter(), [str(error)])
        before = snapshot(self.around.graph)
        self.estate.set(schedule.estate)
        started = time.monotonic()
        with self._started(schedule) as run:
            injection = Injection(self.around, schedule, run)
            try:
                run, ended_in_time = self._until_the_end(injection)
            finally:
                injection.end()
                self._recover()
        info = _info(self.around, run)
        if info and Kind.REDIS_ROLLBACK in schedule.kinds and _wrote_later(self.around, info.tag):
            info = None  # the run that is to be judged is a later one, which Redis has forgotten
        verdict = Verdict(schedule, run, info.state if info else "lost", time.monotonic() - started, injection.injected)
        if not ended_in_time:
            verdict.violations = [f"the run didn't end within {END_SECONDS} s: {_stuck(self.around, run)}"]
        else:
            ended = self._ended(schedule, run, info, before, expected)
            verdict.violations = [*violations(ended), *leaks(self.around, run, info.state if info else None)]
            self._settled = ended.complete
        self._leaves = None if verdict.violations else schedule.estate
        self._clear(run)
        return verdict

    def _ended(self, schedule: Schedule, run: str, info: RunInfo | None, before: Snapshot, expected: Snapshot) -> Ended:
        graph = self.around.graph
        return Ended(
            run=run,
            info=info,
            units=_units(self.around, run) if info else [],
            before=before,
            after=snapshot(graph),
            expected=expected,
            kinds=schedule.kinds,
            settled=self._settled,
            jobs_done=jobs_done(graph, run),
        )

    # -- a run

    def _undisturbed(self, variant: int) -> None:
        self.estate.set(variant)
        ledger = self._start()
        with suppress(TimeoutError):
            wait_for(lambda: ledger.state() not in UNDER_WAY, seconds=FIRST_SECONDS)
        info = ledger.info()
        not_seen = [f"{unit.scope.id} is {unit.state}" for unit in ledger.units() if unit.parent and not is_seen(unit)]
        if info is None or info.state is not RunState.COMPLETE or not_seen:
            self._clear(ledger.run)
            raise NotUndisturbed(f"without any fault: the run is {info.state if info else 'lost'}; {not_seen}")
        self._clear(ledger.run)
        self._leaves, self._settled = variant, True
        print(f"undisturbed run of variant {variant}: {(info.finished_ms - info.created_ms) / 1000:.0f} s", flush=True)

    def _start(self) -> Ledger:
        """As `chartfleet sync` starts it: once no other run holds the graph any more."""
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                return Ledger(self.around.redis, self.around.fleet.start().run)
            except RunRefused:
                if time.monotonic() > end:
                    raise
                time.sleep(1)

    @contextmanager
    def _started(self, schedule: Schedule) -> Iterator[str]:
        if Kind.BEAT in schedule.kinds:
            self._beat = start_beat(self.around)
            try:
                yield self._asked_for()
            finally:
                self._end_beat()
        elif schedule.by_message:
            self.around.fleet.app.send_task(SYNC_TASK)
            yield self._asked_for()
        else:
            yield self._start().run

    def _end_beat(self) -> None:
        if self._beat:
            self._beat.kill()
            self._beat.wait()
            self._beat = None

    def _asked_for(self) -> str:
        """The run that a coordinator starts."""
        return wait_for(lambda: newest_run(self.around.redis), seconds=START_SECONDS)

    def _until_the_end(self, injection: Injection) -> tuple[str, bool]:
        """The run that is to be judged, and whether it ended. Beat may have had another one started meanwhile."""
        with_beat = Kind.BEAT in injection.schedule.kinds
        run, end, over_since = injection.run, injection.started + END_SECONDS, 0.0
        while time.monotonic() < end:
            injection.tick()
            self.around.fleet.workers.watch()
            if with_beat and time.monotonic() > injection.started + BEAT_RUNS_SECONDS:
                self._end_beat()
            with suppress(redis.RedisError):
                if with_beat:
                    run = newest_run(self.around.redis) or run
                over = Ledger(self.around.redis, run).state() not in UNDER_WAY
                over_since = (over_since or time.monotonic()) if over and not injection.pending else 0.0
                quiet_seconds = ASKED_SECONDS if with_beat else 0.0
                if over_since and not self._beat and time.monotonic() >= over_since + quiet_seconds:
                    return run, True
            time.sleep(POLL_SECONDS)
        return run, False

    # -- between two runs

    def _recover(self) -> None:
        """Everything is there again: Redis, Neo4j, each worker."""
        around = self.around
        for worker in around.fleet.workers.workers:
            worker.restarts = 0
        around.wait_for_services()
        around.redis.config_set("maxmemory", 0)
        around.redis_door.loss = 0.0
        around.fleet.thaw()
        around.fleet.wait_until_ready(seconds=120)

    def _clear(self, run: str) -> None:
        """No run, no message: what a run that was judged left behind must not disturb the next one."""
        client = self.around.redis
        if Ledger(client, run).state() in UNDER_WAY:
            Ledger(client, run).cancel("the harness gives it up")
            revoke_claim(self.around.graph, run)
        for pattern in ("chartfleet:runs", "chartfleet:ledger:*", "unacked*", "celery-task-meta-*"):
            for key in client.scan_iter(pattern, count=1000):
                client.delete(key)


def _info(around: Surroundings, run: str) -> RunInfo | None:
    return Ledger(around.redis, run).info()


def _wrote_later(around: Surroundings, tag: int) -> bool:
    """Whether a later run has claimed the graph."""
    held = claimed_by(around.graph)
    return held is not None and held.tag > tag


def _units(around: Surroundings, run: str) -> list[Unit]:
    return list(Ledger(around.redis, run).units())


def _stuck(around: Surroundings, run: str) -> str:
    """Where a run stands that doesn't end."""
    info = _info(around, run)
    if info is None:
        return "it is lost"
    open_ = [f"{unit.scope.id} {unit.state}" for unit in _units(around, run) if unit.state in ("planned", "fetching")]
    return (
        f"{info.state}, {info.open} open, {info.waiting} batches wait, {info.blocked_by or 'not blocked'}; {open_[:5]}"
    )
