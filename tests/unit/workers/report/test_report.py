from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import fakeredis
import pytest
from rich.console import Console

from analysis.engine import Finding
from loaders.ledger import Ledger
from loaders.scope import Scope
from tasks.engine import registry
from workers.report import report
from workers.report.report import Report

ACCOUNT = "123456789012"


def shown(told: Report, width: int = 100) -> str:
    """What a terminal of this width shows, as it stands there."""
    console = Console(file=io.StringIO(), width=width)
    report.show(told, console)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def of(**values: Any) -> Report:
    nothing: dict[str, Any] = {"reason": "", "rows": {}, "seconds_of_types": {}, "seconds": {}, "tenants": {}}
    nothing |= {"not_configured": {}}
    lists: dict[str, Any] = {
        name: [] for name in ("not_seen", "gaps", "expected", "skipped", "notes", "kept", "findings", "failed_jobs")
    }
    seen = {"scopes": {"complete": 1}, "types": {"aws.ec2.vpcs": {"complete": 1}}}
    return Report(**{"run": "1-ab", "tag": 1, "state": "complete"} | nothing | lists | seen | values)


def line(type_: str, region: str, reason: str, *, status: str = "denied", tenant: str = ACCOUNT) -> dict[str, Any]:
    return {"type": type_, "tenant": tenant, "region": region, "status": status, "reason": reason, "attempt": 1}


def finding(**values: Any) -> dict[str, Any]:
    found = Finding(**{"job": "exposure", "title": "exposed instances", "count": 0, "scopes": 12} | values)
    return asdict(found) | {"text": str(found), "judged": found.judged}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, 0),
        ({"skipped": [line("aws.ec2.vpcs", "me-south-1", "OptInRequired", status="skipped")]}, 0),
        ({"not_seen": [line("aws.ec2.vpcs", "eu-south-1", "AccessDenied")]}, 3),
        ({"gaps": [line("aws.s3.buckets", "global", "s3:GetBucketPolicy: AccessDenied", status="complete")]}, 3),
        ({"failed_jobs": ["mine"]}, 3),
        ({"state": "failed"}, 1),
        ({"state": "cancelled"}, 1),
        ({"types": {"aws.tenants": {"complete": 1}, "aws.ec2.vpcs": {"denied": 1}}}, 1),  # nothing was seen
    ],
)
def test_exit_codes(values: Mapping[str, Any], code: int) -> None:
    assert of(**values).exit_code == code


@pytest.mark.parametrize(
    ("values", "headline"),
    [
        ({}, "complete"),
        (
            {"not_seen": [line("aws.ec2.vpcs", "eu-south-1", "AccessDenied")], "scopes": {"complete": 1, "denied": 1}},
            "complete, but 1 of 2 scopes not seen",
        ),
        (
            {"gaps": [line("aws.s3.buckets", "global", gap) for gap in "ab"]},
            "complete, but details of 1 scope not seen",
        ),
        ({"failed_jobs": ["mine", "yours"]}, "complete, but 2 analysis jobs failed"),
        (
            {
                "gaps": [line("aws.s3.buckets", "global", "a"), line("aws.kms.keys", "eu-west-1", "b")],
                "failed_jobs": ["x"],
            },
            "complete, but details of 2 scopes not seen, 1 analysis job failed",
        ),
        (
            {"expected": [line("aws.ec2.vpcs", "eu-south-1", "AccessDenied")]},
            "complete but for what expected_gaps names",
        ),
        ({"state": "failed", "reason": "no graph"}, "failed (no graph)"),
    ],
)
def test_the_headline_says_complete_only_where_nothing_is_missing(values: Mapping[str, Any], headline: str) -> None:
    assert f"\nRun 1-ab: {headline}\n" in shown(of(**values))


def test_expected_gaps_are_told_apart_and_leave_the_exit_code_alone() -> None:
    there, known, other = (Scope(type="aws.ec2.vpcs", tenant=ACCOUNT, region=f"eu-south-{n}") for n in range(3))
    planner = Scope(type="aws.tenants", tenant="aws")
    ledger = Ledger(fakeredis.FakeRedis(version=(7,)), "1-ab")
    ledger.open(tag=1, config={"expected_gaps": ["aws.ec2.*/*/eu-south-1"]}, window=10, planners=[planner])
    attempt = ledger.begin(planner, lease_seconds=60, worker="w")
    assert attempt
    ledger.plan(attempt, [(scope, False, 0.0) for scope in (there, known, other)], queue=False)
    for scope in (known, other):
        attempt = ledger.begin(scope, lease_seconds=60, worker="w")
        assert attempt
        ledger.denied(attempt, "UnauthorizedOperation ec2:DescribeVpcs", {})
    told = report.of(ledger)
    assert [line["region"] for line in told.expected] == ["eu-south-1"]
    assert [line["region"] for line in told.not_seen] == ["eu-south-2"]
    assert "Not seen, as expected_gaps says" in shown(told)
    assert of(expected=told.expected).exit_code == 0


