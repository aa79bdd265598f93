"""Security group rules, and identities of Elastic IPs in VPCs, EC2-Classic, Outposts and Wavelength Zones."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.ec2.elastic_ips import ELASTIC_IPS
from tasks.aws.ec2.security_groups import SECURITY_GROUPS
from tasks.engine.rows import rows_of

SCOPE = Scope(type="aws.ec2.security_groups", tenant="111122223333", region="eu-west-1")


def rows(type_: Any, item: dict[str, Any]) -> list[tuple[str, Any]]:
    """Label and row of every node of the item."""
    return [(model.label, row) for model, row in rows_of(type_, Source(item, SCOPE))]


@pytest.mark.parametrize(
    ("address", "key", "public"),
    [
        ({"PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1"}, "192.0.2.1", "192.0.2.1"),
        ({"PublicIp": "192.0.2.2", "Domain": "standard"}, "192.0.2.2", "192.0.2.2"),
        ({"AllocationId": "eipalloc-3", "CustomerOwnedIp": "10.20.0.7"}, "eipalloc-3", None),
        ({"AllocationId": "eipalloc-4", "CarrierIp": "198.51.100.8", "PublicIp": ""}, "eipalloc-4", ""),
    ],
    ids=["VPC", "EC2-Classic", "Outposts", "Wavelength"],
)
def test_an_elastic_ip_is_identified_by_its_address_or_its_allocation(
    address: dict[str, str], key: str, public: str | None
) -> None:
    [(_, row)] = rows(ELASTIC_IPS, address)
    assert row["k"] == key
    assert row["p"].get("public_ip") == public


def pair(group: str, status: str | None = None) -> dict[str, str]:
    return {"GroupId": group} | ({"PeeringStatus": status, "VpcPeeringConnectionId": "pcx-1"} if status else {})


@pytest.mark.parametrize("status", ["deleted", "rejected", "expired", "failed"])
def test_a_rule_for_a_group_beyond_an_ended_peering_is_stale(status: str) -> None:
    """AWS keeps such rules, without the account, until somebody deletes them."""
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    rule["UserIdGroupPairs"] = [pair("sg-far", status), pair("sg-peer", "active"), pair("sg-own")]
    group = {"GroupId": "sg-a", "IpPermissions": [rule], "IpPermissionsEgress": [rule]}
    (_, of_group), (_, inbound), (_, outgoing) = rows(SECURITY_GROUPS, group)
    assert ["sg-own", "sg-peer"] in of_group["r"]
    assert not any("sg-far" in keys for keys in of_group["r"])
    for row in (inbound, outgoing):
        assert row["p"]["referenced_group_ids"] == ["sg-own", "sg-peer"]
        assert row["p"]["stale_group_ids"] == ["sg-far"]


def test_rule_ids_name_the_direction_as_aws_does() -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    found = rows(SECURITY_GROUPS, {"GroupId": "sg-a", "IpPermissions": [rule], "IpPermissionsEgress": [rule]})
    assert [row["p"]["ruleid"] for label, row in found if label.startswith("IpPermission")] == [
        "sg-a/IpPermissions/8080tcp",
        "sg-a/IpPermissionsEgress/8080tcp",
    ]


def test_a_group_of_ec2_classic_without_an_id_is_ignored() -> None:
    """The source group of a classic load balancer, which belongs to an account of AWS."""
    rule = {"IpProtocol": "tcp", "UserIdGroupPairs": [{"UserId": "amazon-elb", "GroupName": "amazon-elb-sg"}]}
    (_, group), (_, inbound) = rows(SECURITY_GROUPS, {"GroupId": "sg-a", "IpPermissions": [rule]})
    assert [] in group["r"]
    assert inbound["p"]["referenced_group_ids"] == []
