"""An organization in a simulated AWS: the demo's estate in the management account, and two member accounts.

organization = fill("http://127.0.0.1:5000")
organization.accounts["web"]      # its account number, the same in every newly started simulator
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import boto3

from demo import estate
from demo.buckets import disable_acls
from demo.builder import Builder, allow
from demo.estate import client_of
from demo.inventory import ACCOUNT, ANYWHERE, IMAGE, INTERNAL, OFFICE, Estate, Region
from demo.policies import policy

READER: Final = "Chartfleet"  # the role that reads each member account
EXTERNAL_ID: Final = "demo"
MEMBERS: Final = ("web", "data")
REGIONS: Final = ("us-east-1", "eu-west-1")  # in which the members have resources
SEED: Final = 5  # for the simulator's random numbers, from which it takes account numbers

# A key imported into two accounts.
PUBLIC_KEY: Final = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCPlD6tUcW4WGxEz7hi9sDRlZl1GHee9eWqwFJr3ULzFEVXGIBP/2eAhFZvzVA3Q3ITp7BqG9uV"
    "SgAfCR271K9doLjpdtvNaIpPUXbpPpTibWY9zcch4Acvb7oLx6BYJ6hr537V3rmi87cGXSt84F07cPZCK+37EWe2BtUJfZta0t2MAZaWepEP7to2"
    "4r10Opc+Y9d/xp5UPqpl649nmnchDnBRuKBSb4CqJkdcFVC6MYgzcSQe2OkgHE89FNsj17aELPlGyC0s2CYdQaB6+jHYmXRswUU1WBZYqG//3apo"
    "LPxHEeDbqq/gdxnLtX0w3etcAuoYFP7NnO67WtxrNVmB"
)

ClientOf = Callable[[str, str], Any]  # (service, region) -> a client of one account


@dataclass(frozen=True)
class Organization:
    """`hub`: the estate of the management account. `accounts`: member name -> account number."""

    hub: Estate
    accounts: dict[str, str]


def fill(endpoint_url: str) -> Organization:
    """Creates everything. The simulator must be empty."""
    session = boto3.Session()
    accounts = _create_accounts(endpoint_url, client_of(session, endpoint_url, ACCOUNT, "organizations", REGIONS[0]))
    # All clients are created in one thread: boto3 sessions are not thread-safe.
    of = {
        (account, service, region): client_of(session, endpoint_url, account, service, region)
        for account in accounts.values()
        for service in ("ec2", "elb", "elbv2", "autoscaling", "rds", "iam", "s3")
        for region in REGIONS
    }
    hub = estate.fill(endpoint_url)

    def client_in(account: str) -> ClientOf:
        return lambda service, region: of[account, service, region]

    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        work = [
            pool.submit(fill_web, client_in(accounts["web"]), hub),
            pool.submit(fill_data, client_in(accounts["data"]), hub),
        ]
        for done in work:
            done.result()
    iam = client_of(session, endpoint_url, ACCOUNT, "iam", REGIONS[0])
    fill_people(iam, accounts)
    return Organization(hub, accounts)


def _create_accounts(endpoint_url: str, organizations: Any) -> dict[str, str]:
    """The organization: two member accounts, one of them in an organizational unit."""
    urllib.request.urlopen(urllib.request.Request(f"{endpoint_url}/moto-api/seed?a={SEED}", method="POST")).close()
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="products")["OrganizationalUnit"]["Id"]
    accounts = {
        name: organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"][
            "AccountId"
        ]
        for name in MEMBERS
    }
    organizations.move_account(AccountId=accounts["web"], SourceParentId=root, DestinationParentId=unit)
    return accounts


# ---------------------------------------------------------------------------------------- the account `web`


def fill_web(client: ClientOf, hub: Estate) -> None:
    """Load balancers of both generations, an auto scaling group, key pairs."""
    first, second = (_builder(client, region) for region in REGIONS)
    shop(first, client("elbv2", first.region.name), client("autoscaling", first.region.name))
    legacy(second)
    _key_pairs(first.ec2)
    iam = client("iam", REGIONS[0])
    _reader(iam)
    _role(iam, "Deployer", {"AWS": hub.users["deployer"]})
    _role(iam, "Operator", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    _role(iam, "Nobody", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})


def shop(build: Builder, elbv2: Any, autoscaling: Any) -> None:
    build.vpc("shop", "10.10.0.0/16")
    build.subnet("public-a", "shop", "10.10.0.0/24", "a", public=True)
    build.subnet("public-b", "shop", "10.10.1.0/24", "b", public=True)
    build.subnet("private-a", "shop", "10.10.10.0/24", "a")
    build.subnet("private-b", "shop", "10.10.11.0/24", "b")
    build.group("balancers", "shop", allow(ANYWHERE, ports=443), allow(ANYWHERE, ports=80))
    build.group("office", "shop", allow(OFFICE, ports=(1, 65535)))
    build.group("internal", "shop", allow(*INTERNAL, ports=(8000, 8999)))
    build.instances(("shop-1", "shop-2"), "private-a", "internal")
    build.instances(("broker-1",), "private-b", "internal")
    build.instances(("intranet-1",), "private-b", "internal")
    build.instances(("wiki-1",), "private-b", "internal")
    region = build.region
    public = [region.subnets[name] for name in ("public-a", "public-b")]
    private = [region.subnets[name] for name in ("private-a", "private-b")]

    def balancer(name: str, port: int, *targets: str, kind: str = "application", **more: Any) -> str:
        """Creates a load balancer with one listener and one target group, and returns the ARN of the group."""
        protocol = "HTTP" if kind == "application" else "TCP"
        arn = elbv2.create_load_balancer(
            Name=name, Type=kind, **{"Subnets": public, "Scheme": "internet-facing", **more}
        )["LoadBalancers"][0]["LoadBalancerArn"]
        group: str = elbv2.create_target_group(
            Name=name, Protocol=protocol, Port=8080, VpcId=region.vpcs["shop"], TargetType="instance"
        )["TargetGroups"][0]["TargetGroupArn"]
        if targets:
            elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": region.instances[name]} for name in targets])
        action = {"Type": "forward", "TargetGroupArn": group}
        elbv2.create_listener(LoadBalancerArn=arn, Protocol=protocol, Port=port, DefaultActions=[action])
        return group

    groups = region.groups
    storefront = balancer("shop", 80, "shop-1", "shop-2", SecurityGroups=[groups["balancers"]])
    balancer("broker", 8883, "broker-1", kind="network")  # without security groups: open to everybody
    balancer("intranet", 80, "intranet-1", SecurityGroups=[groups["balancers"]], Scheme="internal", Subnets=private)
    balancer("wiki", 80, "wiki-1", SecurityGroups=[groups["office"]])
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="shop",
        ImageId=IMAGE,
        InstanceType="t3.micro",
        SecurityGroups=[groups["internal"]],
    )
    for name, targets in {"shop-workers": [storefront], "batch": []}.items():
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName="shop",
            MinSize=2,
            MaxSize=4,
            VPCZoneIdentifier=",".join(private),
            TargetGroupARNs=targets,
        )


def legacy(build: Builder) -> None:
    build.vpc("legacy", "10.11.0.0/16")
    build.subnet("public-a", "legacy", "10.11.0.0/24", "a", public=True)
    build.group("web", "legacy", allow(ANYWHERE, ports=443))
    build.group("internal", "legacy", allow(*INTERNAL, ports=(8000, 8999)))
    build.instances(("forum-1",), "public-a", "internal")
    build.instances(("jump-host",), "public-a", "web")
    build.load_balancer("forum", {443: "TCP"}, subnets=("public-a",), groups=("web",), instances=("forum-1",))


# ---------------------------------------------------------------------------------------- the account `data`


def fill_data(client: ClientOf, hub: Estate) -> None:
    """Databases and buckets."""
    for region, databases in zip(
        REGIONS, ({"warehouse": True, "copy-of-warehouse": False}, {"ledger": True}), strict=True
    ):
        build = _builder(client, region)
        build.vpc("data", "10.20.0.0/16")
        build.subnet("private-a", "data", "10.20.0.0/24", "a")
        build.subnet("private-b", "data", "10.20.1.0/24", "b")
        build.group("databases", "data", allow(*INTERNAL, ports=5432))
        build.subnet_group("data", "private-a", "private-b")
        for name, encrypted in databases.items():
            build.database(name, "data", "databases", encrypted=encrypted)
    _key_pairs(client("ec2", REGIONS[0]))
    s3 = client("s3", "us-east-1")
    for name in ("demo-data-lake", "demo-data-exports", "demo-data-drop"):
        s3.create_bucket(Bucket=name)
    disable_acls(s3, "demo-data-lake")
    s3.put_bucket_acl(Bucket="demo-data-drop", ACL="public-read-write")
    read = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::demo-data-exports/*",
    }
    s3.put_bucket_policy(Bucket="demo-data-exports", Policy=policy(read))
    iam = client("iam", REGIONS[0])
    _reader(iam)
    _role(iam, "Analyst", {"AWS": [hub.users["alice"], hub.users["bob"]]})


# ---------------------------------------------------------------------------------------- people and roles


def fill_people(iam: Any, accounts: dict[str, str]) -> None:
    """The roles that the hub's users may assume. Both the role's trust policy and the user's policy must allow it."""
    web, data = accounts["web"], accounts["data"]
    iam.create_group(GroupName="operators")
    iam.put_group_policy(
        GroupName="operators", PolicyName="operate", PolicyDocument=_assume(f"arn:aws:iam::{web}:role/Operator")
    )
    iam.add_user_to_group(GroupName="operators", UserName="alice")
    managed = iam.create_policy(PolicyName="analysts", PolicyDocument=_assume(f"arn:aws:iam::{data}:role/Analyst"))
    iam.attach_user_policy(UserName="alice", PolicyArn=managed["Policy"]["Arn"])  # bob has no such policy
    iam.put_user_policy(
        UserName="deployer", PolicyName="deploy", PolicyDocument=_assume(f"arn:aws:iam::{web}:role/Deployer")
    )
    iam.create_access_key(UserName="deployer")


def _assume(role: str) -> str:
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})


def _reader(iam: Any) -> None:
    condition = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
    _role(iam, READER, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Condition=condition)


def _role(iam: Any, name: str, principal: dict[str, Any], **more: Any) -> None:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))


def _key_pairs(ec2: Any) -> None:
    ec2.import_key_pair(KeyName="laptop", PublicKeyMaterial=PUBLIC_KEY.encode())
    ec2.create_key_pair(KeyName="generated")


def _builder(client: ClientOf, region: str) -> Builder:
    return Builder(Region(region), *(client(service, region) for service in ("ec2", "elb", "rds")))