def test_a_few_types_are_told_one_by_one_and_many_by_family() -> None:
    types = {name: {"complete": 4} for name in registry.types()}
    few = {name: types[name] for name in ("aws.ec2.subnets", "aws.ec2.vpcs")}
    values: dict[str, Any] = {"rows": {"aws.ec2.vpcs": 1_200, "aws.ec2.subnets": 50}}
    values["seconds_of_types"] = {"aws.ec2.vpcs": 1.25, "aws.ec2.subnets": 0.5}
    assert """
  aws.ec2.subnets        4      50       0.5
  aws.ec2.vpcs           4   1,200       1.2
""" in shown(of(types=few, **values))
    ec2 = [name for name in types if name.startswith("aws.ec2.")]
    types["aws.ec2.vpcs"] = {"complete": 3, "denied": 1}
    told = [text.split() for text in shown(of(types=types, **values)).splitlines()]
    scopes = 4 * len(ec2)
    assert ["aws.ec2:", str(len(ec2)), "types", str(scopes - 1), "of", str(scopes), "1,250", "1.8"] in told
    assert ["aws.dynamodb.tables", "4", "0", "0.0"] in told, "the only one of its family"


def test_scopes_that_miss_for_one_cause_are_one_line() -> None:
    told = of(
        not_seen=[
            line("aws.ec2.instances", "eu-south-1", "UnauthorizedOperation ec2:DescribeInstances"),
            line("aws.ec2.vpcs", "eu-south-1", "UnauthorizedOperation ec2:DescribeVpcs"),
            line("aws.ec2.instances", "eu-south-2", "UnauthorizedOperation ec2:DescribeInstances"),
            line("aws.ec2.vpcs", "eu-south-2", "UnauthorizedOperation ec2:DescribeVpcs"),
            line("aws.iam.users", "global", "transient: iam:ListUsers: the connection broke", status="failed"),
        ]
    )
    assert """
  eu-south-1, eu-south-2 of 123456789012  denied: 2 types of aws.ec2: instances, vpcs
                                          UnauthorizedOperation ec2:DescribeInstances, ec2:DescribeVpcs
  123456789012                            failed: aws.iam.users
                                          transient: iam:ListUsers: the connection broke
""" in shown(told, width=120)


def test_what_the_run_did_not_plan_is_told_by_reason() -> None:
    def kept(region: str, status: str, reason: str = "", scopes: int = 2) -> dict[str, Any]:
        return {"tenant": ACCOUNT, "region": region, "status": status, "reason": reason, "scopes": scopes}

    told = of(
        kept=[
            *(kept(region, "not selected") for region in ("eu-west-1", "eu-west-2", "us-east-1", "us-east-2")),
            kept("eu-south-2", "retired", "eu-south-2 is no longer enabled in 123456789012", 5),
        ]
    )
    assert """
Kept as earlier runs saw it
  8 scopes not selected: eu-west-1 of 123456789012, eu-west-2 of 123456789012, us-east-1 of
  123456789012, and 1 more places
  5 scopes retired: eu-south-2 is no longer enabled in 123456789012
""" in shown(told)
    assert told.exit_code == 0, "it was asked for"


def test_a_writer_that_waits_says_what_for() -> None:
    assert "Run 1-ab: running; the graph isn't responding" in shown(
        of(state="running", trouble="the graph isn't responding")
    )


def test_different_causes_stay_apart() -> None:
    told = of(
        not_seen=[
            line("aws.ec2.instances", "eu-south-1", "UnauthorizedOperation ec2:DescribeInstances"),
            line("aws.ec2.vpcs", "eu-south-1", "AuthFailure ec2:DescribeVpcs"),
            line("aws.ec2.instances", "eu-south-1", "UnauthorizedOperation ec2:DescribeInstances", tenant="2222"),
        ]
    )
    text = shown(told)
    assert text.count("denied: aws.ec2.instances") == 2
    assert "denied: aws.ec2.vpcs" in text


def test_many_lines_are_cut_and_many_regions_counted() -> None:
    regions = [line("aws.ec2.vpcs", f"region-{n}", "AccessDenied ec2:DescribeVpcs") for n in range(5)]
    assert "5 regions of 123456789012" in shown(of(not_seen=regions))
    tenants = [line("aws.iam.users", "global", "AccessDenied iam:ListUsers", tenant=f"{n:04}") for n in range(25)]
    assert "and 5 more: `chartfleet status --json` lists all" in shown(of(not_seen=tenants))


