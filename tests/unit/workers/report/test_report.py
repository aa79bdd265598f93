from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

import fakeredis
import pytest
from rich.console import Console

from analysis.finding import Finding
from loaders.ledger import Ledger
from loaders.reason import Reason
from loaders.rejected import RejectedRow
from loaders.scope import Scope
from tasks.engine import registry
from workers.report import eta as time_to_go
from workers.report import findings, not_seen, report, view
from workers.report.report import Report

ACCOUNT = "123456789012"


def shown(of_run: Report, width: int = 100, *, verbose: bool = False) -> str:
    """What a terminal of this width shows."""
    console = Console(file=io.StringIO(), width=width)
    view.show(of_run, console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def of(**values: Any) -> Report:
    nothing: dict[str, Any] = {"reason": "", "rows": {}, "seconds_of_types": {}, "seconds": {}, "tenants": {}}
    nothing |= {"not_configured": {}}
    lists: dict[str, Any] = {
        name: [] for name in ("not_seen", "gaps", "expected", "skipped", "notes", "kept", "findings", "failed_jobs")
    }
    seen = {"scopes": {"complete": 1}, "types": {"aws.ec2.vpcs": {"complete": 1}}}
    head: dict[str, Any] = {"run": "1-ab", "tag": 1, "state": "complete"}
    return Report(**head | nothing | lists | seen | values)


def line(
    type_: str, region: str, reason: Reason | str, *, status: str = "denied", tenant: str = ACCOUNT
) -> dict[str, Any]:
    """A line of the report; of a reason that is text, as an older version recorded it."""
    place = {"type": type_, "tenant": tenant, "region": region, "status": status, "attempt": 1}
    if isinstance(reason, str):
        return place | {"reason": reason}
    return place | asdict(reason) | {"reason": str(reason)}


def denied(code: str, action: str, items: int = 0) -> Reason:
    return Reason(failure="denied", code=code, action=action, items=items)


def finding(**values: Any) -> dict[str, Any]:
    head: dict[str, Any] = {"job": "exposure", "title": "exposed instances", "count": 0, "scopes": 12}
    found = Finding(**head | values)
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
            "complete, but 2 details not seen",
        ),
        (
            {
                "not_seen": [line("aws.ec2.vpcs", f"eu-south-{n}", "AccessDenied") for n in range(7)],
                "scopes": {"complete": 71, "denied": 7},
                "gaps": [line("aws.s3.buckets", "global", gap) for gap in "ab"],
                "failed_jobs": ["mine"],
            },
            "complete, but 7 of 78 scopes and 2 details not seen, 1 analysis job failed",
        ),
        ({"failed_jobs": ["mine", "yours"]}, "complete, but 2 analysis jobs failed"),
        (
            {
                "gaps": [line("aws.s3.buckets", "global", "a"), line("aws.kms.keys", "eu-west-1", "b")],
                "failed_jobs": ["x"],
            },
            "complete, but 2 details not seen, 1 analysis job failed",
        ),
        (
            {"expected": [line("aws.ec2.vpcs", "eu-south-1", "AccessDenied")]},
            "complete except for what expected_gaps lists",
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
        ledger.denied(attempt, denied("UnauthorizedOperation", "ec2:DescribeVpcs").to_json(), {})
    run = report.of(ledger)
    assert [line["region"] for line in run.expected] == ["eu-south-1"]
    assert [line["region"] for line in run.not_seen] == ["eu-south-2"]
    assert "Not seen, as expected" in shown(run)
    assert of(expected=run.expected).exit_code == 0


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
    lines = [text.split() for text in shown(of(types=types, **values)).splitlines()]
    scopes = 4 * len(ec2)
    assert ["aws.ec2:", str(len(ec2)), "types", str(scopes - 1), "of", str(scopes), "1,250", "1.8"] in lines
    assert ["aws.dynamodb.tables", "4", "0", "0.0"] in lines, "the only one of its family"


def test_scopes_that_miss_for_one_cause_are_one_line() -> None:
    broken = Reason(failure="transient", action="iam:ListUsers", detail="the connection broke")
    run = of(
        not_seen=[
            line("aws.ec2.instances", "eu-south-1", denied("UnauthorizedOperation", "ec2:DescribeInstances")),
            line("aws.ec2.vpcs", "eu-south-1", denied("UnauthorizedOperation", "ec2:DescribeVpcs")),
            line("aws.ec2.instances", "eu-south-2", denied("UnauthorizedOperation", "ec2:DescribeInstances")),
            line("aws.ec2.vpcs", "eu-south-2", denied("UnauthorizedOperation", "ec2:DescribeVpcs")),
            line("aws.iam.users", "global", broken, status="failed"),
        ]
    )
    assert """
  eu-south-1, eu-south-2 of 123456789012  denied: 2 types of aws.ec2: instances, vpcs
                                          UnauthorizedOperation ec2:DescribeInstances, ec2:DescribeVpcs
  123456789012                            failed: aws.iam.users
                                          transient: iam:ListUsers: the connection broke
""" in shown(run, width=120)


def test_what_the_run_did_not_plan_is_told_by_reason() -> None:
    def kept(region: str, status: str, reason: str = "", scopes: int = 2) -> dict[str, Any]:
        return {"tenant": ACCOUNT, "region": region, "status": status, "reason": reason, "scopes": scopes}

    run = of(
        kept=[
            *(kept(region, "not selected") for region in ("eu-west-1", "eu-west-2", "us-east-1", "us-east-2")),
            kept("eu-south-2", "retired", "eu-south-2 is no longer enabled in 123456789012", 5),
        ]
    )
    assert """
Kept from earlier runs
  8 scopes not selected: eu-west-1 of 123456789012, eu-west-2 of 123456789012, us-east-1 of
  123456789012, and 1 more place
  5 scopes retired: eu-south-2 is no longer enabled in 123456789012
""" in shown(run)
    assert run.exit_code == 0, "it was asked for"


def test_the_keys_of_the_json_stay() -> None:
    """Scripts read them."""
    keys = (
        "run tag state reason scopes types tenants rows seconds_of_types not_seen gaps expected skipped not_configured "
        "notes kept findings failed_jobs seconds eta_seconds waiting trouble"
    )
    assert set(keys.split()) <= set(asdict(of()))
    kept = {"type", "tenant", "region", "status", "reason", "attempt"}
    fields = {"failure", "code", "action", "detail", "items"}
    assert set(report.Line.__annotations__) == kept | fields


def test_a_writer_that_waits_says_what_for() -> None:
    assert "Run 1-ab: running; the graph isn't responding" in shown(
        of(state="running", trouble="the graph isn't responding")
    )


def test_different_causes_stay_apart() -> None:
    instances = denied("UnauthorizedOperation", "ec2:DescribeInstances")
    run = of(
        not_seen=[
            line("aws.ec2.instances", "eu-south-1", denied("UnauthorizedOperation", "ec2:DescribeInstances")),
            line("aws.ec2.vpcs", "eu-south-1", denied("AuthFailure", "ec2:DescribeVpcs")),
            line("aws.ec2.instances", "eu-south-1", instances, tenant="2222"),
        ]
    )
    text = shown(run)
    assert text.count("denied: aws.ec2.instances") == 2
    assert "denied: aws.ec2.vpcs" in text


def test_many_lines_are_cut_and_many_regions_counted() -> None:
    regions = [line("aws.ec2.vpcs", f"region-{n}", denied("AccessDenied", "ec2:DescribeVpcs")) for n in range(5)]
    assert "5 regions of 123456789012" in shown(of(not_seen=regions))
    tenants = [
        line("aws.iam.users", "global", denied("AccessDenied", "iam:ListUsers"), tenant=f"{n:04}") for n in range(25)
    ]
    assert "and 5 more: `chartfleet status --json` lists all" in shown(of(not_seen=tenants))


def test_a_finding_shows_what_tells_its_examples_apart_first() -> None:
    examples = [{"how": ["direct", "elb"], "account": ACCOUNT, "instance": f"i-{n}", "region": None} for n in range(7)]
    run = of(findings=[finding(count=9, examples=examples, meaning="Reachable from anywhere.")])
    text = shown(run)
    assert "  9 exposed instances\n  Reachable from anywhere.\n" in text
    header, _, first = text[text.index("    instance") :].splitlines()[:3]
    assert header.split() == ["instance", "account", "region", "how"]
    assert first.split(maxsplit=3) == ["i-0", ACCOUNT, "-", "direct, elb"]
    assert "i-4" in text
    assert "i-5" not in text
    assert "and 4 more in the graph" in text


def test_none_found_is_told_with_what_was_not_seen() -> None:
    place = f"eu-south-1 of {ACCOUNT}"
    actions = ("ec2:DescribeInstances", "ec2:DescribeSecurityGroups")
    reasons = [denied("UnauthorizedOperation", action) for action in actions]
    causes = [{"failure": r.failure, "code": r.code, "action": r.action, "detail": ""} for r in reasons]
    assert f"""
  exposed instances: none in what was seen
  2 of 12 scopes not seen: {place} (UnauthorizedOperation ec2:DescribeInstances,
  ec2:DescribeSecurityGroups)
""" in shown(of(findings=[finding(not_seen=[(place, str(r)) for r in reasons], causes=causes)]))


def test_what_was_never_seen_is_not_judged() -> None:
    text = shown(of(findings=[finding(never_seen=["aws.ec2.instances"])]))
    assert "exposed instances not judged: aws.ec2.instances never seen" in text


def test_markup_in_what_was_fetched_is_text() -> None:
    run = of(findings=[finding(count=1, title="[red]x[/]", examples=[{"name": "[bold]n[/bold]"}])])
    assert "[red]x[/]" in shown(run)
    assert "[bold]n[/bold]" in shown(run)


def test_each_stage_with_its_time() -> None:
    steps = {"analysis: links": 1.25, "analysis: exposure": 0.5, "analysis: record": 0.01}
    run = of(seconds={"fetch and load": 10.0, "analysis": 2.0, "whole run": 12.0} | steps)
    assert "fetch and load  10.0 s" in shown(run)
    assert "analysis         2.0 s\n" in shown(run)
    assert "analysis         2.0 s  links 1.2, exposure 0.5\n" in shown(run, verbose=True)


def test_nothing_is_wider_than_the_terminal() -> None:
    long = [line("aws.ec2.instances", "eu-south-1", denied("UnauthorizedOperation", f"ec2:{'Describe' * 20}"))]
    examples = [{"bucket": "b" * 63, "actions": ["s3:ListBucketMultipartUploads"] * 4}]
    run = of(not_seen=long, findings=[finding(count=1, examples=examples)], rows={"aws.ec2.vpcs": 1_234_567})
    for width in (60, 80, 120):
        assert max(map(len, shown(run, width).splitlines())) <= width


# -- what comes first, and what to do about it


def test_findings_come_first_then_what_to_grant_then_counts_and_times() -> None:
    run = of(
        findings=[finding(title="public buckets"), finding(count=2)],
        not_seen=[line("aws.ec2.vpcs", "eu-south-1", denied("UnauthorizedOperation", "ec2:DescribeVpcs"))],
        seconds={"whole run": 12.0},
    )
    text = shown(run)
    order = ["Run 1-ab", "Findings", "2 exposed", "0 public buckets", "Not seen", "To see the rest", "Seen:", "Time"]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)


