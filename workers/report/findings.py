"""The findings of the analysis on a terminal: red and yellow ones first, all zeros in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.finding import Finding
from loaders.reason import Reason, counted
from workers.report.layout import indented, shortened, table, title
from workers.report.not_seen import MAX_PLACES, causes
from workers.report.report import FindingFields, Report

_MAX_EXAMPLES = 5  # on a terminal; the JSON has all
_RANKS = ("red", "yellow", "green")


def show(console: Console, report: Report) -> None:
    findings = sorted(map(_finding, report.findings), key=lambda finding: _RANKS.index(_style(finding)))
    if not (findings or report.own_jobs or report.failed_jobs):
        return
    title(console, "Findings")
    zeros = [finding for finding in findings if _style(finding) == "green"]
    for finding in findings[: len(findings) - len(zeros)]:
        _show_finding(console, finding)
        console.print()
    if zeros:
        indented(console, Text(", ".join(finding.lead for finding in zeros), style="green"))
    for failed in report.failed_jobs:
        indented(console, Text(f"analysis job failed: {failed}", style="red"))
    if own := _own_jobs(report):
        indented(console, Text(own))


def _own_jobs(report: Report) -> str:
    """`Your jobs: 2 ran (Old databases, 0.1 s; Key pairs, 0.2 s), 1 failed`"""
    ran = "; ".join(f"{job['name']}, {job['seconds']:.1f} s" for job in report.own_jobs)
    parts = [f"{len(report.own_jobs)} ran ({ran})"] if ran else []
    parts += [f"{report.own_jobs_failed} failed"] if report.own_jobs_failed else []
    return f"Your jobs: {', '.join(parts)}" if parts else ""


def _finding(recorded: FindingFields) -> Finding:
    """As the analysis recorded it, perhaps one of another version."""
    known = {field.name for field in fields(Finding)}
    return Finding(**{name: value for name, value in recorded.items() if name in known})


def _style(finding: Finding) -> str:
    if finding.count:
        return "red"
    is_open = finding.unknown or finding.not_seen or finding.details or finding.never_asked or finding.earlier
    return "yellow" if is_open or not finding.judged else "green"


def _show_finding(console: Console, finding: Finding) -> None:
    indented(console, Text(finding.lead, style=f"bold {_style(finding)}"))
    if finding.count and finding.meaning:
        indented(console, Text(finding.meaning, style="dim"))
    for line in _what_is_open(finding):
        indented(console, Text(line, style="yellow"))
    _show_examples(console, finding.examples, finding.count)
    if finding.unknown_examples:
        indented(console, Text("not known:", style="yellow"))
        _show_examples(console, finding.unknown_examples, finding.unknown)


def _what_is_open(finding: Finding) -> list[str]:
    """What the finding could not take into account."""
    lines = []
    if finding.not_seen:
        reasons = [Reason(**cause) for cause in finding.causes] or [Reason(detail=why) for _, why in finding.not_seen]
        by_place = defaultdict[str, list[Reason]](list)
        for (place, _), reason in zip(finding.not_seen, reasons, strict=True):
            by_place[place].append(reason)
        places = [f"{place} ({'; '.join(causes(same))})" for place, same in by_place.items()]
        text = f"{len(finding.not_seen)} of {counted(finding.scopes, 'scope')} not seen"
        lines.append(f"{text}: {shortened(places, MAX_PLACES, 'place')}")
    lines += [f"details not seen: {place} ({what})" for place, what in finding.details[:MAX_PLACES]]
    if finding.never_asked:
        lines.append(f"{', '.join(finding.never_asked)} never seen")
    if finding.earlier:
        lines.append(f"{counted(finding.earlier, 'scope')} as earlier runs saw them")
    return lines


def _show_examples(console: Console, examples: Sequence[object], count: int) -> None:
    if not examples:
        return
    shown = examples[:_MAX_EXAMPLES]
    indented(console, _examples(shown), 4)
    if count > len(shown):
        indented(console, f"and {count - len(shown):,} more in the graph", 4)


def _examples(examples: Sequence[object]) -> Table:
    """Neo4j gives the keys of a map in any order: what tells the rows apart comes first, lists last."""
    rows: list[Mapping[str, object]] = [row if isinstance(row, dict) else {"": row} for row in examples]
    names = list(dict.fromkeys(name for row in rows for name in row))

    def rank(name: str) -> tuple[bool, int, str]:
        values = [row.get(name) for row in rows]
        return any(isinstance(value, list) for value in values), -len({str(value) for value in values}), name

    names.sort(key=rank)
    shown = table(*names)
    for row in rows:
        shown.add_row(*(text_of(row.get(name)) for name in names))
    return shown


def text_of(value: object) -> str:
    """A value of an example in words: `-`, `direct, elb`, `CAN_READ 2, CAN_WRITE 2`."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        return _of_map(value)
    if isinstance(value, list):
        words = [text_of(element) for element in value]
        return ", ".join(sorted(words) if any(isinstance(element, dict) for element in value) else words)
    return str(value)


def _of_map(values: Mapping[str, object]) -> str:
    """Texts first, then numbers; zeros say nothing. A single number needs no name."""
    numbers = {name: n for name, n in sorted(values.items()) if isinstance(n, int | float) and n}
    texts = [text_of(v) for _, v in sorted(values.items()) if v is not None and not isinstance(v, int | float)]
    named = [str(n) if len(numbers) == 1 else f"{n} {name}" for name, n in numbers.items()]
    return " ".join(filter(None, (*texts, ", ".join(named))))
