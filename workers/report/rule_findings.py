"""What the rules found, on a terminal and as JSON: the worst first, then what could not be judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from analysis.findings.listing import Listing
from analysis.findings.record import Status, Verdict
from analysis.findings.rule import Severity
from analysis.findings.suppression import Sorted
from loaders.reason import counted
from loaders.scope import GLOBAL
from loaders.shown_text import shown_line
from workers.report.layout import indented, title
from workers.report.report import FoundLine, RulesFields

_MAX_OF_RULE: Final = 10  # findings of one rule on a terminal; the JSON has all
_MAX_GAPS: Final = 5
_STYLES: Final = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "none",
}


def show(console: Console, listing: Listing, found: Sorted) -> None:
    console.print(Text(headline(listing, found), style="bold"))
    by_rule = defaultdict[str, list[Mapping[str, Any]]](list)
    for finding in found.shown:
        by_rule[finding["rule"]].append(finding)
    rules = {rule["id"]: rule for rule in listing.rules}
    for rule, findings in by_rule.items():
        _show_rule(console, rules.get(rule), findings)
    _show_not_judged(console, listing.not_judged)
    _show_clean(console, listing.rules)
    if found.expired:
        title(console, "Suppressions that have expired")
        for suppression in found.expired:
            line = f"{suppression.rule} {suppression.resource}, until {suppression.until}: {suppression.reason}"
            indented(console, shown_line(line))


def show_new(console: Console, rules: RulesFields | None) -> None:
    """In the report of a run: what the rules found that was not there before, the worst first."""
    if rules is None or not rules["judged"]:
        return
    title(console, summary(rules))
    for finding in rules["newest"]:
        severity = Severity(finding["severity"])
        line = Text(f"{severity.upper()}  ", style=_STYLES[severity])
        name = shown_line(finding["resource_name"] or finding["resource_key"])
        line.append(f"{finding['title']}: {finding['resource_label']} {name} ({place_of(finding)})", style="none")
        indented(console, line)
    if more := rules["new"] - len(rules["newest"]):
        indented(console, f"and {more:,} more: `chartfleet findings --new`")


def summary(rules: RulesFields) -> str:
    """`Rules: 3 new findings; 2 critical and 5 high open; 1 resolved; 4 of 130 rules not judged`"""
    still_open = " and ".join(f"{rules['open'][name]:,} {name}" for name in Severity if rules["open"].get(name))
    parts = [f"Rules: {counted(rules['new'], 'new finding')}", f"{still_open or 'none'} open"]
    if rules["resolved"]:
        parts.append(f"{rules['resolved']:,} resolved")
    if rules["not_judged"]:
        parts.append(f"{rules['not_judged']} of {counted(rules['judged'], 'rule')} not judged")
    return "; ".join(parts)


def headline(listing: Listing, found: Sorted) -> str:
    """`Findings of run 17-ab: 2 critical, 5 high (1 new); 3 suppressed; 4 of 130 rules not judged everywhere`"""
    severities = Counter(finding["severity"] for finding in found.shown)
    counts = ", ".join(f"{severities[severity]:,} {severity}" for severity in Severity if severities[severity])
    parts = [f"Findings of run {listing.run['id']}: {counts or 'none'}"]
    if new := sum(finding["new"] for finding in found.shown):
        parts[0] += f" ({new:,} new)"
    if found.suppressed:
        parts.append(f"{len(found.suppressed):,} suppressed")
    if listing.not_judged:
        parts.append(f"{len(listing.not_judged)} of {counted(len(listing.rules), 'rule')} not judged everywhere")
    return "; ".join(parts)


def path_text(path: Sequence[Mapping[str, Any]]) -> str:
    """`(AWSAccount prod)-[RESOURCE]->(S3Bucket logs)`"""
    return "".join(map(_step_text, path))


def _step_text(step: Mapping[str, Any]) -> str:
    if "relationship" in step:
        arrow = f"-[{step['relationship']}]-"
        return f"{arrow}>" if step["forward"] else f"<{arrow}"
    return f"({step['label']} {shown_line(step['name'] or step['key'])})"


def place_of(finding: Mapping[str, Any] | FoundLine) -> str:
    """`111122223333, eu-west-1`"""
    tenant = finding["tenant"].partition("/")[2]
    return tenant if finding["region"] == GLOBAL else f"{tenant}, {finding['region']}"


def day(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"


def _show_rule(console: Console, rule: Mapping[str, Any] | None, findings: Sequence[Mapping[str, Any]]) -> None:
    first = findings[0]
    severity = Severity(first["severity"])
    console.print()
    lead = Text(f"{severity.upper()}  ", style=_STYLES[severity])
    lead.append(f"{first['title']}  ", style="bold")
    lead.append(first["rule"], style="dim")
    console.print(lead, highlight=False)
    if rule:
        indented(console, Text(f"Fix: {rule['fix']}", style="dim"))
    for finding in findings[:_MAX_OF_RULE]:
        indented(console, Text(_finding_text(finding)))
        if finding["path"]:
            indented(console, Text(path_text(finding["path"]), style="dim"), 6)
        if note := _age_text(finding):
            indented(console, Text(note, style="yellow"), 6)
    if len(findings) > _MAX_OF_RULE:
        indented(console, f"and {len(findings) - _MAX_OF_RULE:,} more: --rule {first['rule']} --json lists all")


def _finding_text(finding: Mapping[str, Any]) -> str:
    marks = ["new"] if finding["new"] else [f"since {day(finding['first_found_at'])}"]
    if finding["status"] == Status.RESOLVED:
        marks = [f"resolved {day(finding['resolved_at'])}: {finding['resolved_because']}"]
    detail = f": {shown_line(finding['detail'])}" if finding["detail"] else ""
    name = shown_line(finding["resource_name"] or finding["resource_key"])
    return f"{finding['resource_label']} {name} ({place_of(finding)}; {', '.join(marks)}){detail}"


def _age_text(finding: Mapping[str, Any]) -> str:
    """Why what is said may be out of date."""
    reason = finding.get("not_judged_because") if finding["status"] == Status.NOT_JUDGED else finding.get("unseen")
    if not reason:
        return ""
    since = finding.get("evidence_at")
    lead = "not judged again: " if finding["status"] == Status.NOT_JUDGED else ""
    return shown_line(f"{lead}{reason}" + (f"; as of {day(since)}" if since else ""))


def _show_not_judged(console: Console, rules: Sequence[Mapping[str, Any]]) -> None:
    if not rules:
        return
    title(console, "Not judged: nothing is known here")
    by_reason = defaultdict[str, list[str]](list)
    for rule in rules:
        by_reason[why_not_judged(rule)].append(rule["id"])
    for reason, ids in by_reason.items():
        indented(console, Text(shown_line(f"{reason}: {', '.join(ids)}"), style="yellow"))


def why_not_judged(rule: Mapping[str, Any]) -> str:
    if rule["verdict"] == Verdict.FAILED:
        return f"the rule failed ({rule['error']})"
    gaps = [gap for gap in rule["gaps"] if gap["since"] is None]
    named = list(dict.fromkeys(f"{gap['type']} of {gap['tenant']} ({gap['reason']})" for gap in gaps))
    rest = len(named) - _MAX_GAPS
    return "never seen: " + "; ".join(named[:_MAX_GAPS]) + (f" and {rest} more" if rest > 0 else "")


def _show_clean(console: Console, rules: Iterable[Mapping[str, Any]]) -> None:
    none = [rule for rule in rules if rule["verdict"] == Verdict.NONE]
    certain = [rule for rule in none if not (rule["not_judged"] or rule["unseen"] or rule["unknown"])]
    console.print()
    text = f"{counted(len(certain), 'rule')} found nothing"
    if rest := len(none) - len(certain):
        text += f"; {rest} more found nothing in what was seen"
    console.print(Text(text, style="green"))


def as_json(listing: Listing, found: Sorted) -> dict[str, Any]:
    """`rules` has the coverage of each verdict; `findings` has those that aren't suppressed."""
    return {
        "run": dict(listing.run),
        "findings": [_as_json(finding) for finding in found.shown],
        "suppressed": [
            _as_json(finding) | {"suppressed_until": str(suppression.until), "suppressed_because": suppression.reason}
            for finding, suppression in found.suppressed
        ],
        "rules": [_rule_as_json(rule) for rule in listing.rules],
    }


_INTERNAL: Final = ("firstseen", "lastupdated")


# Of the CSV, in this order; the JSON has all.
CSV_COLUMNS: Final = (
    "severity",
    "rule",
    "title",
    "status",
    "new",
    "resource_label",
    "resource_key",
    "resource_name",
    "tenant",
    "region",
    "detail",
    "first_found_at",
    "unseen",
    "not_judged_because",
    "resolved_because",
)


def csv_rows(found: Sorted) -> Iterator[list[Any]]:
    """Of what isn't suppressed; a map or list is left to the JSON."""
    for finding in found.shown:
        yield [finding.get(name) for name in CSV_COLUMNS]


def _as_json(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(finding.items()) if name not in _INTERNAL}


def _rule_as_json(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(rule.items()) if name not in _INTERNAL}