def test_a_finding_shows_what_tells_its_examples_apart_first() -> None:
    examples = [{"how": ["direct", "elb"], "account": ACCOUNT, "instance": f"i-{n}", "region": None} for n in range(7)]
    told = of(findings=[finding(count=9, examples=examples, meaning="Reachable from anywhere.")])
    text = shown(told)
    assert "  9 exposed instances\n  Reachable from anywhere.\n" in text
    header, _, first = text[text.index("    instance") :].splitlines()[:3]
    assert header.split() == ["instance", "account", "region", "how"]
    assert first.split(maxsplit=3) == ["i-0", ACCOUNT, "-", "direct, elb"]
    assert "i-4" in text
    assert "i-5" not in text
    assert "and 4 more in the graph" in text


def test_none_found_is_told_with_what_was_not_seen() -> None:
    place = f"eu-south-1 of {ACCOUNT}"
    refused = [(place, f"UnauthorizedOperation ec2:{name}") for name in ("DescribeInstances", "DescribeSecurityGroups")]
    assert f"""
  exposed instances: none in what was seen
  2 of 12 scopes not seen: {place} (UnauthorizedOperation ec2:DescribeInstances,
  ec2:DescribeSecurityGroups)
""" in shown(of(findings=[finding(not_seen=refused)]))


def test_what_was_never_seen_is_not_judged() -> None:
    text = shown(of(findings=[finding(never_seen=["aws.ec2.instances"])]))
    assert "exposed instances not judged: aws.ec2.instances never seen" in text


def test_markup_in_what_was_fetched_is_text() -> None:
    told = of(findings=[finding(count=1, title="[red]x[/]", examples=[{"name": "[bold]n[/bold]"}])])
    assert "[red]x[/]" in shown(told)
    assert "[bold]n[/bold]" in shown(told)


def test_each_stage_with_its_time() -> None:
    steps = {"analysis: links": 1.25, "analysis: exposure": 0.5, "analysis: record": 0.01}
    text = shown(of(seconds={"fetch and load": 10.0, "analysis": 2.0, "whole run": 12.0} | steps))
    assert "fetch and load  10.0 s" in text
    assert "analysis         2.0 s  links 1.2, exposure 0.5\n" in text


def test_nothing_is_wider_than_the_terminal() -> None:
    refused = [line("aws.ec2.instances", "eu-south-1", f"UnauthorizedOperation ec2:{'Describe' * 20}")]
    examples = [{"bucket": "b" * 63, "actions": ["s3:ListBucketMultipartUploads"] * 4}]
    told = of(not_seen=refused, findings=[finding(count=1, examples=examples)], rows={"aws.ec2.vpcs": 1_234_567})
    for width in (60, 80, 120):
        assert max(map(len, shown(told, width).splitlines())) <= width


# -- the time to go


SCOPES = [Scope(type="aws.ec2.vpcs", tenant=ACCOUNT, region=f"r{n}") for n in range(4)]


def eta(*, past_ms: Mapping[int, int], ended: int, elapsed_seconds: float, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time to go of a run of four scopes, the first `ended` of which are over."""
    client = fakeredis.FakeRedis(version=(7,))
    ledger = Ledger(client, "1-ab")
    ledger.open(tag=1, config={}, window=10, planners=[])
    if past_ms:
        client.hset("chartfleet:durations", mapping={SCOPES[n].id: ms for n, ms in past_ms.items()})
    info = ledger.info()
    assert info is not None
    monkeypatch.setattr(ledger, "now_ms", lambda: info.created_ms + int(elapsed_seconds * 1000))
    return report._eta(ledger, replace(info), SCOPES[:ended], SCOPES[ended:])


def test_the_time_to_go_is_what_is_left_at_the_pace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    past = {0: 10_000, 1: 30_000, 2: 60_000, 3: 20_000}  # 40 s of work done in 20 s, with 80 s left
    assert eta(past_ms=past, ended=2, elapsed_seconds=20, monkeypatch=monkeypatch) == 40.0


def test_a_scope_without_a_past_counts_as_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    past = {0: 10_000, 1: 30_000, 2: 20_000}
    assert eta(past_ms=past, ended=2, elapsed_seconds=40, monkeypatch=monkeypatch) == 40.0


def test_no_time_to_go_without_a_past_or_before_anything_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert eta(past_ms={}, ended=2, elapsed_seconds=5, monkeypatch=monkeypatch) is None
    assert eta(past_ms={0: 1_000}, ended=0, elapsed_seconds=5, monkeypatch=monkeypatch) is None


def test_the_clock_of_the_ledger_is_that_of_redis() -> None:
    client = fakeredis.FakeRedis(version=(7,))
    ledger = Ledger(client, "1-ab")
    ledger.open(tag=1, config={}, window=10, planners=[])
    info = ledger.info()
    assert info is not None
    assert 0 <= ledger.now_ms() - info.created_ms < 10_000
