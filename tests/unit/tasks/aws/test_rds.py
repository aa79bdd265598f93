"""What RDS says by name only, and who may restore a snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.rds import cluster_arn, is_public, replica_source_arn, subnet_group_arn

OF = Scope(type="aws.rds.instances", tenant="111122223333", region="cn-north-1")
HERE = "arn:aws-cn:rds:cn-north-1:111122223333"


def instance(**fields: Any) -> Source:
    return Source({"DBInstanceArn": f"{HERE}:db:orders", **fields}, OF)


def snapshot(kind: str, *attributes: dict[str, Any], seen: bool = True) -> Source:
    response = {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": list(attributes)}}
    return Source({"SnapshotType": kind, "DescribeDBSnapshotAttributes": response if seen else None}, OF)


def test_what_is_named_is_of_the_instances_account_region_and_partition() -> None:
    assert subnet_group_arn(instance(DBSubnetGroup={"DBSubnetGroupName": "private"})) == f"{HERE}:subgrp:private"
    assert cluster_arn(instance(DBClusterIdentifier="orders")) == f"{HERE}:cluster:orders"
    assert replica_source_arn(instance(ReadReplicaSourceDBInstanceIdentifier="first")) == f"{HERE}:db:first"
    far = "arn:aws-cn:rds:cn-northwest-1:111122223333:db:first"
    assert replica_source_arn(instance(ReadReplicaSourceDBInstanceIdentifier=far)) == far
    assert subnet_group_arn(instance()) is cluster_arn(instance()) is replica_source_arn(instance()) is None


@pytest.mark.parametrize(
    ("values", "public"), [(["all"], True), (["444455556666", "all"], True), (["444455556666"], False), ([], False)]
)
def test_a_snapshot_that_all_may_restore_is_public(values: list[str], public: bool) -> None:
    assert is_public(snapshot("manual", {"AttributeName": "restore", "AttributeValues": values})) is public


def test_another_attribute_makes_nothing_public() -> None:
    assert is_public(snapshot("manual", {"AttributeName": "other", "AttributeValues": ["all"]})) is False


def test_what_could_not_be_read_is_not_known_and_automated_ones_cannot_be_shared() -> None:
    assert is_public(snapshot("manual", seen=False)) is None
    assert is_public(Source({"SnapshotType": "automated"}, OF)) is False
