"""Load balancers, Auto Scaling groups, key pairs and images from a simulated AWS to the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from analysis.engine import run_shipped, shipped_jobs
from loaders.graph import Graph
from tasks.aws.ec2 import images
from tasks.failures import Failure
from tasks.resource import NOT_SEEN
from tests.integration.estates.conftest import ACCOUNT, REGION, Fetch, Load, found
from tests.integration.runs import Sync, scope
from tests.servers.aws import AwsServer, Effect, Fault

OTHER = "999988887777"
ANYBODY, COMPANY = "0.0.0.0/0", "10.0.0.0/8"
TYPES = (
    "aws.ec2.security_groups",
    "aws.ec2.prefix_lists",
    "aws.ec2.subnets",
    "aws.ec2.instances",
    "aws.ec2.key_pairs",
    "aws.ec2.images",
    "aws.ec2.auto_scaling_groups",
    "aws.elbv2.load_balancers",
)


Everything = Callable[[], None]


@pytest.fixture
def everything(load: Load) -> Everything:
    """One run of all these types."""
    return lambda: load(*TYPES)


class Builder:
    """Creates the resources of a test."""

    def __init__(self, url: str) -> None:
        keys = {"region_name": REGION, "aws_access_key_id": ACCOUNT, "aws_secret_access_key": "x"}
        clients = (boto3.client(name, endpoint_url=url, **keys) for name in ("ec2", "elbv2", "autoscaling"))  # type: ignore[call-overload]
        self.ec2, self.elb, self.scaling = clients
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = sorted(subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"])[:2]

    def image(self, name: str) -> str:
        return str(self.ec2.register_image(Name=name)["ImageId"])

    def group(self, name: str, cidr: str, protocol: str = "tcp", port: int = 443) -> str:
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
        rule = {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        return str(group)

    def instance(self, image: str, **more: Any) -> Any:
        """One without a public address."""
        interface = {"DeviceIndex": 0, "SubnetId": self.subnets[0], "AssociatePublicIpAddress": False}
        started = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, NetworkInterfaces=[interface], **more)
        return started["Instances"][0]

    def target_group(self, name: str, kind: str, *targets: str, protocol: str = "HTTP") -> str:
        made = self.elb.create_target_group(
            Name=name, TargetType=kind, Protocol=protocol, Port=8080, VpcId=self.vpc, HealthCheckProtocol="HTTP"
        )
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": target} for target in targets])
        return arn

    def balancer(
        self, name: str, *groups: str, kind: str = "application", scheme: str = "internet-facing", to: str = ""
    ) -> Any:
        """With a listener at port 443 that forwards to a target group."""
        made = self.elb.create_load_balancer(
            Name=name, Type=kind, Scheme=scheme, Subnets=self.subnets, SecurityGroups=list(groups)
        )
        balancer = made["LoadBalancers"][0]
        if to:
            self.elb.create_listener(
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Protocol="HTTP" if kind == "application" else "TCP",
                Port=443,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": to}],
            )
        return balancer


@pytest.fixture
def build(aws: AwsServer) -> Builder:
    return Builder(aws.url)


def exposed(graph: Graph, label: str) -> dict[str, Any]:
    [job] = [job for job in shipped_jobs() if job.name == "aws_ec2_asset_exposure"]
    run_shipped(graph, job, "run-1", 1)
    how = (
        f"MATCH (n:{label} {{exposed_internet: true}}) RETURN coalesce(n.name, n.id) AS n, n.exposed_internet_type AS h"
    )
    return {row["n"]: row["h"] for row in graph.rows(how)}


def test_targets_of_newer_load_balancers_are_exposed(build: Builder, everything: Everything, graph: Graph) -> None:
    image = build.image("web")
    a, b, c, d = (build.instance(image) for _ in range(4))
    opened, closed = build.group("opened", ANYBODY), build.group("closed", COMPANY)
    build.balancer("alb", opened, to=build.target_group("a", "instance", a["InstanceId"]))
    inner = build.balancer("inner", closed, scheme="internal", to=build.target_group("b", "instance", b["InstanceId"]))
    front = build.target_group("chain", "alb", inner["LoadBalancerArn"], protocol="TCP")
    build.balancer("nlb", kind="network", to=front)
    build.balancer("pods", opened, to=build.target_group("c", "ip", c["PrivateIpAddress"], "192.168.0.1"))
    build.balancer("closed", closed, to=build.target_group("d", "instance", d["InstanceId"]))
    build.balancer("gateway", kind="gateway")
    everything()

    edges = found(graph, "MATCH (b:LoadBalancerV2)-[:EXPOSE]->(i:EC2Instance) RETURN b.name, i.id")
    assert edges == {("alb", a["InstanceId"]), ("inner", b["InstanceId"]), ("closed", d["InstanceId"])}
    listeners = found(
        graph,
        "MATCH (b:LoadBalancerV2)-[:ELBV2_LISTENER]->(l:Endpoint), (b)-[:ELBV2_TARGET_GROUP]->(g)"
        " RETURN b.name, l.port, l.protocol, g.name, l.targetgrouparn = g.arn",
    )
    assert listeners == {
        ("alb", 443, "HTTP", "a", True),
        ("inner", 443, "HTTP", "b", True),
        ("nlb", 443, "TCP", "chain", True),
        ("pods", 443, "HTTP", "c", True),
        ("closed", 443, "HTTP", "d", True),
    }
    assert set(exposed(graph, "LoadBalancerV2")) == {"alb", "nlb", "pods"}
    assert exposed(graph, "EC2Instance") == {each["InstanceId"]: ["elbv2"] for each in (a, b, c)}


def test_a_prefix_list_with_every_address_exposes_what_refers_to_it(
    build: Builder, everything: Everything, graph: Graph
) -> None:
    """The lists of AWS are there as well: that of S3 exposes nothing."""
    ours = build.ec2.create_managed_prefix_list(
        PrefixListName="everybody", AddressFamily="IPv4", MaxEntries=2, Entries=[{"Cidr": "0.0.0.0/0"}]
    )["PrefixList"]["PrefixListId"]
    theirs = {
        one["PrefixListName"]: one["PrefixListId"] for one in build.ec2.describe_managed_prefix_lists()["PrefixLists"]
    }
    named = {"open": ours, "s3": theirs[f"com.amazonaws.{REGION}.s3"]}
    started = {}
    for name, prefix_list in named.items():
        group = build.ec2.create_security_group(GroupName=name, Description=name, VpcId=build.vpc)["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": prefix_list}]}
        build.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        interface = {
            "DeviceIndex": 0,
            "SubnetId": build.subnets[0],
            "AssociatePublicIpAddress": True,
            "Groups": [group],
        }
        ran = build.ec2.run_instances(ImageId=build.image(name), MinCount=1, MaxCount=1, NetworkInterfaces=[interface])
        started[name] = ran["Instances"][0]["InstanceId"]
    everything()
    lists = (
        "MATCH (:IpPermissionInbound)-[:REFERENCES_PREFIX_LIST]->(l:EC2ManagedPrefixList)"
        " RETURN l.prefix_list_id, l.wide"
    )
    assert found(graph, lists) == {(ours, True), (named["s3"], False)}
    assert exposed(graph, "EC2Instance") == {started["open"]: ["direct"]}


def test_accelerators_are_listed_in_the_region_that_serves_them(aws: AwsServer, fetch: Fetch) -> None:
    assert fetch("aws.globalaccelerator.accelerators") == []
    assert aws.calls().count("globalaccelerator", "ListAccelerators", "us-west-2") == 1


def test_a_gateway_load_balancer_is_identified_by_its_arn(build: Builder, everything: Everything, graph: Graph) -> None:
    gateway = build.balancer("gateway", kind="gateway")
    everything()
    balancers = "MATCH (b:LoadBalancerV2) RETURN b.id, b.dnsname, b.scheme"
    assert found(graph, balancers) == {(gateway["LoadBalancerArn"], None, None)}


def test_an_auto_scaling_group_is_exposed_by_its_instances(
    build: Builder, everything: Everything, graph: Graph
) -> None:
    image = build.image("web")
    build.scaling.create_launch_configuration(LaunchConfigurationName="web", ImageId=image, InstanceType="t3.micro")
    target_group = build.target_group("web", "instance")
    for name, arns in (("behind", [target_group]), ("alone", [])):
        build.scaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName="web",
            MinSize=1,
            MaxSize=2,
            DesiredCapacity=2,
            VPCZoneIdentifier=",".join(build.subnets),
            TargetGroupARNs=arns,
        )
    build.balancer("nlb", kind="network", to=target_group)
    everything()
    assert found(graph, "MATCH (a:AutoScalingGroup)-[:VPC_IDENTIFIER]->(s:EC2Subnet) RETURN a.name, s.subnetid") == {
        (name, subnet) for name in ("behind", "alone") for subnet in build.subnets
    }
    assert exposed(graph, "AutoScalingGroup")["behind"][-1] == "elbv2"
    assert "elbv2" not in exposed(graph, "AutoScalingGroup").get("alone", [])


def test_a_deleted_key_pair_still_gives_access(build: Builder, everything: Everything, graph: Graph) -> None:
    build.ec2.create_key_pair(KeyName="ops")
    build.ec2.create_key_pair(KeyName="unused")
    instance = build.instance(build.image("web"), KeyName="ops")["InstanceId"]
    everything()
    ops = f"arn:aws:ec2:{REGION}:{ACCOUNT}:key-pair/ops"
    logins = "MATCH (k:EC2KeyPair)-[:SSH_LOGIN_TO]->(i:EC2Instance) RETURN k.id, k.keyname, i.id"
    assert found(graph, logins) == {(ops, "ops", instance)}
    build.ec2.delete_key_pair(KeyName="ops")
    build.ec2.delete_key_pair(KeyName="unused")
    everything()
    assert found(graph, logins) == {(ops, None, instance)}
    assert found(graph, "MATCH (k:EC2KeyPair) RETURN k.id") == {(ops,)}


def test_only_images_in_use_are_loaded(build: Builder, everything: Everything, graph: Graph) -> None:
    image = build.image("used")
    build.image("not used")
    build.instance(image)
    everything()
    assert found(graph, "MATCH (:AWSAccount)-[:RESOURCE]->(i:EC2Image) RETURN i.id, i.imageid, i.name") == {
        (f"{image}|{REGION}", image, "used")
    }


def test_an_image_used_by_two_accounts_has_a_node_in_each(sync: Sync, graph: Graph) -> None:
    """A single node would be owned, and deleted, by the sync of either account."""
    here, there = (scope("aws.ec2.images", account, REGION) for account in (ACCOUNT, OTHER))
    public = {"ImageId": "ami-1", "OwnerId": "137112412989"}
    owners = "MATCH (a:AWSAccount)-[:RESOURCE]->(i:EC2Image {id: 'ami-1|eu-west-1'}) RETURN a.id"
    sync.run({here: [public], there: [public]})
    assert found(graph, owners) == {(ACCOUNT,), (OTHER,)}
    sync.run({here: [], there: [public]})
    assert found(graph, owners) == {(OTHER,)}


def test_images_are_read_in_limited_batches_and_a_missing_one_fails_none(
    aws: AwsServer, build: Builder, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {build.image(f"image-{number}") for number in range(5)}
    for name in (*names, *names):
        build.instance(name)
    gone = min(names)
    build.ec2.deregister_image(ImageId=gone)
    monkeypatch.setattr(images, "MAX_VALUES", 2)
    aws.reset()
    assert {item.value["ImageId"] for item in fetch("aws.ec2.images")} == names - {gone}
    assert aws.calls().count("ec2", "DescribeImages") == 3


def test_without_instances_no_images_are_read(aws: AwsServer, fetch: Fetch) -> None:
    """A filter without values would return every public image."""
    assert fetch("aws.ec2.images") == []
    assert aws.calls().count("ec2", "DescribeImages") == 0


def test_denied_target_health_is_not_seen(aws: AwsServer, build: Builder, fetch: Fetch) -> None:
    """Targets not seen must not count as no targets: those of an earlier run are kept."""
    build.balancer("alb", to=build.target_group("a", "ip", "10.0.0.1"))
    aws.add(Fault(Effect.DENY, service="elbv2", action="DescribeTargetHealth"))
    [item] = fetch("aws.elbv2.load_balancers")
    assert [gap.action for gap in item.gaps] == ["elasticloadbalancing:DescribeTargetHealth"]
    [[group]] = item.value["DescribeTargetGroups"].values()
    assert group["DescribeTargetHealth"] is NOT_SEEN


def test_a_target_group_that_is_deleted_meanwhile_does_not_affect_its_balancer(
    aws: AwsServer, build: Builder, fetch: Fetch
) -> None:
    build.balancer("alb", to=build.target_group("a", "ip", "10.0.0.1"))
    aws.add(Fault(Effect.DENY, service="elbv2", action="DescribeTargetHealth", code="TargetGroupNotFound", status=400))
    [item] = fetch("aws.elbv2.load_balancers")
    assert item.failure is None
    [[group]] = item.value["DescribeTargetGroups"].values()
    assert group["DescribeTargetHealth"] == {}


def test_a_balancer_that_is_deleted_meanwhile_does_not_affect_others(
    aws: AwsServer, build: Builder, fetch: Fetch
) -> None:
    for name in ("first", "second"):
        build.balancer(name, to=build.target_group(name, "ip", "10.0.0.1"))
    gone: dict[str, Any] = {"code": "LoadBalancerNotFound", "status": 400, "param": "/first/"}
    aws.add(Fault(Effect.DENY, service="elbv2", action="DescribeListeners", **gone))
    failures = {item.value["LoadBalancerName"]: item.failure for item in fetch("aws.elbv2.load_balancers")}
    assert failures["second"] is None
    assert failures["first"] is not None
    assert failures["first"].failure is Failure.NOT_FOUND
