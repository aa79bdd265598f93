"""A finding ends only when it was judged again and is gone. Each run is loaded over HTTP, and analysed to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.findings.rule_file import RuleFileError
from loaders import retirement
from loaders.cleanup import Cleanup
from tasks.engine import registry
from tests.contract.judged import DENIED, GROUP, GROUPS, INSTANCES, OPEN, RULE, Judged, databases
from tests.contract.rule_estates import changed
from workers.fleet import barrier, judging


def test_a_finding_has_its_path_and_the_run_that_found_it(judged: Judged) -> None:
    run = judged.run(OPEN)
    finding = judged.finding()
    assert (finding["status"], finding["first_found_by"], finding["new"]) == ("open", run, True)
    assert [step.get("label") or step["relationship"] for step in finding["path"]] == [
        "AWSAccount",
        "RESOURCE",
        "RDSInstance",
        "MEMBER_OF_EC2_SECURITY_GROUP",
        "EC2SecurityGroup",
    ]


def test_found_again_it_is_not_new(judged: Judged) -> None:
    first = judged.run(OPEN)
    judged.run(OPEN)
    assert (judged.finding()["first_found_by"], judged.finding()["new"]) == (first, False)


def test_what_was_put_right_is_resolved(judged: Judged) -> None:
    judged.run(OPEN)
    run = judged.run(OPEN | {INSTANCES: databases(encrypted=True)})
    finding = judged.finding()
    assert (finding["status"], finding["resolved_by"], finding["resolved_because"]) == (
        "resolved",
        run,
        "no longer found",
    )


def test_what_is_gone_is_resolved(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run(OPEN | {INSTANCES: None})
    assert judged.finding()["status"] == "resolved"


def test_what_comes_back_is_new(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run(OPEN | {INSTANCES: databases(encrypted=True)})
    run = judged.run(OPEN)
    assert (judged.finding()["status"], judged.finding()["first_found_by"]) == ("open", run)


def test_what_was_denied_stays_and_says_since_when(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run({GROUPS: GROUP, INSTANCES: DENIED})
    finding = judged.finding()
    assert finding["status"] == "open"
    assert finding["unseen"].startswith("not seen: aws.rds.instances in eu-west-1 of 111122223333 (")
    assert "AccessDenied" in finding["unseen"]
    assert finding["evidence_at"] < finding["judged_at"]


def test_what_was_not_selected_stays_and_says_since_when(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run({GROUPS: GROUP})
    assert judged.finding()["status"] == "open"
    assert "as an earlier run saw it" in judged.finding()["unseen"]


def test_what_is_not_found_where_something_was_not_seen_is_not_judged(judged: Judged) -> None:
    judged.run(OPEN)
    judged.run({INSTANCES: databases(encrypted=True), GROUPS: DENIED})
    finding = judged.finding()
    assert finding["status"] == "not judged"
    assert finding["not_judged_because"].startswith("not seen: aws.ec2.security_groups")
    judged.run(OPEN | {INSTANCES: databases(encrypted=True)})
    assert judged.finding()["status"] == "resolved"


def test_it_ends_with_its_rule(judged: Judged, rules: Path) -> None:
    judged.run(OPEN)
    (rules / "own-plain-database.yaml").unlink()
    judged.run(OPEN)
    assert (judged.finding()["status"], judged.finding()["resolved_because"]) == ("resolved", "its rule is gone")


def test_it_ends_with_its_tenant(judged: Judged) -> None:
    judged.run(OPEN)
    assert judged.process.writer.acquire()
    schema = registry.schema()
    scopes = retirement.scopes_of(judged.graph, "111122223333")
    retirement.delete(judged.process.writer, schema, scopes, judged.runs.tag + 1)
    Cleanup(judged.process.writer, schema).delete_orphans()
    judged.run({"okta.groups": changed("okta.groups", {})})
    assert judged.finding()["status"] == "resolved"
    assert judged.finding()["resolved_because"] == "its tenant is no longer in the graph"


def test_a_rule_that_fails_resolves_nothing_and_stops_no_other(judged: Judged, rules: Path) -> None:
    judged.run(OPEN)
    (rules / "own-plain-database.yaml").write_text(RULE.replace("= false", "+ date() = 1"))
    ledger = judged.load(OPEN)
    barrier.analyse(judged.process, ledger.run)
    info = ledger.info()
    assert info is not None
    [failed] = info.report["failed_jobs"]
    assert "rule own-plain-database" in failed
    assert judged.finding()["status"] == "not judged"
    assert info.report["rules"]["judged"] > 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("MATCH (d:RDSInstance RETURN d AS resource", "query: the query can't be run: Invalid input"),
        ("SHOW TRANSACTIONS YIELD transactionId AS resource", "query: the query is refused"),
    ],
)
def test_an_own_query_that_cannot_be_used_is_refused_before_a_run(
    judged: Judged, rules: Path, query: str, message: str
) -> None:
    text = RULE.partition("query: |")[0] + f"query: {query}\nwhy: Test.\nfix: Test.\n"
    (rules / "own-plain-database.yaml").write_text(text)
    with pytest.raises(RuleFileError) as raised:
        judging.check_queries(judged.graph, rules)
    assert f"{rules}/own-plain-database.yaml: {message}" in str(raised.value)
