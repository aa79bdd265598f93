"""Findings as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

A rule that could not be judged somewhere is a result of the kind `open`: the standard's word for an evaluation that had
too little information. Resources are logical locations, as they have no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from analysis.findings.listing import Listing
from analysis.findings.record import Status
from analysis.findings.rule import Severity
from analysis.findings.suppression import Sorted, Suppression
from workers.report.rule_findings import path_text, place_of, why_not_judged

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# As code scanning services rank security findings: a number like CVSS's, as text.
_RANKS: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}


def document(listing: Listing, found: Sorted) -> dict[str, Any]:
    numbers = {rule["id"]: number for number, rule in enumerate(listing.rules)}
    results = [_result(finding, numbers, None) for finding in found.shown]
    results += [_result(finding, numbers, suppression) for finding, suppression in found.suppressed]
    results += _open(listing, numbers)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Chartfleet",
                        "version": version("chartfleet"),
                        "rules": [_rule(rule) for rule in listing.rules],
                    }
                },
                "automationDetails": {"id": f"chartfleet/{listing.run['id']}"},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    severity = Severity(rule["severity"])
    descriptor = {
        "id": rule["id"],
        "shortDescription": {"text": rule["title"]},
        "fullDescription": {"text": rule["why"]},
        "help": {"text": rule["fix"]},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "severity": severity,
            "security-severity": _RANKS[severity],
            "tags": [f"{name}/{number}" for name, numbers in rule["frameworks"].items() for number in numbers],
            "verdict": rule["verdict"],
        },
    }
    return descriptor | ({"helpUri": rule["references"][0]} if rule["references"] else {})


def _result(finding: Mapping[str, Any], rules: Mapping[str, int], suppression: Suppression | None) -> dict[str, Any]:
    name = finding["resource_name"] or finding["resource_key"]
    detail = f": {finding['detail']}" if finding["detail"] else ""
    text = f"{finding['title']}: {finding['resource_label']} {name} ({place_of(finding)}){detail}"
    if finding["path"]:
        text += f"\n{path_text(finding['path'])}"
    result: dict[str, Any] = {
        "ruleId": finding["rule"],
        "kind": "open" if finding["status"] == Status.NOT_JUDGED else "fail",
        "level": "none" if finding["status"] == Status.NOT_JUDGED else _LEVELS[Severity(finding["severity"])],
        "baselineState": _baseline(finding),
        "message": {"text": text},
        "locations": [
            {
                "logicalLocations": [
                    {"name": name, "fullyQualifiedName": finding["resource_key"], "kind": finding["resource_label"]}
                ]
            }
        ],
        "partialFingerprints": {"ruleAndResource/v1": finding["id"]},
        "properties": {
            "tenant": finding["tenant"],
            "region": finding["region"],
            "firstFoundAt": finding["first_found_at"],
            "notSeen": finding.get("not_judged_because") or finding.get("unseen"),
        },
    }
    if finding["rule"] in rules:
        result["ruleIndex"] = rules[finding["rule"]]
    if suppression:
        justification = f"{suppression.reason} (until {suppression.until})"
        result["suppressions"] = [{"kind": "external", "justification": justification}]
    return result


def _baseline(finding: Mapping[str, Any]) -> str:
    if finding["status"] == Status.RESOLVED:
        return "absent"
    return "new" if finding["new"] else "unchanged"


def _open(listing: Listing, rules: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for rule in listing.not_judged:
        yield {
            "ruleId": rule["id"],
            "ruleIndex": rules[rule["id"]],
            "kind": "open",
            "level": "none",
            "message": {"text": f"Not judged: {why_not_judged(rule)}"},
        }
