"""What a run saw, what it didn't and why, what the analysis found, and how long it took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, NotRequired, TypedDict

from analysis.finding import OwnJob
from loaders import coverage
from loaders.ledger import UNDER_WAY, Failing, Ledger, RunInfo, RunState, State, Unit
from loaders.reason import Reason
from loaders.scope import Scope, regions_type, tenants_type
from workers.fleet.broker_memory import BrokerMemory
from workers.report import eta
from workers.report.exit_codes import COMPLETE, FAILED, NOT_COVERED
from workers.report.silence import SilentWorker, silent_workers

_NOT_SEEN: Final = (State.DENIED, State.FAILED, State.QUARANTINED)
OPEN: Final = (State.PLANNED, State.FETCHING)
REPEATED: Final = 2  # failures in a row that `status` shows in its first line

Statuses = dict[str, int]  # status -> scopes
FindingFields = dict[str, Any]  # of `analysis.finding.Finding`, as the analysis recorded it


class Line(TypedDict):
    """A scope, or a detail of its items, that was not seen. `reason` is the text of the last five."""

    type: str
    tenant: str
    region: str
    status: str
    reason: str
    attempt: int
    failure: NotRequired[str]
    code: NotRequired[str]
    action: NotRequired[str]
    detail: NotRequired[str]
    items: NotRequired[int]


class FoundLine(TypedDict):
    """A finding of a rule. `tenant` with its provider."""

    rule: str
    title: str
    severity: str
    resource_label: str
    resource_key: str
    resource_name: str
    tenant: str
    region: str


class RulesFields(TypedDict):
    """What the rules found in a run.

    judged      rules that were put to the graph
    open        open findings, by severity
    new         how many of them were not there before
    newest      some of these, the worst first
    resolved    findings that are gone since the run before
    not_judged  rules that could not be judged anywhere
    """

    judged: int
    open: dict[str, int]
    new: int
    newest: list[FoundLine]
    resolved: int
    not_judged: int


class FailingLine(TypedDict):
    """A scope, or a task of the fleet, and how often in a row it failed."""

    what: str
    times: int
    error: str


class Kept(TypedDict):
    """Scopes of a tenant and region that the run did not plan."""

    tenant: str
    region: str
    status: str
    reason: str
    scopes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run as it stands. Times in seconds."""

    run: str
    tag: int
    state: str
    reason: str
    scopes: Statuses
    types: dict[str, Statuses]  # type -> status -> scopes
    tenants: dict[str, dict[str, Statuses]]  # provider/tenant -> type -> status -> scopes
    rows: dict[str, int]  # type -> rows
    seconds_of_types: dict[str, float]  # type -> sum over its scopes
    not_seen: list[Line]
    gaps: list[Line]
    expected: list[Line]  # those of the first two that the setting expected_gaps names
    skipped: list[Line]
    not_configured: dict[str, str]  # module -> what enables it
    notes: list[str]  # what the providers say about their lists of tenants
    kept: list[Kept]
    findings: list[FindingFields]
    failed_jobs: list[str]
    seconds: dict[str, float]
    own_jobs: list[OwnJob] = field(default_factory=list)
    own_jobs_failed: int = 0  # among failed_jobs
    principals: dict[str, str] = field(default_factory=dict)  # provider/tenant -> who the credentials are there
    fetching: int = 0  # scopes that an attempt holds
    silent: list[SilentWorker] = field(default_factory=list)  # workers whose heartbeat is missing
    eta_seconds: float | None = None
    waiting: int = 0  # batches that the writer hasn't committed yet
    trouble: str = ""  # what the writer waits for
    failing: list[FailingLine] = field(default_factory=list)  # what raises an error again and again, without an outcome
    held_back: list[Line] = field(default_factory=list)  # complete, but nothing of them was deleted
    rules: RulesFields | None = None  # what the rules found; None if the run has no analysis
    rejected_rows: int = 0  # rows that the graph refused, of which `chartfleet rejected` knows

    @property
    def exit_code(self) -> int:
        """0 complete, 3 complete but parts not covered, 1 failed: nothing was seen, or the run didn't end."""
        was_seen = (coverage.COMPLETE, State.HELD_BACK)
        types = (statuses for name, statuses in self.types.items() if not is_planning(name))
        seen = any(statuses.get(status) for statuses in types for status in was_seen)
        if self.state != RunState.COMPLETE or not seen:
            return FAILED
        return NOT_COVERED if self.not_seen or self.gaps or self.held_back or self.failed_jobs else COMPLETE


