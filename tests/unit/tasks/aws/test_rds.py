"""Whether a snapshot is public."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.rds import is_public

OF = Scope(type="aws.rds.snapshots", tenant="111122223333", region="cn-north-1")


def snapshot(kind: str, *attributes: dict[str, Any], seen: bool = True) -> Source:
    response = {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": list(attributes)}}
    return Source({"SnapshotType": kind, "DescribeDBSnapshotAttributes": response if seen else None}, OF)


@pytest.mark.parametrize(
    ("values", "public"), [(["all"], True), (["444455556666", "all"], True), (["444455556666"], False), ([], False)]
)
def test_a_snapshot_that_every_account_may_restore_is_public(values: list[str], public: bool) -> None:
    assert is_public(snapshot("manual", {"AttributeName": "restore", "AttributeValues": values})) is public


def test_other_attributes_do_not_make_a_snapshot_public() -> None:
    assert is_public(snapshot("manual", {"AttributeName": "other", "AttributeValues": ["all"]})) is False


def test_unread_attributes_are_not_known_and_automated_snapshots_cannot_be_shared() -> None:
    assert is_public(snapshot("manual", seen=False)) is None
    assert is_public(Source({"SnapshotType": "automated"}, OF)) is False
