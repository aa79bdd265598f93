"""A finding ends only when it was judged again and is gone. Each run is loaded over HTTP, and analysed to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analysis.findings import listing
from analysis.findings.listing import Wanted
from loaders import retirement
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.ledger import Ledger, RunState
from tasks.engine import registry
from tests.contract.faults import FAULTS
from tests.contract.loading import Response, Runs
from tests.contract.rule_estates import changed
from tests.contract.stand_in import Responses, StandIn
from tests.fleet.short_lived_graph import empty
from workers import embedded
from workers.fleet import barrier
from workers.fleet.process import Process
from workers.settings.settings import Settings

PASSWORD = "CHARTFLEET_TEST_FINDINGS_PASSWORD"  # the name of a variable
ORDERS = "arn:aws:rds:eu-west-1:111122223333:db:orders"
DENIED = FAULTS["denied"]
INSTANCES, GROUPS = "aws.rds.instances", "aws.ec2.security_groups"
RULE = """\
id: own-plain-database
title: Database that is not encrypted, and whose group is known
severity: high
reads: [aws.rds.instances, aws.ec2.security_groups]
query: |
  MATCH path = (:AWSAccount)-[:RESOURCE]->(database:RDSInstance)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:EC2SecurityGroup)
  WHERE database.storage_encrypted = false
  RETURN database AS resource, path
why: Test.
fix: Test.
"""


def databases(*, encrypted: bool) -> Responses:
    return changed(INSTANCES, {"rds:DescribeDBInstances": {"0/DBInstances/0/StorageEncrypted": encrypted}})


GROUP = changed(GROUPS, {})
OPEN = {INSTANCES: databases(encrypted=False), GROUPS: GROUP}


class Judged:
    """One graph, run after run. What is not given to a run is not planned in it."""

    def __init__(self, services: embedded.Services, stand_ins: Mapping[str, StandIn], rules: Path) -> None:
        values: dict[str, Any] = {
            "broker_url": services.broker_url,
            "neo4j_uri": services.graph.uri,
            "neo4j_user": services.graph.user,
            "neo4j_password_env_var": PASSWORD,
            "rules_directory": rules,
        }
        self.graph = Graph.at(services.graph)
        empty(self.graph)
        self.process = Process(Settings.load({}, {}).with_values(values, "test"))
        for key in self.process.redis.scan_iter("chartfleet:*"):
            self.process.redis.delete(key)
        self.runs = Runs(self.process.writer, self.process.redis, stand_ins)
        self.stand_ins = stand_ins

    def close(self) -> None:
        self.process.writer.close()
        self.process.redis.close()
        self.graph.close()

    def run(self, responses: Mapping[str, Response]) -> str:
        """A run of these types. Its id."""
        ledger = self.load(responses)
        barrier.analyse(self.process, ledger.run)
        info = ledger.info()
        assert info is not None
        assert (info.state, info.report["failed_jobs"]) == (RunState.COMPLETE, [])
        return ledger.run

    def load(self, responses: Mapping[str, Response]) -> Ledger:
        """The same, up to the barrier. The analysis of the run before has released the graph."""
        assert self.process.writer.acquire()
        return self.runs.load(responses)

    def finding(self) -> Mapping[str, Any]:
        """That of the own rule, whatever became of it."""
        both = [listing.read(self.graph, Wanted(rule="own-plain-database", resolved=gone)) for gone in (False, True)]
        [finding] = [finding for found in both if found for finding in found.findings]
        assert finding["resource_key"] == ORDERS
        return finding


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "own-plain-database.yaml").write_text(RULE)
    return tmp_path


@pytest.fixture
def judged(
    indexed: None,
    services: embedded.Services,
    stand_ins: dict[str, StandIn],
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Judged]:
    monkeypatch.setenv(PASSWORD, services.graph.password or "")
    with closing(Judged(services, stand_ins, rules)) as judged:
        yield judged


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
