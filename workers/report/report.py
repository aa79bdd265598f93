"""What a run saw, what it didn't and why, what the analysis found, how long it took: for people and as JSON."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analysis.engine import Finding
from loaders import coverage
from loaders.adoption import Adopted
from loaders.ledger import Ledger, RunInfo, RunState, State, Unit
from loaders.retirement import ALL
from loaders.scope import GLOBAL, Scope
from tasks.engine import registry

COMPLETE, FAILED, USAGE, NOT_COVERED, INTERRUPTED = 0, 1, 2, 3, 130

_NOT_SEEN: Final = (State.DENIED, State.FAILED, State.QUARANTINED)
_OPEN: Final = (State.PLANNED, State.FETCHING)
_MAX_LINES, _MAX_EXAMPLES, _MAX_PLACES = 20, 5, 3  # on a terminal; the JSON has all
_REFUSED: Final = re.compile(r"(?P<code>\S+) (?P<action>[\w.-]+:\w+)(?P<more>.*)", re.DOTALL)

Line = dict[str, Any]
Statuses = dict[str, int]  # status -> scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run, as it stands. Times in seconds."""

    run: str
    tag: int
    state: str
    reason: str
    scopes: Statuses
    types: dict[str, Statuses]  # type -> status -> scopes
    tenants: dict[str, dict[str, Statuses]]  # provider/tenant -> type -> status -> scopes
    rows: dict[str, int]  # type -> rows
    seconds_of_types: dict[str, float]  # type -> summed over its scopes
    not_seen: list[Line]
    gaps: list[Line]
    expected: list[Line]  # of both, what the setting expected_gaps names
    skipped: list[Line]
    not_configured: dict[str, str]  # module -> what enables it
    notes: list[str]  # of the lists of tenants: what they say beside the tenants
    kept: list[dict[str, Any]]  # scopes that the run did not plan, by tenant and region: not selected, or retired
    findings: list[dict[str, Any]]
    failed_jobs: list[str]
    seconds: dict[str, float]
    eta_seconds: float | None = None
    waiting: int = 0  # batches that the writer hasn't committed yet
    trouble: str = ""  # what the writer waits for

    @property
    def exit_code(self) -> int:
        """0 complete, 3 complete but parts not covered, 1 failed: nothing was seen, or the run didn't end."""
        seen = any(self.types[name].get(coverage.COMPLETE) for name in self.types if name in registry.types())
        if self.state != RunState.COMPLETE or not seen:
            return FAILED
        return NOT_COVERED if self.not_seen or self.gaps or self.failed_jobs else COMPLETE


def of(ledger: Ledger) -> Report:
    """The report of a run. Raises KeyError where the broker knows no such run."""
    info = ledger.info()
    if info is None:
        raise KeyError(ledger.run)
    scopes: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    tenants: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    not_seen, gaps, expected, skipped = list[Line](), list[Line](), list[Line](), list[Line]()
    notes = list[str]()
    patterns = info.config.get("expected_gaps", [])
    ended, to_come = list[Scope](), list[Scope]()
    for unit in ledger.units():
        if not unit.parent:
            continue
        scope, status = unit.scope, coverage.status(unit.state)
        (to_come if unit.state in _OPEN else ended).append(scope)
        scopes[status] += 1
        rows[scope.type] += unit.rows
        seconds[scope.type] += unit.seconds or 0
        tenants[f"{scope.provider}/{scope.tenant}"][scope.type][status] += 1
        known = any(fnmatchcase(scope.id, pattern) for pattern in patterns)
        if unit.state in _NOT_SEEN:
            (expected if known else not_seen).append(_line(unit, unit.reason))
        elif unit.state is State.SKIPPED:
            skipped.append(_line(unit, unit.reason))
        notes += unit.outcome.get("notes", ())
        for gap in unit.outcome.get("gaps", ()):
            (expected if known else gaps).append(_line(unit, gap))
    types: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for of_tenant in tenants.values():
        for name, statuses in of_tenant.items():
            types[name] += statuses
    return Report(
        run=info.id,
        tag=info.tag,
        state=str(info.state),
        reason=info.reason or info.report.get("error", ""),
        scopes=dict(scopes),
        types={name: dict(types[name]) for name in sorted(types)},
        tenants={
            name: {type_: dict(of_tenant[type_]) for type_ in sorted(of_tenant)}
            for name, of_tenant in sorted(tenants.items())
        },
        rows={name: rows[name] for name in sorted(rows) if rows[name]},
        seconds_of_types={name: round(total, 3) for name, total in sorted(seconds.items())},
        not_seen=sorted(not_seen, key=_order),
        gaps=sorted(gaps, key=_order),
        expected=sorted(expected, key=_order),
        skipped=sorted(skipped, key=_order),
        not_configured=dict(info.config.get("off", {})),
        notes=notes,
        kept=info.report.get("kept", []),
        findings=info.report.get("findings", []),
        failed_jobs=info.report.get("failed_jobs", []),
        seconds=_stages(info)
        | {f"analysis: {name}": taken for name, taken in info.report.get("analysis_seconds", {}).items()},
        eta_seconds=_eta(ledger, info, ended, to_come) if info.state is RunState.RUNNING else None,
        waiting=info.waiting,
        trouble=info.blocked_by,
    )