def test_red_and_yellow_findings_come_first_and_zeros_are_one_line() -> None:
    zeros = [finding(title=title) for title in ("public buckets", "open clusters")]
    run = of(findings=[zeros[0], finding(title="peerings", never_seen=["aws.ec2.vpcs"]), zeros[1], finding(count=3)])
    lines = [text.strip() for text in shown(run).splitlines()]
    wanted = [
        "3 exposed instances",
        "peerings not judged: aws.ec2.vpcs never seen",
        "0 public buckets, 0 open clusters",
    ]
    assert [text for text in lines if text in wanted] == wanted


def test_own_jobs_are_one_line() -> None:
    run = of(
        own_jobs=[{"name": "Old databases", "seconds": 0.12}],
        own_jobs_failed=1,
        failed_jobs=["job 'Mine' (mine.json), statement 1: no"],
    )
    assert "  Your jobs: 1 ran (Old databases, 0.1 s), 1 failed\n" in shown(run)
    assert "Your jobs" not in shown(of(findings=[finding()]))


def test_what_to_grant_names_permissions_and_principal_and_the_next_command() -> None:
    run = of(
        not_seen=[
            line("aws.ec2.vpcs", region, denied("UnauthorizedOperation", "ec2:DescribeVpcs"))
            for region in ("eu-south-1", "eu-south-2")
        ],
        gaps=[
            line("aws.s3.buckets", "global", denied("AccessDenied", "s3:GetBucketPolicy", items=2), status="complete")
        ],
        principals={f"aws/{ACCOUNT}": f"arn:aws:iam::{ACCOUNT}:user/reader"},
    )
    assert not_seen.next_steps(run) == (
        f"To see the rest: allow ec2:DescribeVpcs, s3:GetBucketPolicy to arn:aws:iam::{ACCOUNT}:user/reader "
        '("chartfleet doctor" prints the statement), then "chartfleet sync --resume 1-ab"'
    )


