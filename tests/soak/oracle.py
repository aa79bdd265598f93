"""Judges a run: what it left, beside what an undisturbed run of the same estate leaves. Returns what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from analysis import engine
from loaders.graph import Graph
from loaders.ledger import RunInfo, RunState, State, Unit
from loaders.model import UNOWNED
from tests.soak.schedule import COSTS_ATTEMPTS, HTTP, Kind
from tests.soak.snapshot import Element, Snapshot
from tests.soak.surroundings import SETTINGS

MAX_LOST: Final[int] = SETTINGS["concurrency"]  # leases: those of a process that stands still for a moment
_SHOWN: Final = 5  # of the elements that are wrong in one way
_SETTLED: Final = (State.CLEANED, State.DENIED, State.FAILED, State.SKIPPED, State.QUARANTINED, State.HELD_BACK)


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over.

    info    None: Redis lost the run
    units   of it, as the ledger has them
    before  what the graph held when it began
    settled the run that left it so had passed its barrier: what is derived there agrees with the rest
    after   what the graph holds now
    expected what an undisturbed run leaves
    """

    run: str
    info: RunInfo | None
    units: Sequence[Unit]
    before: Snapshot
    after: Snapshot
    expected: Snapshot
    kinds: frozenset[Kind]
    jobs_done: Sequence[str] = field(default=())
    settled: bool = True

    @property
    def complete(self) -> bool:
        return self.info is not None and self.info.state is RunState.COMPLETE

    def scopes(self) -> dict[str, Unit]:
        return {unit.scope.id: unit for unit in self.units if unit.parent}


def violations(run: Ended) -> list[str]:
    """Every promise that this run broke, one line each."""
    found = [*_deleted(run), *_invented(run), *_ending(run)]
    if run.complete:
        found += [*_scopes(run), *_incomplete_scopes(run), *_jobs(run), *_counters(run)]
        found += [*_everything(run)] if _saw_everything(run) else [*_complete_scopes(run)]
    return found


# -- the graph


def _deleted(run: Ended) -> Iterator[str]:
    """Nothing is deleted that exists, not even to be written again.

    Shared nodes and links follow at the barrier what scopes have deleted. A run that ends before it leaves them to the
    next one, whatever the estate has by then.
    """
    exists = {
        name
        for name in run.before.keys() & run.expected.keys()
        if run.settled or run.before[name].owner not in ("", UNOWNED)
    }
    yield from _named("deleted although it exists", exists - run.after.keys(), run)
    again = (
        name
        for name in exists & run.after.keys()
        if run.before[name].owner and 0 < run.before[name].firstseen < run.after[name].firstseen
    )
    yield from _named("deleted and written again", again, run)


def _invented(run: Ended) -> Iterator[str]:
    """Except for what the analysis concludes from old and new data together."""
    new = run.after.keys() - run.before.keys() - run.expected.keys()
    yield from _named("in the graph, but in no estate", {name for name in new if run.after[name].owner}, run)


def _complete_scopes(run: Ended) -> Iterator[str]:
    """A scope that was seen is as the provider has it: nothing missing, nothing left, nothing stale."""
    seen = {scope for scope, unit in run.scopes().items() if is_seen(unit)}
    owned, wanted = _of(run.after, seen), _of(run.expected, seen)
    yield from _named("missing, though its scope is complete", wanted.keys() - owned.keys(), run)
    yield from _named("left, though its scope is complete", owned.keys() - wanted.keys(), run)
    both = owned.keys() & wanted.keys()
    yield from _named("wrong", (name for name in both if owned[name].declared != wanted[name].declared), run)
    yield from _named("stale, though its scope is complete", (name for name in both if not owned[name].current), run)


def _incomplete_scopes(run: Ended) -> Iterator[str]:
    """A scope that was not seen deletes nothing, not even what is gone; unless it was seen in an earlier round."""
    if run.kinds & {Kind.RESUME, Kind.BEAT}:
        return
    unseen = {
        scope for scope, unit in run.scopes().items() if unit.state in _SETTLED and unit.state is not State.CLEANED
    }
    gone = _of(run.before, unseen).keys() - run.after.keys()
    yield from _named("deleted by a scope that was not seen", gone, run)


