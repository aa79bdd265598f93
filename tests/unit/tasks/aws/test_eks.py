"""The endpoint and the logs of an EKS cluster."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.eks import audit_logging, public_access_wide


def cluster(**fields: Any) -> Source:
    of = Scope(type="aws.eks.clusters", tenant="111122223333", region="eu-west-1")
    return Source({"DescribeCluster": {"cluster": fields}}, of)


@pytest.mark.parametrize(
    ("ranges", "wide"),
    [
        (["0.0.0.0/0"], True),
        (["203.0.113.0/24", "::/0"], True),
        (["0.0.0.0/1", "128.0.0.0/1"], True),
        (["203.0.113.0/24", "198.51.100.7/32"], False),
        (["3.0.0.0/8", "4.0.0.0/8"], True),
        (["fc00::/7", "224.0.0.0/3", "10.0.0.0/7"], False),
        ([], True),
        (None, True),
    ],
)
def test_ranges_that_allow_anybody_are_wide_and_so_is_an_empty_list(ranges: list[str] | None, wide: bool) -> None:
    config = {"endpointPublicAccess": True} | ({} if ranges is None else {"publicAccessCidrs": ranges})
    assert public_access_wide(cluster(resourcesVpcConfig=config)) is wide


@pytest.mark.parametrize(
    ("logs", "on"),
    [
        ([{"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": True}], True),
        ([{"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": False}], False),
        ([], False),
    ],
)
def test_audit_logging_is_enabled_if_an_enabled_log_includes_audit(logs: list[dict[str, Any]], on: bool) -> None:
    assert audit_logging(cluster(logging={"clusterLogging": logs})) is on


def test_what_eks_does_not_report_is_not_known() -> None:
    assert audit_logging(cluster()) is None
    assert public_access_wide(cluster()) is None