def test_without_a_known_principal_the_tenant_is_named() -> None:
    run = of(not_seen=[line("aws.ec2.vpcs", "eu-south-1", denied("UnauthorizedOperation", "ec2:DescribeVpcs"))])
    assert f"allow ec2:DescribeVpcs to the credentials of {ACCOUNT} " in not_seen.next_steps(run)


def test_where_nothing_can_be_granted_the_next_command_is_named_alone() -> None:
    broken = line("aws.iam.users", "global", Reason(failure="transient", action="iam:ListUsers"), status="failed")
    assert not_seen.next_steps(of(not_seen=[broken])) == ('To read what was not seen: "chartfleet sync --resume 1-ab"')
    unset = Reason(failure="denied", code="NotSet", action="variable OKTA_TOKEN", detail="isn't set on this worker")
    assert "allow" not in not_seen.next_steps(of(not_seen=[line("okta.users", "global", unset, tenant="acme")]))
    rejected = Reason(failure="rejected", detail="S3Bucket.name: missing", items=1)
    assert not_seen.next_steps(of(gaps=[line("aws.s3.buckets", "global", rejected)])) == ""


@pytest.mark.parametrize(
    ("code", "actions", "permissions"),
    [
        (
            "PERMISSION_DENIED",
            {
                "gcp.compute.vpcs": "compute:networks.list",
                "gcp.compute.subnets": "compute:subnetworks.aggregatedList (OAuth scope compute.readonly)",
            },
            "compute.networks.list, compute.subnetworks.list",
        ),
        (
            "E0000006",
            {
                "okta.users": "GET /api/v1/users (needs okta.users.read, as the role Read-Only Administrator has)",
                "okta.groups": "GET /api/v1/groups (needs okta.groups.read, as the role Read-Only Administrator has)",
            },
            "GET /api/v1/groups (needs okta.groups.read, as the role Read-Only Administrator has), "
            "GET /api/v1/users (needs okta.users.read, as the role Read-Only Administrator has)",
        ),
        (
            "INSUFFICIENT_SCOPES (the token may not see it)",
            {"github.users": "POST /graphql Members", "github.teams": "POST /graphql TeamIds (needs read:org)"},
            "read:org, user:email",
        ),
    ],
    ids=["google", "okta", "github"],
)
def test_denials_of_every_provider_are_grouped_by_their_fields(
    code: str, actions: Mapping[str, str], permissions: str
) -> None:
    lines = [line(name, "global", denied(code, action), tenant="acme") for name, action in actions.items()]
    [entry] = not_seen.grouped(lines)  # type: ignore[arg-type]
    assert (entry.place, entry.why) == ("acme", f"{code} {', '.join(actions.values())}")
    assert not_seen.next_steps(of(not_seen=lines)) == (
        f'To see the rest: allow {permissions} to the credentials of acme, then "chartfleet sync --resume 1-ab"'
    )


