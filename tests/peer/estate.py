"""A small estate of two accounts in a simulated AWS, and what becomes of it between the peer's last sync and ours.

Only `OURS` is synced afterwards. `change` takes away something of each type, and adds something.
"""

from __future__ import annotations

import json
from typing import Any, Final

import boto3
from botocore.config import Config

OURS: Final = "123456789012"
THEIRS: Final = "210987654321"
REGIONS: Final = ("us-east-1", "eu-west-1")
IMAGE: Final = "ami-0abcdef1234567890"


def client(endpoint: str, service: str, region: str = REGIONS[0], account: str = OURS) -> Any:
    return boto3.Session().client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=account,
        aws_secret_access_key="simulated",
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
    )


def fill(endpoint: str) -> None:
    for region in REGIONS:
        for name in ("web", "doomed"):
            _network(endpoint, region, name)
    _network(endpoint, REGIONS[0], "theirs", account=THEIRS)
    _buckets(endpoint)
    _identities(endpoint)


def change(endpoint: str) -> None:
    """Everything called `doomed` goes, a rule and a trust go as well, and there are a new user and a new rule."""
    for region in REGIONS:
        ec2, elb, rds = (client(endpoint, service, region) for service in ("ec2", "elb", "rds"))
        elb.delete_load_balancer(LoadBalancerName="doomed")
        rds.delete_db_instance(DBInstanceIdentifier="doomed", SkipFinalSnapshot=True)
        rds.delete_db_subnet_group(DBSubnetGroupName="doomed")
        named = [{"Name": "tag:Name", "Values": ["doomed"]}]
        found = [one for each in ec2.describe_instances(Filters=named)["Reservations"] for one in each["Instances"]]
        ec2.terminate_instances(InstanceIds=[one["InstanceId"] for one in found])
        ec2.describe_instances()  # moto forgets a terminated instance when it is asked for
        web = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["web"]}])["SecurityGroups"][0]
        ec2.revoke_security_group_ingress(GroupId=web["GroupId"], IpPermissions=[_rule(22, "198.51.100.0/24")])
        ec2.authorize_security_group_ingress(GroupId=web["GroupId"], IpPermissions=[_rule(8443, "203.0.113.0/24")])
    s3, iam = client(endpoint, "s3"), client(endpoint, "iam")
    s3.delete_bucket(Bucket=f"doomed-{OURS}")
    iam.delete_role(RoleName="doomed")
    iam.detach_user_policy(UserName="alice", PolicyArn=f"arn:aws:iam::{OURS}:policy/all-of-s3")
    iam.update_assume_role_policy(RoleName="deployer", PolicyDocument=_trusting({"AWS": f"arn:aws:iam::{OURS}:root"}))
    iam.create_user(UserName="newcomer")


def _network(endpoint: str, region: str, name: str, account: str = OURS) -> None:
    """A VPC with two subnets, an open group, an instance, a classic load balancer before it, a database."""
    ec2, elb, rds = (client(endpoint, service, region, account) for service in ("ec2", "elb", "rds"))
    number = {"web": 0, "doomed": 1, "theirs": 2}[name]
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.{i}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"]
        for i, zone in enumerate("ab")
    ]
    ids = [subnet["SubnetId"] for subnet in subnets]
    if name == "web":
        ec2.modify_subnet_attribute(SubnetId=ids[0], MapPublicIpOnLaunch={"Value": True})
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[_rule(443, "0.0.0.0/0"), _rule(22, "198.51.100.0/24")]
    )
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    started = ec2.run_instances(
        ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags,
        SubnetId=ids[0], SecurityGroupIds=[group],
    )  # fmt: skip
    elb.create_load_balancer(
        LoadBalancerName=name,
        Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 443, "InstanceProtocol": "TCP", "InstancePort": 443}],
        Subnets=ids,
        SecurityGroups=[group],
    )
    instances = [{"InstanceId": one["InstanceId"]} for one in started["Instances"]]
    elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=instances)
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=ids)
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", DBSubnetGroupName=name,
        VpcSecurityGroupIds=[group], StorageEncrypted=name != "web", MasterUsername="admin", MasterUserPassword="x" * 8,
    )  # fmt: skip
    if name == "web":
        _newer_load_balancer(endpoint, region, vpc, ids, group, [one["InstanceId"] for one in instances])


def _newer_load_balancer(
    endpoint: str, region: str, vpc: str, subnets: list[str], group: str, instances: list[str]
) -> None:
    elbv2 = client(endpoint, "elbv2", region)
    balancer = elbv2.create_load_balancer(Name="api", Subnets=subnets, SecurityGroups=[group])["LoadBalancers"][0]
    targets = elbv2.create_target_group(Name="api", Protocol="HTTPS", Port=443, VpcId=vpc, TargetType="instance")
    arn = targets["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance} for instance in instances])
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=443,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )


def _buckets(endpoint: str) -> None:
    s3 = client(endpoint, "s3")
    for name in ("public", "private", "doomed"):
        s3.create_bucket(Bucket=f"{name}-{OURS}")
    s3.put_bucket_acl(Bucket=f"public-{OURS}", ACL="public-read")


def _identities(endpoint: str) -> None:
    """Two roles of ours trust each other, one trusts a role of theirs, and one is trusted after it is gone. Of theirs
    one trusts another.
    """
    iam = client(endpoint, "iam")
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    iam.create_user(UserName="alice")
    iam.create_access_key(UserName="alice")
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="alice")
    policy = iam.create_policy(PolicyName="all-of-s3", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=policy)
    iam.attach_group_policy(GroupName="staff", PolicyArn=policy)
    trusts: dict[str, dict[str, Any]] = {
        "admin": {"AWS": f"arn:aws:iam::{OURS}:role/deployer"},
        "deployer": {"AWS": [f"arn:aws:iam::{OURS}:role/admin", f"arn:aws:iam::{OURS}:user/alice"]},
        "auditor": {"AWS": [f"arn:aws:iam::{THEIRS}:role/auditor", f"arn:aws:iam::{OURS}:role/doomed"]},
        "web": {"Service": "ec2.amazonaws.com"},
        "doomed": {"Service": "lambda.amazonaws.com"},
    }
    for name, principal in trusts.items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trusting(principal))
    others = client(endpoint, "iam", account=THEIRS)
    others.create_role(RoleName="reader", AssumeRolePolicyDocument=_trusting({"Service": "ec2.amazonaws.com"}))
    reader = {"AWS": f"arn:aws:iam::{THEIRS}:role/reader"}
    others.create_role(RoleName="operator", AssumeRolePolicyDocument=_trusting(reader))
    iam.put_role_policy(RoleName="admin", PolicyName="everything", PolicyDocument=document)


def _trusting(principal: dict[str, Any]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _rule(port: int, cidr: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