def is_planning(type_name: str) -> bool:
    """Whether scopes of this type find tenants and regions, rather than fetch resources."""
    provider = type_name.partition(".")[0]
    return type_name in (tenants_type(provider), regions_type(provider))


def of(ledger: Ledger) -> Report:
    """The report of a run. Raises KeyError where the broker knows no such run."""
    info = ledger.info()
    if info is None:
        raise KeyError(ledger.run)
    scopes = _Scopes(info.config.get("expected_gaps", []))
    for unit in ledger.units():
        if unit.parent:
            scopes.add(unit)
    is_running = info.state is RunState.RUNNING
    failing = ledger.failing() if info.state in UNDER_WAY else []
    silent = silent_workers(ledger.holders()) if is_running else []
    waits = max((worker["taken_over_in_seconds"] for worker in silent), default=0.0)
    return Report(
        run=info.id,
        tag=info.tag,
        state=str(info.state),
        reason=info.reason or info.report.get("error", ""),
        scopes=dict(scopes.statuses),
        types=scopes.types(),
        tenants=scopes.by_tenant(),
        rows={name: scopes.rows[name] for name in sorted(scopes.rows) if scopes.rows[name]},
        seconds_of_types={name: round(total, 3) for name, total in sorted(scopes.seconds.items())},
        not_seen=sorted(scopes.not_seen, key=_order),
        gaps=sorted(scopes.gaps, key=_order),
        expected=sorted(scopes.expected, key=_order),
        skipped=sorted(scopes.skipped, key=_order),
        not_configured=dict(info.config.get("off", {})),
        notes=[*scopes.notes, *_left_by(ledger)],
        kept=info.report.get("kept", []),
        findings=info.report.get("findings", []),
        failed_jobs=info.report.get("failed_jobs", []),
        seconds=_stages(info)
        | {f"analysis: {name}": taken for name, taken in info.report.get("analysis_seconds", {}).items()},
        own_jobs=info.report.get("own_jobs", []),
        own_jobs_failed=info.report.get("own_jobs_failed", 0),
        principals=scopes.principals,
        fetching=scopes.statuses[State.FETCHING],
        silent=silent,
        eta_seconds=eta.seconds(ledger, info, scopes.ended, scopes.open, waits=waits) if is_running else None,
        waiting=info.waiting,
        trouble="; ".join(filter(None, (info.blocked_by, full_memory(ledger, info), failing_text(failing)))),
        failing=[{"what": each.what, "times": each.times, "error": each.error} for each in failing],
        held_back=sorted(scopes.held_back, key=_order),
        rules=info.report.get("rules") or None,
        rejected_rows=ledger.rejected_count(),
    )


def full_memory(ledger: Ledger, info: RunInfo) -> str:
    """What everything waits for if the broker's memory is full: that can't be written down there."""
    return BrokerMemory.of(ledger.client).problem if info.state in UNDER_WAY else ""


def failing_text(failing: Sequence[Failing]) -> str:
    """The worst of them, where it is no accident any more."""
    repeated = [each for each in failing if each.times >= REPEATED]
    more = f" and {len(repeated) - 1} more" if repeated[1:] else ""
    return f"{repeated[0]}{more}" if repeated else ""


