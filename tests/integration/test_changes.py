"""What a run records of what appeared, changed and went; by rows, in one transaction with what they do."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from loaders import coverage
from loaders.changes import recorder as recorders
from loaders.graph import Graph
from loaders.writer import Writer
from tasks.aws.iam.roles import AWSRole
from tests.integration.runs import (
    DENIED,
    Run,
    Sync,
    bucket,
    group,
    instance,
    reservation,
    role,
    role_arn,
    rows,
    scope,
)

ROLES, OTHER_ROLES = scope("aws.iam.roles"), scope("aws.iam.roles", "2222")
GROUPS, OTHER_GROUPS = scope("aws.ec2.security_groups"), scope("aws.ec2.security_groups", "2222")
BUCKETS, OTHER_BUCKETS = scope("aws.s3.buckets"), scope("aws.s3.buckets", "2222")
INSTANCES = scope("aws.ec2.instances")
ANYBODY = "0.0.0.0/0"

pytestmark = pytest.mark.usefixtures("indexed")


class Covered(Sync):
    """Runs that record their coverage, as the barrier does."""

    def run(self, responses: Any) -> Run:
        run = super().run(responses)
        self.cover(run)
        return run

    def cover(self, run: Run) -> None:
        info = run.ledger.info()
        assert info
        coverage.write(self.writer, info, run.ledger.units(), now_ms=run.tag)


@pytest.fixture
def sync(writer: Writer, broker: redis.Redis) -> Covered:
    return Covered(broker, writer)


def changes(graph: Graph, tag: int) -> list[str]:
    """Of a run: `appeared EC2Instance i-1`, `gone AWSRole a -TRUSTS_AWS_PRINCIPAL-> AWSPrincipal b: deleted`."""
    query = "MATCH (c:SyncChange {tag: $tag}) RETURN c{.*} AS change"
    return sorted(_line(row["change"]) for row in graph.rows(query, {"tag": tag}))


def _line(change: dict[str, Any]) -> str:
    text = f"{change['kind']} {change['label']} {change['key']}"
    if other := change.get("relationship"):
        before, after = ("<-", "-") if change["incoming"] else ("-", "->")
        text += f" {before}{other}{after} {change['other_label']} {change['other_key']}"
    if name := change.get("property"):
        text += f" {name}: {change.get('before')} -> {change.get('after')}"
    return text + (f": {change['cause']}" if change.get("cause") else "")


def first_seen(graph: Graph) -> dict[str, tuple[int, int]]:
    """Scope -> (number of nodes, tag of the run)."""
    found = graph.rows(
        "MATCH (s:SyncScope) WHERE s.first_seen > 0 RETURN s.id AS id, s.first_seen AS n, s.first_seen_tag AS tag"
    )
    return {row["id"]: (row["n"], row["tag"]) for row in found}


def test_a_scope_that_is_seen_for_the_first_time_is_a_number_and_no_news(sync: Covered, graph: Graph) -> None:
    sync.run({INSTANCES: [reservation(instance("i-1"), instance("i-2"))]})
    assert changes(graph, 1) == []
    assert first_seen(graph) == {INSTANCES.id: (5, 1)}  # the reservation, and an interface each


def test_what_appears_goes_and_stays_is_told_apart(sync: Covered, graph: Graph) -> None:
    sync.run({INSTANCES: [reservation(instance("i-1")), reservation(instance("i-2"))]})
    sync.run({INSTANCES: [reservation(instance("i-2")), reservation(instance("i-3"))]})
    assert changes(graph, 2) == [
        "appeared EC2Instance i-3",
        "appeared EC2Reservation r-i-3",
        "appeared NetworkInterface eni-i-3",
        "gone EC2Instance i-1: deleted",
        "gone EC2Reservation r-i-1: deleted",
        "gone NetworkInterface eni-i-1: deleted",
    ]
    sync.run({INSTANCES: [reservation(instance("i-2")), reservation(instance("i-3"))]})
    assert changes(graph, 3) == []


def test_the_first_node_of_a_scope_that_was_seen_empty_is_news(sync: Covered, graph: Graph) -> None:
    sync.run({BUCKETS: []})
    sync.run({BUCKETS: [bucket("b")]})
    assert changes(graph, 2) == ["appeared S3Bucket arn:aws:s3:::b"]


def test_a_watched_property_is_named_with_its_values(sync: Covered, graph: Graph) -> None:
    sync.run({BUCKETS: [bucket("b")]})
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    encrypted = bucket("b") | {"GetBucketEncryption": {"ServerSideEncryptionConfiguration": encryption}}
    sync.run({BUCKETS: [encrypted]})
    assert changes(graph, 2) == [
        "changed S3Bucket arn:aws:s3:::b default_encryption: False -> True",
        "changed S3Bucket arn:aws:s3:::b encryption_algorithm: None -> AES256",
    ]


def test_a_rule_that_opens_a_group_is_a_node_of_its_own(sync: Covered, graph: Graph) -> None:
    sync.run({GROUPS: [group("sg-1"), group("sg-2")]})
    sync.run({GROUPS: [group("sg-1", cidrs=[ANYBODY]), group("sg-2")]})
    [change] = changes(graph, 2)
    assert change.startswith("appeared IpPermissionInbound sg-1/")


def test_a_relationship_of_a_node_that_stays_is_named(sync: Covered, graph: Graph) -> None:
    sync.run({ROLES: [role("a", trusts=[role_arn("b")]), role("c")]})
    sync.run({ROLES: [role("a", trusts=[role_arn("d")]), role("c")]})
    trusts = "AWSRole arn:aws:iam::1111:role/a -TRUSTS_AWS_PRINCIPAL-> AWSPrincipal arn:aws:iam::1111:role"
    found = [change for change in changes(graph, 2) if not change.startswith("changed")]
    assert found == [f"appeared {trusts}/d", f"gone {trusts}/b: deleted"]


def test_a_new_relationship_is_named_beside_a_new_node(sync: Covered, graph: Graph) -> None:
    """The relationships of the new node come with it."""
    sync.run({ROLES: [role("a")]})
    sync.run({ROLES: [role("a", trusts=[role_arn("b")]), role("b", trusts=[role_arn("a")])]})
    found = [change for change in changes(graph, 2) if not change.startswith("changed")]
    assert found == [
        "appeared AWSRole arn:aws:iam::1111:role/a -TRUSTS_AWS_PRINCIPAL-> AWSPrincipal arn:aws:iam::1111:role/b",
        "appeared AWSRole arn:aws:iam::1111:role/b",
    ]


def test_a_stub_is_no_change_and_its_owner_is_one(sync: Covered, graph: Graph) -> None:
    sync.run({ROLES: [], OTHER_ROLES: [role("b", "2222", trusts=[role_arn("a")])]})
    sync.run({ROLES: [role("a")], OTHER_ROLES: [role("b", "2222", trusts=[role_arn("a")])]})
    assert changes(graph, 2) == [f"appeared AWSRole {role_arn('a')}"]
    sync.run({ROLES: [], OTHER_ROLES: [role("b", "2222", trusts=[role_arn("a")])]})
    assert changes(graph, 3) == [f"gone AWSRole {role_arn('a')}: deleted"]


def test_what_was_not_seen_is_not_gone(sync: Covered, graph: Graph) -> None:
    sync.run({ROLES: [role("a")], OTHER_ROLES: [role("b", "2222")]})
    sync.run({ROLES: [role("a")], OTHER_ROLES: DENIED})
    sync.run({ROLES: [role("a")], OTHER_ROLES: [role("b", "2222")]})
    assert changes(graph, 2) == changes(graph, 3) == []


def test_a_bucket_that_moves_to_another_account_is_not_deleted(sync: Covered, graph: Graph) -> None:
    sync.run({BUCKETS: [bucket("b")], OTHER_BUCKETS: []})
    sync.run({BUCKETS: [], OTHER_BUCKETS: [bucket("b")]})
    assert changes(graph, 2) == ["appeared S3Bucket arn:aws:s3:::b: moved", "gone S3Bucket arn:aws:s3:::b: moved"]
    found = graph.rows("MATCH (c:SyncChange {kind: 'gone'}) RETURN c.tenant AS tenant, c.detail AS detail")
    assert found == [{"tenant": "1111", "detail": OTHER_BUCKETS.id}]


def test_a_batch_that_is_delivered_twice_records_nothing_twice(sync: Covered, graph: Graph) -> None:
    sync.run({ROLES: [role("a")]})
    run = sync.start([ROLES])
    found = rows(ROLES, [role("a", trusts=["*"]), role("b")])
    attempt = run.begin(ROLES)
    for number in range(2):
        run.push(attempt, number, AWSRole.model, found[AWSRole.model])
        run.load()
    assert [change for change in changes(graph, 2) if change.startswith("appeared")] == [
        f"appeared AWSRole {role_arn('a')} -TRUSTS_AWS_PRINCIPAL-> AWSPrincipal *",
        f"appeared AWSRole {role_arn('b')}",
    ]
    [log] = graph.rows("MATCH (l:SyncChangeLog) RETURN l.appeared AS appeared, l.gone AS gone")
    assert log == {"appeared": 2, "gone": None}


def test_what_a_run_has_no_room_for_is_counted_and_hides_no_other_kind(
    sync: Covered, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "MAX_OF_KIND", 3)
    sync.run({BUCKETS: [bucket("b-0")]})
    sync.run({BUCKETS: [bucket(f"b-{number}") for number in range(1, 8)]})
    assert len(changes(graph, 2)) == 4
    assert "gone S3Bucket arn:aws:s3:::b-0: deleted" in changes(graph, 2)
    [log] = graph.rows("MATCH (l:SyncChangeLog) RETURN l.appeared AS appeared, l.appeared_dropped AS dropped")
    assert log == {"appeared": 3, "dropped": 4}


def test_records_are_related_to_nothing(sync: Covered, graph: Graph) -> None:
    """Or queries of any length would find them."""
    sync.run({ROLES: [role("a")]})
    sync.run({ROLES: [role("b")]})
    assert len(changes(graph, 2)) == 2
    assert graph.rows("MATCH (c)--() WHERE c:SyncChange OR c:SyncChangeLog RETURN c") == []
