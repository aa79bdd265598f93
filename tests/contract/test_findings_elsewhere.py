"""Findings in other tools' formats, held against what these publish."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.objects.cloud import Cloud

from analysis.findings import heat_map
from analysis.findings.listing import Listing, Wanted
from analysis.findings.suppression import Sorted, Suppression, sort
from tests.contract.judged import DENIED, GROUP, GROUPS, INSTANCES, OPEN, ORDERS, Judged, databases
from tests.contract.rule_estates import changed
from workers.report import ocsf, sarif
from workers.report.html.page import render

SARIF = json.loads((Path(__file__).parents[1] / "facts" / "sarif_2.1.0.json").read_text())
ACCEPTED = Suppression(rule="own-*", resource="*", until=date.max, reason="Test.")


def found(judged: Judged, *suppressions: Suppression, resolved: bool = False) -> tuple[Listing, Sorted]:
    listing = judged.listing(Wanted(resolved=resolved))
    return listing, sort(listing.findings, suppressions, date(2026, 1, 1))


def results(document: dict[str, Any]) -> list[dict[str, Any]]:
    jsonschema.validate(document, SARIF, format_checker=jsonschema.FormatChecker())
    of_rule: list[dict[str, Any]] = document["runs"][0]["results"]
    return [result for result in of_rule if result["ruleId"] == "own-plain-database"]


def events(listing: Listing, sorted_: Sorted) -> list[dict[str, Any]]:
    """Valid, and without any field that the models don't know."""
    of_rule = [
        event for event in ocsf.events(listing, sorted_) if "own-plain-database" in event["finding_info"]["types"]
    ]
    for event in of_rule:
        rest = {name: value for name, value in event.items() if name != "cloud"}
        known = ComplianceFinding.model_validate(rest).model_dump(exclude_unset=True, mode="json")
        assert known == rest
        if "cloud" in event:
            assert Cloud.model_validate(event["cloud"]).model_dump(exclude_unset=True, mode="json") == event["cloud"]
    return of_rule


def test_sarif_of_what_is_found(judged: Judged) -> None:
    judged.run(OPEN)
    [result] = results(sarif.document(*found(judged)))
    assert (result["kind"], result["level"], result["baselineState"]) == ("fail", "error", "new")
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == ORDERS
    assert "-[MEMBER_OF_EC2_SECURITY_GROUP]->" in result["message"]["text"]


def test_sarif_of_what_is_accepted(judged: Judged) -> None:
    judged.run(OPEN)
    [result] = results(sarif.document(*found(judged, ACCEPTED)))
    assert result["suppressions"][0]["justification"].startswith("Test.")


def test_sarif_of_what_is_gone(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run(OPEN | {INSTANCES: databases(encrypted=True)})
    [result] = results(sarif.document(*found(judged, resolved=True)))
    assert result["baselineState"] == "absent"


def test_sarif_of_what_could_not_be_judged(judged: Judged) -> None:
    judged.run({INSTANCES: DENIED, GROUPS: GROUP})
    [result] = results(sarif.document(*found(judged)))
    assert (result["kind"], result["level"]) == ("open", "none")
    assert "never seen: aws.rds.instances of aws/111122223333" in result["message"]["text"]


@pytest.mark.parametrize(
    ("suppressions", "activity", "status", "compliance"),
    [((), 1, 1, 3), ((ACCEPTED,), 1, 3, 3)],
    ids=["new", "suppressed"],
)
def test_ocsf_of_what_is_found(
    judged: Judged, suppressions: tuple[Suppression, ...], activity: int, status: int, compliance: int
) -> None:
    judged.run(OPEN)
    [event] = events(*found(judged, *suppressions))
    assert (event["activity_id"], event["status_id"], event["compliance"]["status_id"]) == (
        activity,
        status,
        compliance,
    )
    assert event["resources"][0]["uid"] == ORDERS
    assert event["cloud"]["account"]["uid"] == "111122223333"


def test_ocsf_of_what_is_gone(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run(OPEN | {INSTANCES: databases(encrypted=True)})
    [event] = events(*found(judged, resolved=True))
    assert (event["activity_id"], event["status_id"], event["compliance"]["status_id"]) == (3, 4, 1)


def test_ocsf_of_what_could_not_be_judged(judged: Judged) -> None:
    judged.run({INSTANCES: DENIED, GROUPS: GROUP})
    [event] = events(*found(judged))
    assert event["compliance"]["status_id"] == 2
    assert "never seen" in event["status_detail"]


def page(judged: Judged) -> str:
    listing, sorted_ = found(judged)
    return render(listing, sorted_, heat_map.read(judged.graph, listing.run["tag"]))


def test_html_of_what_is_found_and_what_was_not_seen(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run({INSTANCES: DENIED, GROUPS: GROUP})
    text = page(judged)
    assert "Database that is not encrypted, and whose group is known" in text
    assert '<li class="edge"> MEMBER_OF_EC2_SECURITY_GROUP →</li>' in text
    assert "not seen: aws.rds.instances in eu-west-1 of 111122223333" in text
    assert 'class="none" title="aws.rds of aws/111122223333: 0 of 1 scopes seen' in text


def test_html_obeys_no_name(judged: Judged) -> None:
    hostile = '"><script>alert(1)</script>\u202e'
    names = {"0/DBInstances/0/DBInstanceIdentifier": hostile, "0/DBInstances/0/StorageEncrypted": False}
    judged.run(OPEN | {INSTANCES: changed(INSTANCES, {"rds:DescribeDBInstances": names})})
    text = page(judged)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in text
