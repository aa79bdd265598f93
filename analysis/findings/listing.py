"""What the rules found, read from the graph: the findings, and of each rule whether it was judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analysis.findings.record import Status, Verdict
from analysis.findings.rule import Severity
from loaders.errors import ChartfleetError

if TYPE_CHECKING:
    from loaders.graph import Graph

_RUN: Final = """
MATCH (r:SyncRun) WHERE r.finished_at IS NOT NULL
RETURN r.id AS id, r.tag AS tag, r.finished_at AS finished_at, r.state AS state ORDER BY r.tag DESC LIMIT 1
"""
_RULES: Final = "MATCH (r:SyncRule) RETURN r {.*} AS rule ORDER BY r.id"
_FINDINGS: Final = """
MATCH (f:SyncFinding)
WHERE ($tenant IS NULL OR f.tenant = $tenant OR f.tenant ENDS WITH '/' + $tenant)
  AND ($rule IS NULL OR f.rule = $rule)
RETURN f {.*} AS finding ORDER BY f.rule, f.tenant, f.region, f.resource_key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which findings to list.

    new       only those that the newest run found first
    resolved  only those that are gone
    least     of this severity or worse
    tenant    with its provider or without: aws/111122223333, 111122223333
    """

    new: bool = False
    resolved: bool = False
    least: Severity = Severity.INFO
    tenant: str | None = None
    rule: str | None = None
    framework: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Findings and rules as the graph has them, their JSON texts read, and the run that judged last."""

    run: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    rules: Sequence[Mapping[str, Any]]

    @property
    def not_judged(self) -> list[Mapping[str, Any]]:
        """Rules of which some tenant's types were never seen, or that failed: nothing is known there."""
        return [rule for rule in self.rules if rule["not_judged"] or rule["verdict"] == Verdict.FAILED]

    @property
    def is_complete(self) -> bool:
        """Whether every rule was judged, on what the last run saw."""
        judged = all(not (rule["not_judged"] or rule["unseen"] or rule["unknown"]) for rule in self.rules)
        return judged and all(rule["verdict"] != Verdict.FAILED for rule in self.rules)


def read(graph: Graph, wanted: Wanted) -> Listing:
    """Raises ChartfleetError if no run has ended yet."""
    runs = graph.rows(_RUN)
    if not runs:
        raise ChartfleetError("no run has ended yet: `chartfleet sync` starts one")
    rules = [_rule(row["rule"]) for row in graph.rows(_RULES)]
    if wanted.framework:
        rules = [rule for rule in rules if wanted.framework in rule["frameworks"]]
    rules = [rule for rule in rules if wanted.rule in (None, rule["id"])]
    ids = {rule["id"] for rule in rules}
    parameters = {"tenant": wanted.tenant, "rule": wanted.rule}
    findings = [
        finding
        for row in graph.rows(_FINDINGS, parameters)
        if (finding := _finding(row["finding"], runs[0]["id"])) and _is_wanted(finding, wanted, ids)
    ]
    findings.sort(key=lambda finding: (Severity(finding["severity"]).rank, not finding["new"]))
    return Listing(run=runs[0], findings=findings, rules=rules)


def _is_wanted(finding: Mapping[str, Any], wanted: Wanted, rules: set[str]) -> bool:
    if (finding["status"] == Status.RESOLVED) is not wanted.resolved:
        return False
    if wanted.new and not finding["new"]:
        return False
    if finding["rule"] not in rules and not wanted.resolved:
        return False
    return Severity(finding["severity"]).rank <= wanted.least.rank


def _rule(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "frameworks": json.loads(values["frameworks"]), "gaps": json.loads(values["gaps"])}


def _finding(values: Mapping[str, Any], run: str) -> dict[str, Any]:
    new = values["status"] == Status.OPEN and values["first_found_by"] == run
    return {**values, "path": json.loads(values["path"]), "new": new}
