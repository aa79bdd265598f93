"""A run over a graph that holds an earlier one: what is unchanged, what was removed, what can't be seen this time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3

from demo.inventory import ACCOUNT
from tests.fleet.graph_state import State, difference, elements, graph_state
from tests.fleet.running import Fleet
from tests.servers.aws import AwsServer, Effect, Fault

HERE = "eu-west-1"
DOCUMENTATION_RANGE = "192.0.2.0/24"  # in no group of the estate
Undo = Callable[[], object]


def test_a_second_run_over_an_unchanged_estate_changes_nothing(fleet: Fleet) -> None:
    """No node, no relationship, none of their ids and properties: only `lastupdated` says that they were seen again."""
    first = fleet.sync()
    before = elements(fleet.graph)
    second = fleet.sync()
    assert second.tag > first.tag
    assert elements(fleet.graph) == before
    assert rows(fleet, "MATCH (n) WHERE n.lastupdated <> $tag AND NOT n:SyncRun RETURN n", tag=second.tag) == []
    edges = "MATCH (n)-[e]->() WHERE e.lastupdated <> $tag AND NOT n:SyncRun RETURN e"
    assert rows(fleet, edges, tag=second.tag) == []


def test_what_was_removed_in_between_is_deleted(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    """With everything that belongs to it: rules, the address range that only they named, listeners, grants, trusts."""
    removals = [add_group(aws), add_bucket(aws), add_role(aws), add_load_balancer(aws)]
    fleet.sync()
    more = difference(graph_state(fleet.graph), undisturbed)
    assert all(line.startswith("+") for line in more)
    for what in ("EC2SecurityGroup", DOCUMENTATION_RANGE, "S3Bucket", "S3Acl", "AWSRole", "ELBListener"):
        assert any(what in line for line in more), what
    for remove in removals:
        remove()
    assert fleet.sync().exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_what_is_denied_stays_as_it_was_last_seen(fleet: Fleet, aws: AwsServer) -> None:
    """Even what was removed meanwhile, since nobody can know. Coverage says what is missing, and since when."""
    remove = add_group(aws)
    try:
        first = fleet.sync()
    finally:
        remove()
    before = groups(fleet, HERE)
    seen_at = coverage(fleet, HERE)["complete_at"]
    aws.add(Fault(Effect.DENY, service="ec2", action="DescribeSecurityGroups", region=HERE))
    second = fleet.sync()
    assert second.exit_code == 3
    assert groups(fleet, HERE) == before
    assert {group["lastupdated"] for group in groups(fleet, HERE)} == {first.tag}
    assert {group["lastupdated"] for group in groups(fleet, "us-east-1")} == {second.tag}
    covered = coverage(fleet, HERE)
    assert covered["status"] == "denied"
    assert "ec2:DescribeSecurityGroups" in covered["reason"]
    assert covered["complete_at"] == seen_at
    [line] = second.not_seen
    assert (line["type"], line["region"], line["reason"]) == ("aws.ec2.security_groups", HERE, covered["reason"])


def groups(fleet: Fleet, region: str) -> list[dict[str, Any]]:
    """With their rules and the rules' ranges: everything that `aws.ec2.security_groups` reads of a region."""
    query = (
        "MATCH (g:EC2SecurityGroup) WHERE g._scope ENDS WITH $region "
        "OPTIONAL MATCH (g)-[e]-(rule:IpRule)<-[m:MEMBER_OF_IP_RULE]-(range:IpRange) "
        "RETURN g{.*} AS it, g.lastupdated AS lastupdated, "
        "       rule{.*} AS rule, e{.*} AS edge, m{.*} AS member, range.id AS range "
        "ORDER BY g.id, rule.ruleid, range"
    )
    return rows(fleet, query, region=region)


def coverage(fleet: Fleet, region: str) -> dict[str, Any]:
    query = "MATCH (s:SyncScope {type: 'aws.ec2.security_groups', region: $region}) RETURN s{.*} AS scope"
    [row] = rows(fleet, query, region=region)
    scope: dict[str, Any] = row["scope"]
    return scope


def rows(fleet: Fleet, query: str, **parameters: Any) -> list[dict[str, Any]]:
    return fleet.graph.rows(query, parameters)


# -- resources that come and go, while the estate stays as it is for the other tests. Each returns its removal.


def client(aws: AwsServer, service: str, region: str = HERE) -> Any:
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "simulated"}
    return boto3.client(service, region, endpoint_url=aws.url, **keys)  # type: ignore[call-overload]


def add_group(aws: AwsServer) -> Undo:
    ec2 = client(aws, "ec2")
    group = ec2.create_security_group(GroupName="passing", Description="comes and goes")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": DOCUMENTATION_RANGE}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return lambda: ec2.delete_security_group(GroupId=group)


def add_bucket(aws: AwsServer) -> Undo:
    s3 = client(aws, "s3", "us-east-1")
    s3.create_bucket(Bucket="passing", ACL="public-read")
    return lambda: s3.delete_bucket(Bucket="passing")


def add_role(aws: AwsServer) -> Undo:
    iam = client(aws, "iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "passing.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="passing", AssumeRolePolicyDocument=policy)
    return lambda: iam.delete_role(RoleName="passing")


def add_load_balancer(aws: AwsServer) -> Undo:
    elb = client(aws, "elb")
    listener = {"Protocol": "TCP", "LoadBalancerPort": 443, "InstanceProtocol": "TCP", "InstancePort": 8443}
    ec2 = client(aws, "ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"]
    place = {"Subnets": [subnet["SubnetId"]], "SecurityGroups": [groups[0]["GroupId"]]}
    elb.create_load_balancer(LoadBalancerName="passing", Listeners=[listener], **place)
    return lambda: elb.delete_load_balancer(LoadBalancerName="passing")