class _Scopes:
    """Adds up the scopes of a run."""

    def __init__(self, expected_gaps: Iterable[str]) -> None:
        self._expected_gaps = tuple(expected_gaps)
        self._tenants = defaultdict[str, defaultdict[str, Counter[str]]](lambda: defaultdict(Counter))
        self.statuses = Counter[str]()
        self.rows = Counter[str]()
        self.seconds = defaultdict[str, float](float)
        self.not_seen = list[Line]()
        self.gaps = list[Line]()
        self.expected = list[Line]()
        self.skipped = list[Line]()
        self.held_back = list[Line]()
        self.notes = list[str]()
        self.principals = dict[str, str]()
        self.ended = list[Scope]()
        self.open = list[Scope]()

    def add(self, unit: Unit) -> None:
        scope, status = unit.scope, coverage.status(unit.state)
        (self.open if unit.state in OPEN else self.ended).append(scope)
        self.statuses[status] += 1
        self.rows[scope.type] += unit.rows
        self.seconds[scope.type] += unit.seconds or 0
        self._tenants[scope.tenant_key][scope.type][status] += 1
        is_expected = any(fnmatchcase(scope.id, pattern) for pattern in self._expected_gaps)
        if unit.state in _NOT_SEEN:
            (self.expected if is_expected else self.not_seen).append(_line(unit, unit.why, unit.reason))
        elif unit.state is State.HELD_BACK:
            self.held_back.append(_line(unit, unit.why, unit.reason))
        elif unit.state is State.SKIPPED:
            self.skipped.append(_line(unit, unit.why, unit.reason))
        for gap in unit.gaps:
            (self.expected if is_expected else self.gaps).append(_line(unit, gap, gap.of_details()))
        self.notes += unit.outcome.get("notes", ())
        principals: Mapping[str, str] = unit.outcome.get("principals", {})
        self.principals |= {f"{scope.provider}/{tenant}": principal for tenant, principal in principals.items()}

    def by_tenant(self) -> dict[str, dict[str, Statuses]]:
        return {
            tenant: {type_: dict(types[type_]) for type_ in sorted(types)}
            for tenant, types in sorted(self._tenants.items())
        }

    def types(self) -> dict[str, Statuses]:
        types = defaultdict[str, Counter[str]](Counter)
        for of_tenant in self._tenants.values():
            for name, statuses in of_tenant.items():
                types[name] += statuses
        return {name: dict(types[name]) for name in sorted(types)}


def _left_by(ledger: Ledger) -> Iterator[str]:
    for worker, version in ledger.left_by().items():
        yield f"{worker} leaves this run to other workers: its version of the ledger is {version}"


def _line(unit: Unit, why: Reason, text: str) -> Line:
    scope = unit.scope
    return {
        "type": scope.type,
        "tenant": scope.tenant,
        "region": scope.region,
        "status": coverage.status(unit.state),
        "reason": text,
        "attempt": unit.attempt,
        "failure": why.failure,
        "code": why.code,
        "action": why.action,
        "detail": why.detail,
        "items": why.items,
    }


def reason_of(line: Line) -> Reason:
    """The reason of a line; of one without fields, as an older version recorded it, its text."""
    reason = Reason(
        failure=line.get("failure", ""),
        code=line.get("code", ""),
        action=line.get("action", ""),
        detail=line.get("detail", ""),
        items=line.get("items", 0),
    )
    return Reason(detail=line["reason"]) if reason == Reason() else reason


def _order(line: Line) -> tuple[str, str, str]:
    return line["tenant"], line["region"], line["type"]


def _stages(info: RunInfo) -> dict[str, float]:
    """How long each stage took, of those that are over."""
    stages = {
        "fetch and load": (info.created_ms, info.settled_ms),
        "barrier": (info.settled_ms, info.barrier_ms),
        "analysis": (info.barrier_ms, info.finished_ms),
        "whole run": (info.created_ms, info.finished_ms),
    }
    return {name: round((end - begin) / 1000, 3) for name, (begin, end) in stages.items() if begin and end >= begin}