def test_details_of_one_cause_are_one_entry_with_their_items() -> None:
    lines = [
        line("aws.s3.buckets", "global", denied("AccessDenied", f"s3:{name}", items=n), status="complete")
        for name, n in (("GetBucketPolicy", 2), ("GetBucketAcl", 1))
    ]
    [entry] = not_seen.grouped(lines)  # type: ignore[arg-type]
    assert entry.why == "AccessDenied s3:GetBucketPolicy (2 items), s3:GetBucketAcl (1 item)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (["direct", "elb"], "direct, elb"),
        (
            [
                {"conditional": 0, "resources": 2, "relationship": "CAN_WRITE"},
                {"resources": 2, "relationship": "CAN_READ", "conditional": 0},
            ],
            "CAN_READ 2, CAN_WRITE 2",
        ),
        ([{"relationship": "CAN_READ", "resources": 2, "conditional": 1}], "CAN_READ 1 conditional, 2 resources"),
        (True, "True"),
    ],
)
def test_values_of_an_example_are_words(value: object, text: str) -> None:
    assert findings.text_of(value) == text


def test_what_is_not_configured_is_one_line_and_only_if_asked_for() -> None:
    run = of(not_configured={"okta": "set OKTA_TOKEN", "gcp": "set up credentials"})
    assert "Not configured" not in shown(run)
    assert "\nNot configured: gcp, okta (" in shown(run, verbose=True)