def _everything(run: Ended) -> Iterator[str]:
    """All was seen: the graph is the undisturbed run's, with what the analysis says."""
    yield from _named("missing", run.expected.keys() - run.after.keys(), run)
    yield from _named("left", run.after.keys() - run.expected.keys(), run)
    both = run.after.keys() & run.expected.keys()
    yield from _named("wrong", (name for name in both if run.after[name].says != run.expected[name].says), run)
    stale = (name for name in both if run.after[name].current != run.expected[name].current)
    yield from _named("seen by another run than it should be", stale, run)


def _of(snapshot: Snapshot, scopes: set[str]) -> Mapping[str, Element]:
    return {name: element for name, element in snapshot.items() if element.owner in scopes}


def _named(what: str, names: Iterator[str] | set[str], run: Ended) -> Iterator[str]:
    wrong = sorted(names)
    for name in wrong[:_SHOWN]:
        now, wanted = run.after.get(name), run.expected.get(name)
        detail = f": {now.says}, not {wanted.says}" if what == "wrong" and now and wanted else ""
        owner = next((state[name].owner for state in (run.after, run.before, run.expected) if name in state), "")
        unit = run.scopes().get(owner)
        seen = f"; {owner} is {unit.state}{' with gaps' if unit.gaps else ''}" if unit else ""
        yield f"{what}: {name}{detail}{seen}"
    if len(wrong) > _SHOWN:
        yield f"{what}: and {len(wrong) - _SHOWN} more"


# -- the ledger


def is_seen(unit: Unit) -> bool:
    return unit.state is State.CLEANED and not unit.gaps


def _saw_everything(run: Ended) -> bool:
    return all(is_seen(unit) for unit in run.scopes().values())


def _ending(run: Ended) -> Iterator[str]:
    """A run ends as it should: complete, unless something ended it."""
    lost = run.kinds & {Kind.REDIS_FLUSHED, Kind.REDIS_ROLLBACK}
    if run.info is None:
        if not lost:
            yield "the ledger has lost the run"
    elif run.info.state is not RunState.COMPLETE and not (
        run.info.state is RunState.CANCELLED and run.kinds & {Kind.CANCEL, Kind.RESUME, Kind.BEAT, *lost}
    ):
        yield f"the run is {run.info.state}: {run.info.reason or run.info.report.get('error', '')}"


def _scopes(run: Ended) -> Iterator[str]:
    """Every scope is settled with a reason, and blamed for nothing that others did."""
    for unit in run.units:
        if unit.state not in _SETTLED and not (unit.state is State.FETCHED and unit.scope.part):
            yield f"not settled: {unit.scope.id} is {unit.state}"
        elif unit.state not in (State.CLEANED, State.FETCHED) and not unit.reason:
            yield f"without a reason: {unit.scope.id} is {unit.state}"
        if unit.state is State.QUARANTINED and not run.kinds & COSTS_ATTEMPTS:
            yield f"quarantined although no process died: {unit.scope.id}: {unit.reason}"
    suspects = [unit.scope.id for unit in run.units if unit.suspect]
    if run.kinds <= HTTP and len(suspects) > MAX_LOST:
        yield f"{len(suspects)} leases ran out although no process died, one of them of {suspects[0]}"


def _jobs(run: Ended) -> Iterator[str]:
    """Each shipped job took effect once."""
    wanted = Counter(job.name for job in engine.shipped_jobs())
    failed = (run.info.report.get("failed_jobs") or []) if run.info else []
    yield from (f"an analysis job failed: {text}" for text in failed)
    done = Counter(run.jobs_done)
    yield from (f"the job {name} took effect {count} times" for name, count in done.items() if count > 1)
    if not failed:
        yield from (f"the job {name} took no effect" for name in wanted - done)


def _counters(run: Ended) -> Iterator[str]:
    """The barrier opened after the last commit, and nothing is outstanding."""
    info = run.info
    assert info is not None
    for name in ("open", "waiting", "waiting_bytes"):
        if count := getattr(info, name):
            yield f"{name} is {count} at the end of the run"
    for name in ("settled_ms", "committed_ms"):
        if (at := getattr(info, name)) > info.barrier_ms:
            yield f"the barrier opened {at - info.barrier_ms} ms before {name}"


def jobs_done(graph: Graph, run: str) -> list[str]:
    rows = graph.rows("MATCH (r:SyncRun {id: $run}) RETURN r.jobs_done AS jobs", {"run": run})
    return list(rows[0]["jobs"] or []) if rows else []