def _line(unit: Unit, reason: str) -> Line:
    scope = unit.scope
    return {
        "type": scope.type,
        "tenant": scope.tenant,
        "region": scope.region,
        "status": coverage.status(unit.state),
        "reason": reason,
        "attempt": unit.attempt,
    }


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


def _eta(ledger: Ledger, info: RunInfo, ended: Sequence[Scope], to_come: Sequence[Scope]) -> float | None:
    """Seconds to go: how long the open scopes took before, at the pace of this run so far. None without a past.

    A scope without a past counts as the mean of those that have one.
    """
    past = [seconds or None for seconds in ledger.expected_seconds([*ended, *to_come])]
    known = [seconds for seconds in past if seconds]
    if not known:
        return None
    mean = sum(known) / len(known)
    times = [seconds or mean for seconds in past]
    done, left = sum(times[: len(ended)]), sum(times[len(ended) :])
    elapsed_seconds = (ledger.now_ms() - info.created_ms) / 1000  # both by Redis's clock
    return round(elapsed_seconds * left / done, 1) if done else None


# -- on a terminal


def show(report: Report, console: Console, *, browser: str | None = None) -> None:
    """The report on a terminal. `browser`: how to look at the graph."""
    console.print()
    console.print(_headline(report))
    _show_types(report, console)
    _show_lines(console, "Not seen (what the graph held of it stays as it was)", report.not_seen, "yellow")
    _show_lines(console, "Details not seen", report.gaps, "yellow")
    _show_lines(console, "Not seen, as expected_gaps says", report.expected, "none")
    _show_lines(console, "Skipped, as expected", report.skipped, "none")
    if report.not_configured:
        _title(console, "Not configured")
        for module, why in report.not_configured.items():
            _indented(console, Text.assemble(f"{module}: ", (why, "dim")))
    if report.notes:
        _title(console, "Noted")
        for note in report.notes:
            _indented(console, Text(note))
    _show_kept(console, report.kept)
    if report.findings:
        _title(console, "Findings")
        for number, finding in enumerate(report.findings):
            if number:
                console.print()
            _show_finding(console, finding)
    for failed in report.failed_jobs:
        _indented(console, Text(f"analysis job failed: {failed}", style="red"))
    _show_times(report, console)
    if browser:
        console.print()
        console.print(f"Look at the graph: {browser}", highlight=False, soft_wrap=True)


def show_tenants(report: Report, console: Console) -> None:
    """Where each tenant stands: what is open is said by type."""
    table = _table("tenant", "scopes", "open")
    for tenant, types in report.tenants.items():
        sums: Counter[str] = Counter()
        for statuses in types.values():
            sums.update(statuses)
        opened = {t: sum(s.get(state, 0) for state in _OPEN) for t, s in types.items()}
        table.add_row(tenant, _counted(sums), ", ".join(f"{t} {n}" for t, n in opened.items() if n) or "-")
    _title(console, "Tenants")
    _indented(console, table)
    if report.eta_seconds is not None:
        console.print(f"\nAbout {report.eta_seconds:.0f} s to go, by how long it took before", highlight=False)


def _headline(report: Report) -> Text:
    said = Text(f"Run {report.run}: ", style="bold")
    if report.state != RunState.COMPLETE:
        going = report.state in (RunState.RUNNING, RunState.ANALYSING)
        said.append(report.state, style="cyan" if going else "red")
        said.append(f" ({report.reason})" if report.reason else "")
        said.append(f"; {report.trouble}" if report.trouble else "", style="yellow")
    elif missing := _missing(report):
        said.append(f"complete, but {', '.join(missing)}", style="yellow")
    elif report.expected:
        said.append("complete but for what expected_gaps names", style="green")
    else:
        said.append("complete", style="green")
    return said


def _missing(report: Report) -> list[str]:
    """What a run that came to its end lacks, in words."""
    missed, total, jobs = len(report.not_seen), sum(report.scopes.values()), len(report.failed_jobs)
    detailed = len({(line["type"], line["tenant"], line["region"]) for line in report.gaps})
    parts = {
        f"{missed} of {total} scopes not seen": missed,
        f"details of {detailed} {'scope' if detailed == 1 else 'scopes'} not seen": detailed,
        f"{jobs} {'analysis job' if jobs == 1 else 'analysis jobs'} failed": jobs,
    }
    return [text for text, count in parts.items() if count]


