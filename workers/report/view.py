"""The report on a terminal or in a pipe: what is wrong and what to do about it first, counts and times last."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loaders import coverage
from loaders.ledger import UNDER_WAY, RunState
from loaders.reason import counted
from loaders.scope import ALL_REGIONS, GLOBAL
from workers.report import findings, not_seen, rule_findings
from workers.report.layout import counts, indented, shortened, table, title
from workers.report.report import OPEN, Kept, Report, is_planning
from workers.report.silence import fetching_text

_MAX_TYPES: Final = 20  # more are shown by family
_ANALYSIS: Final = "analysis: "


def show(report: Report, console: Console, *, browser: str | None = None, verbose: bool = False) -> None:
    """The whole report. `browser`: how to look at the graph; `verbose`: each job's time, and what isn't configured."""
    console.print()
    console.print(_headline(report))
    rule_findings.show_new(console, report.rules)
    findings.show(console, report)
    not_seen.show(console, "Not seen (what the graph has of these is left unchanged)", report.not_seen, "yellow")
    not_seen.show(console, "Details not seen", report.gaps, "yellow")
    not_seen.show(console, "Deletion held back (nothing of these was deleted)", report.held_back, "yellow")
    not_seen.show_next_steps(console, report)
    not_seen.show(console, "Not seen, as expected", report.expected, "none")
    not_seen.show(console, "Skipped", report.skipped, "none")
    if report.notes:
        title(console, "Notes")
        for note in report.notes:
            indented(console, Text(note))
    _show_kept(console, report.kept)
    _show_types(report, console)
    _show_times(report, console, verbose=verbose)
    if verbose and report.not_configured:
        console.print()
        modules = ", ".join(sorted(report.not_configured))
        console.print(Text(f"Not configured: {modules} (docs/providers.md says what each needs)"), highlight=False)
    if browser:
        console.print()
        console.print(f"Look at the graph: {browser}", highlight=False, soft_wrap=True)


def show_tenants(report: Report, console: Console) -> None:
    """Where each tenant stands, with the types that are still open."""
    tenants = table("tenant", "scopes", "open")
    for tenant, types in report.tenants.items():
        sums = Counter[str]()
        for statuses in types.values():
            sums.update(statuses)
        still_open = {name: sum(statuses.get(state, 0) for state in OPEN) for name, statuses in types.items()}
        tenants.add_row(tenant, counts(sums), ", ".join(f"{name} {n}" for name, n in still_open.items() if n) or "-")
    title(console, "Tenants")
    indented(console, tenants)
    if report.eta_seconds is not None:
        console.print(f"\nAbout {report.eta_seconds:.0f} s to go, judged by earlier runs", highlight=False)


def _headline(report: Report) -> Text:
    line = Text(f"Run {report.run}: ", style="bold")
    if report.state != RunState.COMPLETE:
        line.append(report.state, style="cyan" if report.state in UNDER_WAY else "red")
        line.append(f" ({report.reason})" if report.reason else "")
        if report.fetching:
            line.append(f"; {fetching_text(report.fetching, report.silent)}", style="yellow" if report.silent else "")
        line.append(f"; {report.trouble}" if report.trouble else "", style="yellow")
    elif missing := list(_missing(report)):
        line.append(f"complete, but {', '.join(missing)}", style="yellow")
    elif report.expected:
        line.append("complete except for what expected_gaps lists", style="green")
    else:
        line.append("complete", style="green")
    return line


def _missing(report: Report) -> Iterator[str]:
    """What a run that has ended lacks: `7 of 78 scopes and 2 details not seen`, `1 analysis job failed`."""
    unseen = []
    if report.not_seen:
        unseen.append(f"{len(report.not_seen)} of {counted(sum(report.scopes.values()), 'scope')}")
    if report.gaps:
        unseen.append(counted(len(report.gaps), "detail"))
    if unseen:
        yield f"{' and '.join(unseen)} not seen"
    if report.held_back:
        yield f"the deletions of {counted(len(report.held_back), 'scope')} held back"
    if report.failed_jobs:
        yield f"{counted(len(report.failed_jobs), 'analysis job')} failed"


def _show_types(report: Report, console: Console) -> None:
    """Each type, or each family of types where there are many."""
    types = [name for name in report.types if not is_planning(name)]
    families = defaultdict[str, list[str]](list)
    for name in types:
        families[name if len(types) <= _MAX_TYPES else name.rpartition(".")[0]].append(name)
    shown = table("resource type", "scopes", "rows", "seconds")
    for column in shown.columns[1:]:
        column.justify = "right"
    for family, names in sorted(families.items()):
        seen = sum(report.types[name].get(coverage.COMPLETE, 0) for name in names)
        total = sum(sum(report.types[name].values()) for name in names)
        shown.add_row(
            names[0] if len(names) == 1 else f"{family}: {len(names)} types",
            Text(str(total)) if seen == total else Text(f"{seen} of {total}", style="yellow"),
            f"{sum(report.rows.get(name, 0) for name in names):,}",
            f"{sum(report.seconds_of_types.get(name, 0) for name in names):.1f}",
        )
    title(console, f"Seen: {counted(sum(report.rows.values()), 'row')}; scopes: {counts(report.scopes)}")
    if shown.rows:
        indented(console, shown)


def _show_kept(console: Console, kept: Sequence[Kept]) -> None:
    if not kept:
        return
    title(console, "Kept from earlier runs")
    by_status = defaultdict[tuple[str, str], list[Kept]](list)
    for line in kept:
        by_status[line["status"], line["reason"]].append(line)
    for (status, reason), same in list(by_status.items())[: not_seen.MAX_ENTRIES]:
        places = shortened(map(_place, same), not_seen.MAX_PLACES, "place")
        scopes = counted(sum(line["scopes"] for line in same), "scope")
        indented(console, Text(f"{scopes} {status}: {reason or places}"))
    if len(by_status) > not_seen.MAX_ENTRIES:
        rest = len(by_status) - not_seen.MAX_ENTRIES
        indented(console, f"and {rest} more: `chartfleet status --json` lists all")


def _place(line: Kept) -> str:
    return line["tenant"] if line["region"] in (GLOBAL, ALL_REGIONS) else f"{line['region']} of {line['tenant']}"


def _show_times(report: Report, console: Console, *, verbose: bool) -> None:
    if not report.seconds:
        return
    stages = {name: taken for name, taken in report.seconds.items() if not name.startswith(_ANALYSIS)}
    shown = Table.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right", no_wrap=True)
    shown.add_column(style="dim", overflow="fold")
    for stage, taken in stages.items():
        jobs = _job_times(report.seconds) if verbose and stage == "analysis" else ""
        shown.add_row(stage, f"{taken:.1f} s", jobs)
    title(console, "Time")
    indented(console, shown)


def _job_times(seconds: Mapping[str, float]) -> str:
    jobs = {name.removeprefix(_ANALYSIS): taken for name, taken in seconds.items() if name.startswith(_ANALYSIS)}
    longest_first = sorted(jobs.items(), key=lambda job: -job[1])
    return ", ".join(f"{name} {taken:.1f}" for name, taken in longest_first if taken >= 0.05)