def test_in_a_pipe_nothing_is_wrapped_or_padded() -> None:
    lines = [line("aws.ec2.vpcs", "eu-south-1", denied("UnauthorizedOperation", f"ec2:{'Describe' * 30}"))]
    examples = [{"bucket": "short"}, {"bucket": "b" * 300}]
    text = shown(of(not_seen=lines, findings=[finding(count=2, examples=examples)]), width=100_000)
    assert f"UnauthorizedOperation ec2:{'Describe' * 30}\n" in text
    assert "    short\n" in text
    assert not [row for row in text.splitlines() if row != row.rstrip()]


# -- the time to go


SCOPES = [Scope(type="aws.ec2.vpcs", tenant=ACCOUNT, region=f"r{n}") for n in range(4)]


def eta(*, past_ms: Mapping[int, int], ended: int, elapsed_seconds: float, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time to go of a run of four scopes, the first `ended` of which are over."""
    client = fakeredis.FakeRedis(version=(7,))
    ledger = Ledger(client, "1-ab")
    earlier = Ledger(client, "0-ab")
    earlier.open(tag=0, config={}, window=10, planners=SCOPES)
    for n, ms in past_ms.items():
        times = {"started_ms": 1_000, "ended_ms": 1_000 + ms, "settled": 1}
        client.hset(f"chartfleet:ledger:0-ab:unit:{SCOPES[n].id}", mapping=cast(Any, times))
    ledger.open(tag=1, config={}, window=10, planners=[])
    info = ledger.info()
    assert info is not None
    monkeypatch.setattr(ledger, "now_ms", lambda: info.created_ms + int(elapsed_seconds * 1000))
    return time_to_go.seconds(ledger, replace(info), SCOPES[:ended], SCOPES[ended:])


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


# -- held back, and rejected


HELD_BACK = line("aws.ec2.vpcs", "eu-west-1", "20 of 20 nodes are no longer listed", status="held back")


def test_a_scope_that_was_held_back_is_shown_and_makes_the_exit_code_3() -> None:
    of_run = of(held_back=[HELD_BACK])
    assert of_run.exit_code == 3
    assert of(held_back=[HELD_BACK], types={"aws.ec2.vpcs": {"held back": 1}}).exit_code == 3, "it was seen"
    text = shown(of_run)
    assert "complete, but the deletions of 1 scope held back" in text
    assert "Deletion held back (nothing of these was deleted)" in text
    assert "20 of 20 nodes are no longer listed" in text
    assert '"chartfleet sync --resume 1-ab --confirm-deletions"' in text


def test_the_ledger_tells_what_was_held_back_and_how_many_rows_were_rejected() -> None:
    ledger = Ledger(fakeredis.FakeRedis(), "1-ab")
    vpcs = Scope(type="aws.ec2.vpcs", tenant=ACCOUNT, region="eu-west-1")
    ledger.open(tag=1, config={}, window=1, planners=[planner := Scope(type="aws.tenants", tenant="aws")])
    planning = ledger.begin(planner, lease_seconds=60, worker="w")
    assert planning
    ledger.plan(planning, [(vpcs, True, 0.0)], queue=False)
    attempt = ledger.begin(vpcs, lease_seconds=60, worker="w")
    assert attempt
    ledger.reject(RejectedRow.of("aws.ec2.vpcs:AWSVpc", {"k": "v", "p": {}, "r": [], "s": vpcs.id}, "why"))
    ledger.fetched(attempt, batches=0, outcome={})
    ledger.held_back(vpcs, Reason(detail="20 of 20 nodes"))
    of_run = report.of(ledger)
    assert [(found["status"], found["reason"]) for found in of_run.held_back] == [("held back", "20 of 20 nodes")]
    assert (of_run.not_seen, of_run.rejected_rows) == ([], 1)
    assert 'Rejected: 1 row ("chartfleet rejected list")' in not_seen.next_steps(of_run)


def test_a_run_whose_analysis_failed_names_the_step() -> None:
    of_run = of(state="failed", reason="links: LoadBalancer EXPOSE EC2Instance: took too long")
    assert of_run.exit_code == 1
    assert "failed (links: LoadBalancer EXPOSE EC2Instance: took too long)" in shown(of_run)