def _show_types(report: Report, console: Console) -> None:
    """By type; by family of types where that would be a screen of its own."""
    types = [name for name in report.types if name in registry.types()]  # not the planning of tenants and regions
    families = defaultdict[str, list[str]](list)
    for name in types:
        families[name if len(types) <= _MAX_LINES else name.rpartition(".")[0]].append(name)
    table = _table("resource type", "scopes", "rows", "seconds")
    for column in table.columns[1:]:
        column.justify = "right"
    for family, names in sorted(families.items()):
        seen = sum(report.types[name].get(coverage.COMPLETE, 0) for name in names)
        total = sum(sum(report.types[name].values()) for name in names)
        table.add_row(
            names[0] if len(names) == 1 else f"{family}: {len(names)} types",
            Text(str(total)) if seen == total else Text(f"{seen} of {total}", style="yellow"),
            f"{sum(report.rows.get(name, 0) for name in names):,}",
            f"{sum(report.seconds_of_types.get(name, 0) for name in names):.1f}",
        )
    _title(console, f"Seen: {sum(report.rows.values()):,} rows; scopes: {_counted(report.scopes)}")
    if table.rows:
        _indented(console, table)


def _show_lines(console: Console, title: str, lines: Sequence[Line], style: str) -> None:
    if not lines:
        return
    _title(console, title)
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=44, overflow="fold")
    table.add_column(overflow="fold")
    told = list(_together(lines))
    for place, what, why in told[:_MAX_LINES]:
        table.add_row(place, Text.assemble((what, style), "\n", (why, "dim")))
    _indented(console, table)
    if len(told) > _MAX_LINES:
        _indented(console, f"and {len(told) - _MAX_LINES} more: `chartfleet status --json` lists all")


def _show_kept(console: Console, kept: Sequence[Mapping[str, Any]]) -> None:
    if not kept:
        return
    _title(console, "Kept as earlier runs saw it")
    by_status: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in kept:
        by_status[one["status"], one["reason"]].append(one)
    for (status, reason), same in list(by_status.items())[:_MAX_LINES]:
        places = [
            one["tenant"] if one["region"] in (GLOBAL, ALL) else f"{one['region']} of {one['tenant']}" for one in same
        ]
        more = f", and {len(places) - _MAX_PLACES} more places" if len(places) > _MAX_PLACES else ""
        scopes = sum(one["scopes"] for one in same)
        told = f"{scopes} scopes {status}: {reason or ', '.join(places[:_MAX_PLACES]) + more}"
        _indented(console, Text(told))
    if len(by_status) > _MAX_LINES:
        _indented(console, f"and {len(by_status) - _MAX_LINES} more: `chartfleet status --json` lists all")


def _show_finding(console: Console, finding: Mapping[str, Any]) -> None:
    known = {f.name for f in fields(Finding)}
    found = Finding(**{name: value for name, value in finding.items() if name in known})
    unclear = not found.judged or found.unknown or found.not_seen or found.details
    style = "red" if found.count else "yellow" if unclear else "green"
    _indented(console, Text(found.lead, style=f"bold {style}"))
    if found.count and found.meaning:
        _indented(console, Text(found.meaning, style="dim"))
    if found.not_seen:
        places: defaultdict[str, list[str]] = defaultdict(list)
        for place, reason in found.not_seen:
            places[place].append(reason)
        named = [f"{place} ({'; '.join(_causes(reasons))})" for place, reasons in places.items()]
        more = f", and {len(named) - _MAX_PLACES} more places" if len(named) > _MAX_PLACES else ""
        told = f"{len(found.not_seen)} of {found.scopes} scopes not seen: {', '.join(named[:_MAX_PLACES])}{more}"
        _indented(console, Text(told, style="yellow"))
    for place, what in found.details[:_MAX_PLACES]:
        _indented(console, Text(f"details not seen: {place} ({what})", style="yellow"))
    if found.earlier:
        earlier = f"{found.earlier} {'scope' if found.earlier == 1 else 'scopes'} as earlier runs saw them"
        _indented(console, Text(earlier, style="yellow"))
    _show_examples(console, found.examples, found.count)
    if found.unknown_examples:
        _indented(console, Text("not known:", style="yellow"))
        _show_examples(console, found.unknown_examples, found.unknown)


def _show_examples(console: Console, examples: Sequence[Any], count: int) -> None:
    if not examples:
        return
    shown = examples[:_MAX_EXAMPLES]
    _indented(console, _examples(shown), 4)
    if count > len(shown):
        _indented(console, f"and {count - len(shown):,} more in the graph", 4)


