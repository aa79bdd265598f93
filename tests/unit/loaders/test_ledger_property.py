"""A run under duplicates, losses, reordering and crashes: in whatever order, the ledger agrees with a model.

The model keeps facts only (who holds what, which batches are outstanding, what was cleaned) and derives every state
from them; the ledger's states, counters and replies must be the same after each step. At the end the rest of the run
is driven fairly, and must come to its barrier.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from loaders.batch import BatchId
from loaders.ledger import Attempt, Event, Fenced, Ledger, RunState, State
from loaders.ledger.signing import SIGNATURE_BYTES, FleetKey
from loaders.reason import Reason
from loaders.scope import Scope

TimePasses = Callable[..., None]
T = TypeVar("T")

MAX_CRASHES = 3
PLANNERS = (Scope(type="aws.tenants", tenant="all"), Scope(type="okta.tenants", tenant="all"))
BAD = (State.SKIPPED, State.DENIED, State.FAILED, State.QUARANTINED)  # from the mildest to the worst

SELDOM = st.sampled_from([False, False, False, True])
ONCE = {"open_run", "plan", "push", "fetched", "ended", "later", "committed", "cleaned", "not_cleaned"}


def tenant_of(scope: Scope) -> str:
    return scope.id if scope in PLANNERS else f"{scope.provider}/{scope.tenant}"


def is_planner(scope: Scope) -> bool:
    return scope in PLANNERS or scope.type.endswith(".scopes")


class Recorder(Ledger):
    """Remembers each script that it called, so that a test can call it again with the very same arguments."""

    def __init__(self, client: redis.Redis, run: str) -> None:
        super().__init__(client, run, FleetKey("only-for-tests-0123456789abcdef-0123456789"))
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def _call(self, name: str, *arguments: str | bytes | int | float) -> Any:
        self.calls.append((name, arguments))
        return super()._call(name, *arguments)

    def replay(self, name: str, arguments: tuple[Any, ...]) -> Any:
        return super()._call(name, *arguments)


@dataclass
class Fact:
    """What is known of a unit."""

    scope: Scope
    held: bool = False
    state: State = State.PLANNED  # as its last attempt left it
    attempt: int = 0
    holder: Attempt | None = None
    lapsed: bool = False  # the holder's lease has run out
    late: bool = False  # waits in `later`,
    wait_seconds: int = 0  # for so long
    queued: bool = False  # its tenant isn't admitted
    suspect: str = ""  # waits for a process to itself, or is alone in one
    crashes: int = 0
    given_up: int = 0
    pushed: list[str] = field(default_factory=list)
    out: set[str] = field(default_factory=set)
    parts: set[Scope] = field(default_factory=set)
    bad_rows: bool = False
    cleaned: bool = False
    held_back: bool = False

    @property
    def after_no_outcome(self) -> State:
        """What follows from an attempt that ended without one."""
        return State.QUARANTINED if self.crashes + self.given_up >= MAX_CRASHES else State.PLANNED


def without_token(batch: str) -> tuple[str, int, int]:
    """In an order that is the same each time, whatever tokens there are."""
    named = BatchId.parse(batch)
    return named.scope.id, named.attempt, named.number


IDLE, BUSY = {"aws": 0, "okta": 0}, {"aws": 1, "okta": 1}


class LedgerMachine(RuleBasedStateMachine):
    client: redis.Redis
    time_passes: TimePasses

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.ledger = Recorder(self.client, "r1")
        self.state = RunState.RUNNING
        self.window = 1
        self.facts: dict[Scope, Fact] = {}
        self.attempts_of_removed: dict[Scope, int] = {}
        self.messages: list[Scope] = []  # handed to the broker, and not lost on the way
        self.gone: list[Attempt] = []  # attempts that lost their scope, or ended, and whose worker may still call
        self.taken: dict[str, bytes] = {}  # in the hands of a writer, who may be slow
        self.payloads: dict[str, bytes] = {}
        self.committed: Counter[str] = Counter()
        self.round = 1
        self.barrier: str | None = None
        self.barrier_lapsed = False

    # -- the model: what follows from the facts

    def outstanding(self, fact: Fact) -> bool:
        """Is anything of it still to be fetched or committed?"""
        parts = any(self.outstanding(self.facts[part]) for part in fact.parts)
        return fact.state in (State.PLANNED, State.FETCHING) or bool(fact.out) or parts

    def derived(self, fact: Fact) -> State:
        if fact.cleaned or fact.held_back:
            return State.CLEANED if fact.cleaned else State.HELD_BACK
        if fact.state is not State.FETCHED or fact.scope.part or self.outstanding(fact):
            return fact.state
        bad = [self.facts[part].state for part in fact.parts if self.facts[part].state in BAD]
        bad += [State.FAILED] * fact.bad_rows
        if bad:
            return max(bad, key=BAD.index)
        rows = fact.held or fact.pushed or any(self.facts[part].pushed for part in fact.parts)
        return State.FETCHED if rows else State.CLEANED

    def settled(self, fact: Fact) -> bool:
        if self.outstanding(fact):
            return False
        return bool(fact.scope.part) or self.derived(fact) is not State.FETCHED

    def to_clean(self) -> set[Scope]:
        return {f.scope for f in self.facts.values() if not self.outstanding(f) and not self.settled(f)}

    def unsettled(self) -> list[Fact]:
        return [fact for fact in self.facts.values() if not self.settled(fact)]

    # -- choosing

    def pick(self, data: st.DataObject, options: Iterable[T]) -> T:
        return data.draw(st.sampled_from(list(options)))

    def live(self) -> list[Fact]:
        return [fact for fact in self.facts.values() if fact.holder]

    def running(self) -> bool:
        return self.state is RunState.RUNNING

    def fetching(self) -> bool:
        return self.running() and any(not is_planner(fact.scope) for fact in self.live())

    # -- doing, and noting what was done

    def transition(self, call: Callable[[], list[Event]]) -> None:
        """The first caller of a transition hears that it was the last one; what it does about it is another matter."""
        before, to_clean = bool(self.unsettled()), self.to_clean()
        events = call()
        if before and not self.unsettled():
            assert Event.BARRIER in events
        if self.to_clean() - to_clean:
            assert Event.LOAD in events or self.client.hexists("chartfleet:ledger:r1", "wake_ms")

    def add(self, scope: Scope, *, held: bool = False, queued: bool = False) -> None:
        attempt = self.attempts_of_removed.pop(scope, 0)
        self.facts.setdefault(scope, Fact(scope, held=held, queued=queued, attempt=attempt))

    def let_go(self, fact: Fact, state: State) -> None:
        assert fact.holder
        self.gone.append(fact.holder)
        fact.state, fact.holder, fact.lapsed = state, None, False

    def hand_out(self, scopes: Iterable[Scope], lost: bool) -> None:
        for scope in sorted(scopes, key=lambda scope: scope.id):
            assert self.facts[scope].state is State.PLANNED
            self.facts[scope].queued = self.facts[scope].late = False
            if not lost:
                self.messages.append(scope)

    def begun(self, scope: Scope, attempt: Attempt | None) -> None:
        fact = self.facts.get(scope)
        free = fact and fact.state is State.PLANNED and not fact.queued and not (fact.late and fact.wait_seconds > 0)
        assert bool(attempt) == bool(self.running() and free)
        if fact and attempt:
            assert fact.holder is None, "two live attempts"
            assert attempt.number == fact.attempt + 1
            assert attempt.suspect == bool(fact.suspect)
            fact.suspect = "waits" if fact.suspect else ""
            fact.state, fact.holder, fact.attempt = State.FETCHING, attempt, attempt.number
            fact.pushed, fact.out, fact.late = [], set(), False
            fact.bad_rows = fact.bad_rows and bool(fact.parts)

    # -- the run

    @initialize(
        window=st.integers(1, 2),
        tenants=st.sets(st.sampled_from("123"), min_size=1),
        held=st.lists(st.booleans(), min_size=1, max_size=3),
        cold=SELDOM,
    )
    def open(self, window: int, tenants: set[str], held: list[bool], cold: bool) -> None:
        """Most runs are shown from where there is something to fetch."""
        self.window = window
        self.ledger.open(tag=1, config={}, window=window, planners=PLANNERS)
        for planner in PLANNERS:
            self.add(planner)
            self.messages.append(planner)
        if not cold:
            self.plan(self.start(PLANNERS[0]), self.tenants("aws", tenants), queue=True)
            self.hand_out(self.ledger.admit(), lost=False)
            for fact in [f for f in self.facts.values() if f.scope.type == "aws.scopes" and not f.queued]:
                self.plan(self.start(fact.scope), self.scopes(fact.scope, held), queue=False, held=held)

    def start(self, scope: Scope) -> Fact:
        self.messages.remove(scope)
        self.begun(scope, self.ledger.begin(scope, lease_seconds=60, worker="w"))
        return self.facts[scope]

    def tenants(self, provider: str, names: Iterable[str]) -> list[Scope]:
        return [Scope(type=f"{provider}.scopes", tenant=name) for name in sorted(names)]

    def scopes(self, planner: Scope, held: Sequence[bool]) -> list[Scope]:
        return [Scope(type=f"{planner.provider}.t{i}", tenant=planner.tenant, region="eu") for i in range(len(held))]

    @rule(data=st.data())
    def somebody_acts(self, data: st.DataObject) -> None:
        """One rule and a table of weights: left to themselves, the many things that lead nowhere crowd out the rest."""
        live, running = self.live(), self.running()
        weights = {
            self.deliver: 12 if self.messages else 0,
            self.planned: 12 if running and any(is_planner(fact.scope) for fact in live) else 0,
            self.push: 4 if self.fetching() else 0,
            self.fetched: 12 if self.fetching() else 0,
            self.ended: 3 if running and live else 0,
            self.given_up: 2 if running and live else 0,
            self.alone: 6 if running and any(fact.suspect for fact in live) else 0,
            self.overdue: 1 if running and len(self.facts) > 5 else 0,
            self.take: 12 if running and any(fact.out for fact in self.facts.values()) else 0,
            self.commit: 14 if self.taken else 0,
            self.clean: 12 if running and self.to_clean() else 0,
            self.admit: 3,
            self.sweep: 4,
            self.duplicate: 3,
            self.late_calls: 2 if self.gone else 0,
            self.open_barrier: 0 if running and self.unsettled() else 12,
            self.close: 3 if self.barrier else 0,
            self.cancel: 1 if self.state in (RunState.RUNNING, RunState.ANALYSING) and len(self.facts) > 3 else 0,
            self.resume: 0 if self.state in (RunState.RUNNING, RunState.ANALYSING) else 12,
        }
        action = data.draw(st.sampled_from([action for action, weight in weights.items() for _ in range(weight)]))
        action(data)

    def deliver(self, data: st.DataObject) -> None:
        """Messages arrive, possibly twice or long after their cause."""
        count = data.draw(st.integers(1, 3))
        again = data.draw(SELDOM)
        for _ in range(min(count, len(self.messages))):
            scope = self.pick(data, self.messages)
            if not again:
                self.messages.remove(scope)
            self.begun(scope, self.ledger.begin(scope, lease_seconds=60, worker="w"))

    def planned(self, data: st.DataObject) -> None:
        names = data.draw(st.sets(st.sampled_from("123"), min_size=1))
        held = data.draw(st.lists(st.booleans(), max_size=3))
        denied = data.draw(SELDOM)
        lost = data.draw(SELDOM)
        fact = self.pick(data, [fact for fact in self.live() if is_planner(fact.scope)])
        if fact.scope in PLANNERS:
            tenants = self.tenants(fact.scope.provider, names)
            self.plan(fact, tenants, queue=True, denied=denied, lost=lost)
        else:
            scopes = self.scopes(fact.scope, held)
            self.plan(fact, scopes, queue=False, denied=denied, lost=lost, held=held)

    def plan(
        self,
        fact: Fact,
        children: list[Scope],
        *,
        queue: bool,
        denied: bool = False,
        lost: bool = False,
        held: Sequence[bool] = (),
    ) -> None:
        planner = fact.holder
        assert planner
        holds = [*held, *[False] * len(children)]

        def call() -> list[Event]:
            rows = [(child, holds[i], float(i)) for i, child in enumerate(children)]
            events = self.ledger.plan(planner, rows, queue=queue, denied="why" if denied else "")
            for i, child in enumerate(children):
                self.add(child, held=holds[i], queued=queue)
            self.let_go(fact, State.DENIED if denied else State.FETCHED)
            return events

        self.transition(call)
        if not queue and not lost:
            self.messages.extend(children)

    def admit(self, data: st.DataObject) -> None:
        lost = data.draw(SELDOM)
        queued = {tenant_of(fact.scope) for fact in self.facts.values() if fact.queued}
        active = {
            tenant_of(fact.scope)
            for fact in self.unsettled()
            if not fact.queued and not fact.late and fact.scope not in PLANNERS
        }
        admitted = self.ledger.admit()
        places = max(0, self.window - len(active)) if self.running() else 0
        assert len({tenant_of(scope) for scope in admitted}) == min(places, len(queued))
        self.hand_out(admitted, lost)

    # -- an attempt

    def attempt(self, data: st.DataObject) -> tuple[Fact, Attempt]:
        fact = self.pick(data, [fact for fact in self.live() if not is_planner(fact.scope)])
        assert fact.holder
        return fact, fact.holder

    def push(self, data: st.DataObject) -> None:
        models = data.draw(st.text("ab", min_size=1, max_size=3))
        size = data.draw(st.integers(0, 3))
        fact, attempt = self.attempt(data)
        for model in models:
            number = len(fact.pushed)
            self.ledger.push(attempt, number=number, model=model, rows=1, payload=b"x" * size)
            batch = f"{model}|{attempt.number}.{attempt.token}|{number}|{fact.scope.id}"
            assert batch not in self.payloads, "a batch's name came twice"
            self.payloads[batch] = b"x" * size
            fact.pushed.append(batch)
            fact.out.add(batch)

    def fetched(self, data: st.DataObject) -> None:
        parts = data.draw(st.sets(st.sampled_from(["p", "q"])))
        lost = data.draw(SELDOM)
        fact, attempt = self.attempt(data)
        scope = fact.scope
        planned = [
            Scope(type=scope.type, tenant=scope.tenant, region=scope.region, part=part)
            for part in sorted(parts)
            if not scope.part
        ]

        def call() -> list[Event]:
            events = self.ledger.fetched(attempt, batches=len(fact.pushed), outcome={}, parts=planned)
            for part in planned:
                self.add(part)
            fact.parts = set(planned)
            self.let_go(fact, State.FETCHED)
            return events

        self.transition(call)
        if not lost:
            self.messages.extend(planned)

    def ended(self, data: st.DataObject) -> None:
        state = data.draw(st.sampled_from([State.DENIED, State.FAILED, State.SKIPPED, State.PLANNED]))
        scopes = [fact for fact in self.live() if not is_planner(fact.scope)]
        fact = self.pick(data, self.live() if data.draw(SELDOM) else scopes or self.live())
        attempt = fact.holder
        assert attempt

        def call() -> list[Event]:
            events: list[Event] = getattr(self.ledger, state.value)(attempt, "why", {})
            self.let_go(fact, state)
            return events

        if state is State.PLANNED:
            self.ledger.later(attempt, wait_seconds=100, reason="throttled")
            self.let_go(fact, state)
            fact.late, fact.wait_seconds = True, 100
        else:
            self.transition(call)

    def alone(self, data: st.DataObject) -> None:
        """It is a suspect's turn to have a process to itself."""
        fact = self.pick(data, [fact for fact in self.live() if fact.suspect])
        assert fact.holder
        self.ledger.alone(fact.holder)
        fact.suspect = "alone"

    def given_up(self, data: st.DataObject) -> None:
        """By its own worker, which is alive."""
        fact = self.pick(data, self.live())
        attempt, crashed = fact.holder, fact.suspect == "alone" and data.draw(st.booleans())
        assert attempt

        def call() -> list[Event]:
            events = self.ledger.given_up(attempt, max_crashes=MAX_CRASHES, reason="no progress", crashed=crashed)
            fact.crashes += crashed
            fact.given_up += not crashed
            self.let_go(fact, fact.after_no_outcome)
            return events

        self.transition(call)

    def overdue(self, data: st.DataObject) -> None:
        """The run takes too long: what isn't read fails, whoever holds it and wherever it waits."""

        def call() -> list[Event]:
            began = self.ledger.now_ms() - 1_500_000
            self.client.hset("chartfleet:ledger:r1", "round_ms", began)
            events, _ = self.ledger.end_overdue(max_run_seconds=1000)
            self.client.hset("chartfleet:ledger:r1", "round_ms", began + 1_500_000)
            for fact in self.facts.values():
                if fact.holder:
                    self.let_go(fact, State.FAILED)
                elif fact.state is State.PLANNED:
                    fact.state, fact.late, fact.queued = State.FAILED, False, False
            return events

        self.transition(call)

    # -- duplicates

    def duplicate(self, data: st.DataObject) -> None:
        """A reply was lost and the client called again, or a duplicate comes late: nothing happens a second time."""
        calls = [call for call in self.ledger.calls if call[0] in ONCE]
        call = calls[-1] if data.draw(st.booleans()) else self.pick(data, calls)
        with self.nothing_changes():
            self.ledger.replay(*call)
        for fact in self.live():
            assert fact.holder
            with self.nothing_changes():
                reply = self.ledger.replay("begin", (fact.scope.id, fact.holder.token, 60_000, "w"))
            assert reply[:1] == [str(fact.holder.number).encode() if self.running() else b"not running"]

    def late_calls(self, data: st.DataObject) -> None:
        """A worker that was stopped goes on long after it has lost its scope, or ended it."""
        batches = data.draw(st.integers(0, 2))
        old = self.pick(data, self.gone)
        part = Scope(type=old.scope.type, tenant=old.scope.tenant, region=old.scope.region, part="late")
        calls: list[Callable[[], Any]] = [
            lambda: self.ledger.push(old, number=batches, model="a", rows=1, payload=b"late"),
            lambda: self.ledger.fetched(old, batches=batches, outcome={}, parts=[] if old.scope.part else [part]),
            lambda: self.ledger.failed(old, "late", {}),
            lambda: self.ledger.plan(old, [(part, True, 0.0)], queue=False),
            lambda: self.ledger.later(old, wait_seconds=0, reason="late"),
        ]
        with self.nothing_changes():
            assert not self.ledger.renew(old, lease_seconds=60)
            for call in calls:
                with contextlib.suppress(Fenced):
                    call()

    @contextlib.contextmanager
    def nothing_changes(self) -> Iterator[None]:
        before = self.snapshot()
        yield
        assert self.snapshot() == before

    def snapshot(self) -> dict[str, Any]:
        """All that the ledger keeps of the run, but the wake-up, which may be given once too often."""
        kept: dict[str, Any] = {}
        for raw in self.client.scan_iter("chartfleet:ledger:r1*"):
            key, kind = raw.decode(), self.client.type(raw)
            match kind:
                case b"hash":
                    kept[key] = self.client.hgetall(raw)
                case b"set":
                    kept[key] = self.client.smembers(raw)
                case b"zset":
                    kept[key] = self.client.zrange(raw, 0, -1, withscores=key.endswith((":later", ":leases")))
                case _:
                    kept[key] = self.client.get(raw)
        for name in (b"wake_ms", b"barrier_lease_ms"):
            kept["chartfleet:ledger:r1"].pop(name, None)
        return kept

    # -- the writer

    def take(self, data: st.DataObject) -> None:
        most = data.draw(st.integers(1, 9))
        taken = self.ledger.take(max_batches=most, max_bytes=12 + 3 * SIGNATURE_BYTES)
        out = {batch for fact in self.facts.values() for batch in fact.out}
        assert bool(taken) == bool(out)
        for batch, payload in taken.batches if taken else ():
            assert batch in out
            assert payload == self.payloads[batch]
            self.taken[batch] = payload

    def commit(self, data: st.DataObject) -> None:
        """Some taken batches are committed, possibly much later; a writer that crashes reports nothing."""
        all_ = data.draw(st.booleans())
        bad = data.draw(SELDOM)
        crash = data.draw(SELDOM)
        taken = sorted(self.taken, key=without_token)
        batches = taken if all_ else data.draw(st.lists(st.sampled_from(taken), min_size=1, max_size=3, unique=True))
        if crash:
            self.taken.clear()
            return
        for batch in batches:
            del self.taken[batch]
        counted = {batch for fact in self.facts.values() for batch in fact.out & set(batches) if self.running()}
        if bad and counted:
            scope = BatchId.parse(self.pick(data, sorted(counted, key=without_token))).scope
            self.ledger.bad_rows(scope, "no such type")
            self.facts[scope.whole].bad_rows = True

        def call() -> list[Event]:
            events = self.ledger.committed(batches)
            self.committed.update(counted)
            for fact in self.facts.values():
                fact.out -= counted
            return events

        self.transition(call)

    def clean(self, data: st.DataObject) -> None:
        scopes = data.draw(st.sets(st.sampled_from(self.ledger.cleanups()), min_size=1))
        held_back = data.draw(SELDOM)
        for scope in scopes:
            fact = self.facts[scope]
            complete = [fact, *(self.facts[part] for part in fact.parts)]
            assert all(f.state is State.FETCHED and not f.out for f in complete)
            assert all(self.committed[batch] == 1 for f in complete for batch in f.pushed)

        def call() -> list[Event]:
            if held_back:
                for scope in sorted(scopes, key=lambda scope: scope.id):
                    events = self.ledger.held_back(scope, Reason(detail="9 of 9 nodes"))
                    self.facts[scope].held_back = True
                return events
            events = self.ledger.cleaned(scopes)
            for scope in scopes:
                self.facts[scope].cleaned = True
            return events

        self.transition(call)

    # -- time, and the sweeper

    def sweep(self, data: st.DataObject) -> None:
        passes = data.draw(SELDOM)
        lost = data.draw(SELDOM)
        idle = data.draw(st.booleans())
        if passes or not (self.messages or self.live()):
            self.leases_run_out(data)
            idle = True
        due = {fact.scope for fact in self.facts.values() if fact.late and fact.wait_seconds <= 0}
        events, publish = self.ledger.sweep(
            lease_seconds=60,
            max_crashes=MAX_CRASHES,
            redelivery_grace_seconds=10,
            broker="b",
            queued=IDLE if idle else BUSY,
        )
        if self.running():
            for fact in self.live():
                if fact.lapsed:
                    fact.crashes += fact.suspect == "alone"
                    fact.suspect = "waits"
                    self.let_go(fact, fact.after_no_outcome)
                    assert (fact.scope in publish) == (fact.state is State.PLANNED)
            assert due <= set(publish)
            assert (Event.BARRIER in events) == (not self.unsettled())
        else:
            assert not publish
        self.hand_out(publish, lost)

    def leases_run_out(self, data: st.DataObject) -> None:
        """A minute passes; those whose process is alive have renewed."""
        self.time_passes(61)
        self.barrier_lapsed = True
        for fact in self.facts.values():
            fact.wait_seconds -= 61
            fact.lapsed = bool(fact.holder)
            if fact.holder and data.draw(st.booleans()):
                fact.lapsed = not self.ledger.renew(fact.holder, lease_seconds=60)
                assert fact.lapsed != self.running()

    # -- the barrier

    def open_barrier(self, data: st.DataObject) -> None:
        token = f"{data.draw(st.sampled_from('xy'))} of round {self.round}"
        crashes = data.draw(SELDOM)
        opened = self.ledger.open_barrier(token, lease_seconds=60)
        free = self.state is RunState.ANALYSING and (token == self.barrier or self.barrier_lapsed)
        assert opened == (free or self.running())
        if opened:
            self.state, self.barrier, self.barrier_lapsed = RunState.ANALYSING, token, crashes
        if opened and crashes:
            self.time_passes(61)

    @invariant()
    def the_barrier_is_shut_while_anything_is_unsettled(self) -> None:
        if self.unsettled():
            assert not self.ledger.open_barrier("early", lease_seconds=60)

    def close(self, data: st.DataObject) -> None:
        token = f"{data.draw(st.sampled_from('xy'))} of round {self.round}"
        state = data.draw(st.sampled_from([RunState.COMPLETE, RunState.FAILED]))
        closed = self.ledger.close(token, state, {})
        assert closed == (token == self.barrier and self.state in (RunState.ANALYSING, state))
        if closed:
            self.state = state
            with self.nothing_changes():
                assert self.ledger.close(token, state, {})

    # -- cancel and resume

    def cancel(self, data: st.DataObject) -> None:
        if not data.draw(SELDOM):
            return
        assert self.ledger.cancel("asked for") == "cancelled"
        self.state = RunState.CANCELLED
        assert self.ledger.cleanups() == []
        assert list(self.client.scan_iter("*:payload:*")) == []

    def resume(self, data: st.DataObject) -> None:
        lost = data.draw(SELDOM)
        broken_off = data.draw(SELDOM)
        if broken_off:
            self.client.hincrby("chartfleet:ledger:r1", "round", 1)
            self.client.hset("chartfleet:ledger:r1", mapping={"resumed_by": "somebody", "open": 7})
        published = self.ledger.resume({})
        resume = next(call for call in reversed(self.ledger.calls) if call[0] == "resume")
        before = self.snapshot()
        assert self.ledger.replay(*resume) == [b"0"]
        assert self.snapshot() == before
        self.state, self.barrier, self.round = RunState.RUNNING, None, self.round + 1
        for scope, fact in list(self.facts.items()):
            if not scope.part and self.derived(fact) is not State.CLEANED:
                for part in fact.parts:
                    removed = self.facts.pop(part)
                    self.gone.extend([removed.holder] if removed.holder else [])
                    self.attempts_of_removed[part] = removed.attempt
                self.gone.extend([fact.holder] if fact.holder else [])
                queued = scope not in PLANNERS
                self.facts[scope] = Fact(scope, held=fact.held, attempt=fact.attempt, queued=queued)
            elif not scope.part:
                fact.cleaned = True
        assert self.live() == []
        self.hand_out(published, lost)

    # -- at every step

    @invariant()
    def states_agree(self) -> None:
        units = {unit.scope: unit for unit in self.ledger.units()}
        assert set(units) == set(self.facts)
        if self.running():
            assert {scope: unit.state for scope, unit in units.items()} == {
                scope: self.derived(fact) for scope, fact in self.facts.items()
            }
        for scope, unit in units.items():
            fact = self.facts[scope]
            assert (unit.attempt, unit.crashes) == (fact.attempt, fact.crashes)
            assert unit.state is not State.QUARANTINED or scope.part or fact.parts or fact.state is State.QUARANTINED

    @invariant()
    def counters_agree(self) -> None:
        info = self.ledger.info()
        if info is None:
            return
        unsettled = self.unsettled()
        assert (info.state, info.planned, info.open) == (self.state, len(self.facts), len(unsettled))
        settled = Counter(self.derived(fact).value for fact in self.facts.values() if self.settled(fact))
        assert {name: count for name, count in info.counts.items() if count} == settled
        out = [batch for fact in self.facts.values() for batch in fact.out] if self.running() else []
        size = sum(SIGNATURE_BYTES + len(self.payloads[batch]) for batch in out)
        assert (info.waiting, info.waiting_bytes) == (len(out), size)

    @invariant()
    def tenants_agree(self) -> None:
        if not self.running() or not self.facts:
            return
        unsettled = self.unsettled()
        assert self.hash("tenants") == Counter(tenant_of(fact.scope) for fact in unsettled)
        late = Counter(tenant_of(fact.scope) for fact in self.facts.values() if fact.late)
        assert {name: count for name, count in self.hash("late").items() if count} == late
        queued = {tenant_of(fact.scope) for fact in self.facts.values() if fact.queued}
        assert self.members("queue") == queued
        active = {tenant_of(fact.scope) for fact in unsettled if fact.scope not in PLANNERS and not fact.queued}
        assert self.members("admitted") == active

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """Each unit that isn't settled has somebody who moves it on: a message, a worker, the sweeper, the writer."""
        if not self.running():
            return
        published = self.members("published:aws") | self.members("published:okta")
        by = {state: {f.scope.id for f in self.facts.values() if f.state is state} for state in State}
        late = {f.scope.id for f in self.facts.values() if f.late}
        queued = {f.scope.id for f in self.facts.values() if f.queued}
        assert published == by[State.PLANNED] - late - queued
        assert self.members("later") == late
        assert self.members("leases") == by[State.FETCHING]
        assert set(self.ledger.cleanups()) == self.to_clean()
        assert max(self.committed.values(), default=0) <= 1

    def hash(self, name: str) -> dict[str, int]:
        raw: dict[bytes, bytes] = self.client.hgetall(f"chartfleet:ledger:r1:{name}")  # type: ignore[assignment]
        return {key.decode(): int(value) for key, value in raw.items()}

    def members(self, name: str) -> set[str]:
        key = f"chartfleet:ledger:r1:{name}"
        raw: Any = self.client.smembers(key) if self.client.type(key) == b"set" else self.client.zrange(key, 0, -1)
        return {member.decode() for member in raw}

    # -- in the end

    def teardown(self) -> None:
        """From wherever it stands, a run that is driven fairly comes to its barrier, once."""
        if not self.facts:
            return
        if not self.running() and self.state is not RunState.ANALYSING:
            self.ledger.resume({})
        opened = 0
        for _ in range(40):
            if opened or self.state is RunState.ANALYSING:
                break
            self.time_passes(1000)
            opened += self.fair_round()
        assert opened == (self.state is not RunState.ANALYSING), "the barrier was never reached"
        assert not self.ledger.open_barrier("another", lease_seconds=60) or not opened
        called = {unit.scope: unit.state for unit in self.ledger.units()}
        for unit in self.ledger.proven_units():
            assert unit.state is called[unit.scope], "what happened in order is signed"
            assert unit.state in (State.CLEANED, State.HELD_BACK, *BAD) or unit.scope.part

    def fair_round(self) -> int:
        """One sweep and all that follows from it, driven by what the ledger says and by nothing else."""
        events, scopes = self.ledger.sweep(
            lease_seconds=60, max_crashes=MAX_CRASHES, redelivery_grace_seconds=10, broker="b", queued=IDLE
        )
        to_do: deque[Event | Scope] = deque([*events, *scopes])
        opened = 0
        while to_do:
            match to_do.popleft():
                case Event.ADMIT:
                    to_do.extend(self.ledger.admit())
                case Event.BARRIER:
                    opened += self.ledger.open_barrier("driver", lease_seconds=60) and not opened
                case Event.LOAD:
                    while taken := self.ledger.take(max_batches=10, max_bytes=1_000):
                        to_do.extend(self.ledger.committed(batch for batch, _ in taken.batches))
                    to_do.extend(self.ledger.cleaned(self.ledger.cleanups()))
                case Scope() as scope:
                    if attempt := self.ledger.begin(scope, lease_seconds=60, worker="w"):
                        to_do.extend(self.ledger.push(attempt, number=0, model="a", rows=1, payload=b"x"))
                        to_do.extend(self.ledger.fetched(attempt, batches=1, outcome={}))
        return opened


PROFILE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),  # to make a failure small, add Phase.shrink: it takes minutes
)


@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(12, 30, id="short runs"),
        pytest.param(6, 100, id="long runs"),
        pytest.param(300, 100, id="many long runs", marks=pytest.mark.long),
    ],
)
def test_whatever_happens_the_ledger_agrees_with_the_model_and_the_run_ends(
    ledger_redis: redis.Redis, time_passes: TimePasses, examples: int, steps: int
) -> None:
    class Machine(LedgerMachine):
        client = ledger_redis

    Machine.time_passes = staticmethod(time_passes)
    run_state_machine_as_test(Machine, settings=settings(PROFILE, max_examples=examples, stateful_step_count=steps))
