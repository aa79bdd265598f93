"""One graph, run after run, with a rule of one's own: what becomes of a finding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from analysis.findings import listing
from analysis.findings.listing import Listing, Wanted
from loaders.graph import Graph
from loaders.ledger import Ledger, RunState
from tests.contract.faults import FAULTS
from tests.contract.loading import Response, Runs
from tests.contract.rule_estates import changed
from tests.contract.stand_in import Responses, StandIn
from tests.fleet.short_lived_graph import empty
from workers import embedded
from workers.fleet import barrier
from workers.fleet.process import Process
from workers.settings.settings import Settings

PASSWORD: Final = "CHARTFLEET_TEST_FINDINGS_PASSWORD"  # the name of a variable
ORDERS = "arn:aws:rds:eu-west-1:111122223333:db:orders"
DENIED: Final = FAULTS["denied"]
INSTANCES, GROUPS = "aws.rds.instances", "aws.ec2.security_groups"
RULE: Final = """\
id: own-plain-database
title: Database that is not encrypted, and whose group is known
severity: high
reads: [aws.rds.instances, aws.ec2.security_groups]
query: |
  MATCH path = (:AWSAccount)-[:RESOURCE]->(database:RDSInstance)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:EC2SecurityGroup)
  WHERE database.storage_encrypted = false
  RETURN database AS resource, path, database.db_instance_identifier AS detail
why: Test.
fix: Test.
"""


def databases(*, encrypted: bool) -> Responses:
    return changed(INSTANCES, {"rds:DescribeDBInstances": {"0/DBInstances/0/StorageEncrypted": encrypted}})


GROUP: Final = changed(GROUPS, {})
OPEN: Final = {INSTANCES: databases(encrypted=False), GROUPS: GROUP}


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

    def listing(self, wanted: Wanted) -> Listing:
        return listing.read(self.graph, wanted)

    def finding(self) -> Mapping[str, Any]:
        """That of the own rule, whatever became of it."""
        both = [self.listing(Wanted(rule="own-plain-database", resolved=gone)) for gone in (False, True)]
        [finding] = [finding for found in both for finding in found.findings]
        assert finding["resource_key"] == ORDERS
        return finding