def _examples(examples: Sequence[Any]) -> Table:
    """Neo4j gives the keys of a map in any order: what tells the rows apart comes first, lists last."""
    rows = [example if isinstance(example, dict) else {"": example} for example in examples]
    names = list(dict.fromkeys(name for row in rows for name in row))

    def rank(name: str) -> tuple[bool, int, str]:
        values = [row.get(name) for row in rows]
        return any(isinstance(value, list) for value in values), -len({str(value) for value in values}), name

    names.sort(key=rank)
    table = _table(*names)
    for row in rows:
        table.add_row(*(_value(row.get(name)) for name in names))
    return table


def _show_times(report: Report, console: Console) -> None:
    if not report.seconds:
        return
    steps = {n.removeprefix("analysis: "): s for n, s in report.seconds.items() if n.startswith("analysis: ")}
    longest = sorted(steps.items(), key=lambda step: -step[1])
    told = ", ".join(f"{name} {taken:.1f}" for name, taken in longest if taken >= 0.05)
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for stage, taken in report.seconds.items():
        if not stage.startswith("analysis: "):
            table.add_row(stage, f"{taken:.1f} s", told if stage == "analysis" else "")
    _title(console, "Time")
    _indented(console, table)


def _together(lines: Iterable[Line]) -> Iterator[tuple[str, str, str]]:
    """(place, what, why): one for all scopes that miss for one cause, over the types of a family and over regions."""
    by_place: defaultdict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        refused = _REFUSED.fullmatch(line["reason"])
        cause = refused["code"] + refused["more"] if refused else line["reason"]
        family = line["type"].rpartition(".")[0]
        by_place[line["tenant"], line["region"], line["status"], family, cause].append(line)
    regions: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (tenant, region, status, family, _), same in by_place.items():
        types = list(dict.fromkeys(line["type"] for line in same))
        what = f"{status}: {types[0]}"
        if len(types) > 1:
            what = f"{status}: {len(types)} types of {family}: {', '.join(t.removeprefix(family + '.') for t in types)}"
        regions[tenant, what, "; ".join(_causes(line["reason"] for line in same))].append(region)
    for (tenant, what, why), names in regions.items():
        where = ", ".join(names) if len(names) <= _MAX_PLACES else f"{len(names)} regions"
        yield (tenant if names == [GLOBAL] else f"{where} of {tenant}"), what, why


def _causes(reasons: Iterable[str]) -> list[str]:
    """Reasons, those of one error code as one: `UnauthorizedOperation ec2:DescribeVpcs, ec2:DescribeSubnets`."""
    actions: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for reason in reasons:
        refused = _REFUSED.fullmatch(reason)
        key, action = ((refused["code"], refused["more"]), refused["action"]) if refused else (("", reason), "")
        actions[key][action] = None
    return [f"{code} {', '.join(named)}{more}".strip() for (code, more), named in actions.items()]


def _counted(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count) or "none yet"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _indented(console: Console, what: Any, by: int = 2) -> None:
    console.print(Padding(what, (0, 0, 0, by), expand=False), highlight=False, markup=False)


def show_adopted(found: Adopted, console: Console, *, dry_run: bool) -> None:
    """What became of the nodes of a graph that another tool filled, or would; a table of labels, then the rest."""
    columns = {
        "merged": "into another node of the same key",
        "taken_over": "by the scope that fetches such nodes: kept if it finds them, else deleted",
        "keyless": "of these lack the key: their scope writes them anew",
        "shared": "kept while a relationship needs them",
        "orphans": "belong to no tenant: the next run deletes those that it doesn't find",
        "left_alone": "tenants that hold nothing, and nodes whose region nothing tells, kept as they are",
    }
    shown = [name for name in columns if any(getattr(line, name) for line in found.labels)]
    if shown:
        table = Table("label", box=None, pad_edge=False)
        for name in shown:
            table.add_column(name.replace("_", " "), justify="right")
        for line in found.labels:
            table.add_row(line.label, *(str(getattr(line, name) or "-") for name in shown))
        console.print(table)
        for name in shown:
            console.print(f"{name.replace('_', ' ')}: {columns[name]}", soft_wrap=True)
    for one in found.relabelled:
        console.print(f"label {one['change']}: {one['nodes']} {one['label']} nodes; {one['reason']}", soft_wrap=True)
    for edge, count in found.relationships.items():
        console.print(f"no longer kept up, so deleted: {count} relationships {edge}", soft_wrap=True)
    if found.indexes:
        console.print(f"plain indexes that become constraints: {', '.join(found.indexes)}", soft_wrap=True)
    if found.others:
        told = ", ".join(f"{label} {count}" for label, count in found.others.items())
        console.print(f"others, kept as they are: {told}", soft_wrap=True)
    if not (shown or found.relabelled or found.indexes):
        console.print("Nothing to take over.")
    elif dry_run:
        console.print("Nothing was changed: this was a dry run.")
