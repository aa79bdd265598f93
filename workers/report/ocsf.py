"""Findings as events of OCSF's class Compliance Finding: https://schema.ocsf.io/1.5.0/classes/compliance_finding

One event a line. A rule that could not be judged somewhere is an event of the status Warning: by OCSF a check that "did
not yield a result due to missing information".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from analysis.findings.listing import Listing
from analysis.findings.record import Status
from analysis.findings.rule import Severity
from analysis.findings.suppression import Sorted
from workers.report.rule_findings import path_text, why_not_judged

_CLASS: Final = 2003
_CREATE, _UPDATE, _CLOSE = 1, 2, 3  # activities
_WARNING, _FAIL, _PASS = 2, 3, 1  # statuses of the compliance
_NEW, _IN_PROGRESS, _SUPPRESSED, _RESOLVED = 1, 2, 3, 4  # statuses of the finding
_SEVERITIES: Final = {
    Severity.CRITICAL: (5, "Critical"),
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.LOW: (2, "Low"),
    Severity.INFO: (1, "Informational"),
}
_CLOUDS: Final = {"aws": ("AWS", 10), "gcp": ("GCP", 11)}  # the type of a tenant: an account, a project


def events(listing: Listing, found: Sorted) -> Iterator[dict[str, Any]]:
    rules = {rule["id"]: rule for rule in listing.rules}
    at_ms = listing.run["finished_at"]
    for finding in found.shown:
        yield _event(finding, rules.get(finding["rule"]), at_ms, suppressed=False)
    for finding, _ in found.suppressed:
        yield _event(finding, rules.get(finding["rule"]), at_ms, suppressed=True)
    for rule in listing.not_judged:
        yield _not_judged(rule, at_ms)


def _event(
    finding: Mapping[str, Any], rule: Mapping[str, Any] | None, at_ms: int, *, suppressed: bool
) -> dict[str, Any]:
    closed, open_ = finding["status"] == Status.RESOLVED, finding["status"] == Status.OPEN
    activity = _CLOSE if closed else _CREATE if finding["new"] else _UPDATE
    status = _SUPPRESSED if suppressed else _RESOLVED if closed else _NEW if finding["new"] else _IN_PROGRESS
    event = _head(activity, finding["severity"], at_ms) | {
        "status_id": status,
        "compliance": _compliance(rule, _PASS if closed else _FAIL if open_ else _WARNING),
        "finding_info": {
            "uid": finding["id"],
            "title": finding["title"],
            "desc": path_text(finding["path"]) or finding["title"],
            "types": [finding["rule"]],
            "first_seen_time": finding["first_found_at"],
            "last_seen_time": finding["judged_at"],
        },
        "resources": [_resource(finding)],
    }
    if reason := finding.get("not_judged_because") or finding.get("unseen") or finding.get("resolved_because"):
        event["status_detail"] = reason
    if rule:
        event["remediation"] = {"desc": rule["fix"], "references": list(rule["references"])}
    return event | _cloud(finding)


def _not_judged(rule: Mapping[str, Any], at_ms: int) -> dict[str, Any]:
    return _head(_UPDATE, rule["severity"], at_ms) | {
        "status_id": _IN_PROGRESS,
        "status_detail": why_not_judged(rule),
        "compliance": _compliance(rule, _WARNING),
        "finding_info": {"uid": rule["id"], "title": f"Not judged: {rule['title']}", "types": [rule["id"]]},
    }


def _head(activity: int, severity: str, at_ms: int) -> dict[str, Any]:
    number, caption = _SEVERITIES[Severity(severity)]
    return {
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "activity_id": activity,
        "type_uid": _CLASS * 100 + activity,
        "time": at_ms,
        "severity_id": number,
        "severity": caption,
        "metadata": {
            "version": "1.5.0",
            "product": {"name": "Chartfleet", "vendor_name": "Chartfleet", "version": version("chartfleet")},
        },
    }


def _compliance(rule: Mapping[str, Any] | None, status: int) -> dict[str, Any]:
    frameworks: Mapping[str, Sequence[str]] = rule["frameworks"] if rule else {}
    compliance: dict[str, Any] = {
        "status_id": status,
        "standards": list(frameworks) or ["Chartfleet's own rules"],
        "requirements": [f"{name} {number}" for name, numbers in frameworks.items() for number in numbers],
    }
    return compliance | ({"control": rule["id"], "desc": rule["why"]} if rule else {})


def _resource(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uid": finding["resource_key"],
        "name": finding["resource_name"],
        "type": finding["resource_label"],
        "region": finding["region"],
    }


def _cloud(finding: Mapping[str, Any]) -> dict[str, Any]:
    """OCSF's profile `cloud`, for resources of one."""
    provider, _, tenant = finding["tenant"].partition("/")
    if provider not in _CLOUDS:
        return {}
    name, kind = _CLOUDS[provider]
    account = {"uid": tenant, "name": tenant, "type_id": kind}
    return {"cloud": {"provider": name, "account": account, "region": finding["region"]}}
