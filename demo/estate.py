"""A small estate in a simulated AWS: one account, four regions, something for every finding and its near miss.

estate = fill("http://127.0.0.1:5000")
estate.exposed_directly        # ids of the instances that the graph must call exposed
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config

ACCOUNT: Final = "123456789012"
PARTNER: Final = "210987654321"  # an account that isn't ours
REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2", "eu-south-1")
IMAGE: Final = "ami-0abcdef1234567890"
GONE: Final = "i-00000000000000000"  # a load balancer still lists it, EC2 no longer does

ANYWHERE: Final = "0.0.0.0/0"
ANYWHERE_V6: Final = "::/0"
OFFICE: Final = "198.51.100.0/24"
INTERNAL: Final = ("10.0.0.0/16", "10.1.0.0/16", "172.16.0.0/12")  # shared by the groups of all regions


@dataclass
class Region:
    """What there is in one region; each dictionary goes from the name in this file to the id in AWS."""

    name: str
    vpcs: dict[str, str] = field(default_factory=dict)
    subnets: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)
    load_balancers: dict[str, str] = field(default_factory=dict)  # -> DNS name
    databases: dict[str, str] = field(default_factory=dict)  # -> ARN
    exposed_directly: list[str] = field(default_factory=list)  # names of instances
    exposed_by_elb: list[str] = field(default_factory=list)  # names of instances
    exposed_load_balancers: list[str] = field(default_factory=list)  # names


@dataclass
class Estate:
    account: str
    regions: dict[str, Region]
    public_buckets: set[str] = field(default_factory=set)
    private_buckets: set[str] = field(default_factory=set)
    users: dict[str, str] = field(default_factory=dict)  # name -> ARN
    roles: dict[str, str] = field(default_factory=dict)  # name -> ARN
    trusts: dict[str, set[str]] = field(default_factory=dict)  # role's name -> principals, as its policy has them

    @property
    def buckets(self) -> set[str]:
        return self.public_buckets | self.private_buckets

    def exposed_directly(self, *regions: str) -> set[str]:
        """Ids of instances with a public address and a group open to the internet; in all regions by default."""
        return {r.instances[name] for r in self._chosen(regions) for name in r.exposed_directly}

    def exposed_by_elb(self, *regions: str) -> set[str]:
        """Ids of instances behind an exposed load balancer."""
        return {r.instances[name] for r in self._chosen(regions) for name in r.exposed_by_elb}

    def exposed_load_balancers(self, *regions: str) -> set[str]:
        """DNS names of the internet-facing balancers whose groups let the internet reach a listener."""
        return {r.load_balancers[name] for r in self._chosen(regions) for name in r.exposed_load_balancers}

    def _chosen(self, names: tuple[str, ...]) -> list[Region]:
        return [region for region in self.regions.values() if not names or region.name in names]


def fill(endpoint_url: str, *, account: str = ACCOUNT, regions: tuple[str, ...] = REGIONS) -> Estate:
    """Creates the estate; the account must not hold it yet. The first region has the most, the third no exposure."""
    session = boto3.Session()

    def client(service: str, region: str = regions[0]) -> Any:
        return client_of(session, endpoint_url, account, service, region)

    estate = Estate(account, {name: Region(name) for name in regions})
    # Clients in one thread: a boto3 session isn't safe for many.
    builders = [Builder(estate.regions[name], *(client(s, name) for s in ("ec2", "elb", "rds"))) for name in regions]
    s3, iam = client("s3", "us-east-1"), client("iam")
    with ThreadPoolExecutor(len(regions) + 2) as pool:
        shapes = (main_region, second_region, quiet_region, small_region)
        work = [pool.submit(shapes[min(i, 3)], builder) for i, builder in enumerate(builders)]
        work += [pool.submit(fill_buckets, s3, estate), pool.submit(fill_identities, iam, estate)]
        for each in work:
            each.result()
    return estate


def grow(endpoint_url: str, *, instances: int = 0, buckets: int = 0, account: str = ACCOUNT) -> None:
    """More of the same, for benchmarks: instances in the default VPC of the first region, and private buckets."""
    ec2, s3 = (client_of(boto3.Session(), endpoint_url, account, service, REGIONS[0]) for service in ("ec2", "s3"))
    for start in range(0, instances, 100):
        count = min(100, instances - start)
        ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=count, MaxCount=count)
    for number in range(buckets):
        s3.create_bucket(Bucket=f"demo-grown-{account}-{number:06}")


def client_of(session: boto3.Session, endpoint_url: str, account: str, service: str, region: str) -> Any:
    return session.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=account,
        aws_secret_access_key="simulated",
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
    )


# ---------------------------------------------------------------------------------------- networks and machines


@dataclass
class Builder:
    region: Region
    ec2: Any
    elb: Any
    rds: Any

    def vpc(self, name: str, cidr: str, *more: str) -> None:
        vpc = self.ec2.create_vpc(CidrBlock=cidr, TagSpecifications=_tags("vpc", name))["Vpc"]["VpcId"]
        for block in more:
            self.ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=block)
        self.region.vpcs[name] = vpc

    def subnet(self, name: str, vpc: str, cidr: str, zone: str, *, public: bool = False) -> None:
        zone_name = self.region.name + zone
        specification = _tags("subnet", name)
        subnet = self.ec2.create_subnet(
            VpcId=self.region.vpcs[vpc], CidrBlock=cidr, AvailabilityZone=zone_name, TagSpecifications=specification
        )["Subnet"]["SubnetId"]
        if public:
            self.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self.region.subnets[name] = subnet

    def group(self, name: str, vpc: str, *rules: dict[str, Any]) -> None:
        response = self.ec2.create_security_group(
            GroupName=name, Description=f"demo: {name}", VpcId=self.region.vpcs[vpc]
        )
        self.region.groups[name] = response["GroupId"]
        if rules:
            self.ec2.authorize_security_group_ingress(GroupId=response["GroupId"], IpPermissions=list(rules))

    def instances(self, names: tuple[str, ...], subnet: str, *groups: str) -> None:
        """One reservation with an instance per name."""
        response = self.ec2.run_instances(
            ImageId=IMAGE,
            InstanceType="t3.micro",
            MinCount=len(names),
            MaxCount=len(names),
            SubnetId=self.region.subnets[subnet],
            SecurityGroupIds=self._ids(groups),
        )
        for name, instance in zip(names, response["Instances"], strict=True):
            self.region.instances[name] = instance["InstanceId"]
            self.ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "Name", "Value": name}])

    def interface(self, name: str, instance: str, subnet: str, *groups: str) -> None:
        """A second interface of an instance, with groups of its own."""
        interface: str = self.ec2.create_network_interface(
            SubnetId=self.region.subnets[subnet], Groups=self._ids(groups), Description=name
        )["NetworkInterface"]["NetworkInterfaceId"]
        self.ec2.attach_network_interface(
            NetworkInterfaceId=interface, InstanceId=self.region.instances[instance], DeviceIndex=1
        )
        self.region.interfaces[name] = interface

    def ipv6(self, instance: str, device: int, address: str) -> None:
        """An IPv6 address of one of an instance's interfaces."""
        response = self.ec2.describe_instances(InstanceIds=[self.region.instances[instance]])
        interfaces = response["Reservations"][0]["Instances"][0]["NetworkInterfaces"]
        ids = {one["Attachment"]["DeviceIndex"]: one["NetworkInterfaceId"] for one in interfaces}
        self.ec2.assign_ipv6_addresses(NetworkInterfaceId=ids[device], Ipv6Addresses=[address])

    def load_balancer(
        self,
        name: str,
        listeners: dict[int, str],
        *,
        subnets: tuple[str, ...],
        groups: tuple[str, ...],
        instances: tuple[str, ...] = (),
        internal: bool = False,
    ) -> None:
        scheme = {"Scheme": "internal"} if internal else {}
        self.region.load_balancers[name] = self.elb.create_load_balancer(
            LoadBalancerName=name,
            Listeners=[
                {"Protocol": protocol, "LoadBalancerPort": port, "InstanceProtocol": protocol, "InstancePort": 8080}
                for port, protocol in listeners.items()
            ],
            Subnets=[self.region.subnets[each] for each in subnets],
            SecurityGroups=self._ids(groups),
            **scheme,
        )["DNSName"]
        if instances:
            targets = [{"InstanceId": self.region.instances[each]} for each in instances]
            self.elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=targets)

    def subnet_group(self, name: str, *subnets: str) -> None:
        self.rds.create_db_subnet_group(
            DBSubnetGroupName=name,
            DBSubnetGroupDescription=f"demo: {name}",
            SubnetIds=[self.region.subnets[each] for each in subnets],
        )

    def database(self, name: str, subnet_group: str, group: str, *, encrypted: bool, public: bool = False) -> None:
        response = self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.medium",
            Engine="postgres",
            DBName=name.replace("-", "_"),
            AllocatedStorage=20,
            MasterUsername="administrator",
            MasterUserPassword="not-a-real-password",
            DBSubnetGroupName=subnet_group,
            VpcSecurityGroupIds=self._ids((group,)),
            StorageEncrypted=encrypted,
            PubliclyAccessible=public,
        )
        self.region.databases[name] = response["DBInstance"]["DBInstanceArn"]

    def replica(self, name: str, source: str) -> None:
        response = self.rds.create_db_instance_read_replica(
            DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source, DBInstanceClass="db.t3.medium"
        )
        self.region.databases[name] = response["DBInstance"]["DBInstanceArn"]

    def _ids(self, groups: tuple[str, ...]) -> list[str]:
        return [self.region.groups[each] for each in groups]


def allow(*ranges: str, ports: int | tuple[int, int] | None, protocol: str = "tcp") -> dict[str, Any]:
    """An inbound rule; ports None: all traffic."""
    rule: dict[str, Any] = {"IpProtocol": "-1"}
    if ports is not None:
        first, last = ports if isinstance(ports, tuple) else (ports, ports)
        rule = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
    if v4 := [{"CidrIp": each} for each in ranges if ":" not in each]:
        rule["IpRanges"] = v4
    if v6 := [{"CidrIpv6": each} for each in ranges if ":" in each]:
        rule["Ipv6Ranges"] = v6
    return rule


def main_region(build: Builder) -> None:
    region = build.region
    build.vpc("production", "10.0.0.0/16", "10.1.0.0/16")
    build.subnet("public-a", "production", "10.0.0.0/24", "a", public=True)
    build.subnet("public-b", "production", "10.0.1.0/24", "b", public=True)
    build.subnet("private-a", "production", "10.0.10.0/24", "a")
    build.subnet("private-b", "production", "10.1.11.0/24", "b")

    build.group("bastion", "production", allow(ANYWHERE, ports=22))
    build.group("web", "production", allow(ANYWHERE, ANYWHERE_V6, ports=443))
    build.group("web-ipv6-only", "production", allow(ANYWHERE_V6, ports=443), allow(OFFICE, ports=443))
    build.group("everything", "production", allow(ANYWHERE, ports=None))
    build.group("balancers", "production", allow(ANYWHERE, ports=443), allow(ANYWHERE, ports=80))
    build.group("admin-port", "production", allow(ANYWHERE, ports=(9000, 9100)), allow(OFFICE, ports=443))
    build.group(
        "internal", "production", allow(*INTERNAL, ports=(8000, 8999)), allow(*INTERNAL, ports=-1, protocol="icmp")
    )
    build.group("databases", "production", allow(*INTERNAL[:2], ports=5432))
    build.group("office", "production", allow(OFFICE, ports=(1, 65535)))

    build.instances(("bastion",), "public-a", "bastion")
    build.instances(("web-1", "web-2"), "public-b", "web", "internal")
    build.instances(("web-ipv6",), "public-b", "web-ipv6-only")
    build.ipv6("web-ipv6", 0, "2600:1f18:0:b::10")
    build.instances(("legacy",), "public-a", "everything")
    build.instances(("two-faces",), "public-a", "internal")
    build.interface("second-face", "two-faces", "public-a", "web")
    build.ipv6("two-faces", 1, "2600:1f18:0:a::10")  # the first has an address, too, in a group that is closed
    build.instances(("app-1", "app-2"), "private-a", "internal")
    build.instances(("app-both",), "public-b", "web")
    build.instances(("backoffice-1",), "private-b", "internal")
    build.instances(("admin-1",), "private-b", "internal")
    build.instances(("office-only",), "public-a", "office")
    build.instances(("open-but-private",), "private-a", "bastion")
    build.instances(("worker-1", "worker-2", "worker-3"), "private-b", "internal", "databases")
    build.instances(("stopped", "terminated"), "public-a", "bastion")

    build.load_balancer(
        "storefront",
        {443: "TCP", 80: "HTTP"},
        subnets=("public-a", "public-b"),
        groups=("balancers", "internal"),
        instances=("app-1", "app-2", "app-both"),
    )
    build.elb.register_instances_with_load_balancer(LoadBalancerName="storefront", Instances=[{"InstanceId": GONE}])
    build.load_balancer(
        "backoffice",
        {80: "HTTP"},
        subnets=("private-b",),
        groups=("balancers",),
        instances=("backoffice-1",),
        internal=True,
    )
    build.load_balancer(  # the internet may reach ports at which nothing listens
        "admin", {443: "TCP"}, subnets=("public-a",), groups=("admin-port",), instances=("admin-1",)
    )
    build.load_balancer("empty", {443: "TCP"}, subnets=("public-a",), groups=("office",))
    build.ec2.stop_instances(InstanceIds=[region.instances["stopped"]])
    build.ec2.terminate_instances(InstanceIds=[region.instances["terminated"]])

    build.subnet_group("production", "private-a", "private-b")
    build.subnet_group("reachable", "public-a", "public-b")
    build.database("orders", "production", "databases", encrypted=True)
    build.replica("orders-replica", "orders")
    build.database("reports", "production", "databases", encrypted=False)
    build.database("legacy-crm", "reachable", "everything", encrypted=False, public=True)

    region.exposed_directly += ["bastion", "web-1", "web-2", "web-ipv6", "legacy", "two-faces", "app-both"]
    region.exposed_by_elb += ["app-1", "app-2", "app-both"]
    region.exposed_load_balancers += ["storefront"]


def second_region(build: Builder) -> None:
    build.vpc("production", "10.2.0.0/16")
    build.subnet("public-a", "production", "10.2.0.0/24", "a", public=True)
    build.subnet("private-a", "production", "10.2.10.0/24", "a")
    build.subnet("private-b", "production", "10.2.11.0/24", "b")
    build.group("balancers", "production", allow(ANYWHERE, ports=None))  # a rule without ports, which are all ports
    build.group("internal", "production", allow(*INTERNAL, ports=(8000, 8999)))
    build.group("web", "production", allow(ANYWHERE, ports=(80, 443)))
    build.instances(("api-1", "api-2"), "private-a", "internal")
    build.instances(("web-1",), "public-a", "web")
    build.instances(("worker-1",), "private-b", "internal")
    build.load_balancer("api", {443: "TCP"}, subnets=("public-a",), groups=("balancers",), instances=("api-1", "api-2"))
    build.subnet_group("production", "private-a", "private-b")
    build.database("sessions", "production", "internal", encrypted=True)
    build.region.exposed_directly += ["web-1"]
    build.region.exposed_by_elb += ["api-1", "api-2"]
    build.region.exposed_load_balancers += ["api"]


def quiet_region(build: Builder) -> None:
    build.vpc("staging", "10.3.0.0/16")
    build.subnet("private-a", "staging", "10.3.10.0/24", "a")
    build.subnet("private-b", "staging", "10.3.11.0/24", "b")
    build.group("internal", "staging", allow(*INTERNAL, ports=(8000, 8999)))
    build.group("unused-but-open", "staging", allow(ANYWHERE, ports=22))
    build.instances(("staging-1", "staging-2"), "private-a", "internal")
    build.load_balancer(
        "staging", {80: "HTTP"}, subnets=("private-a",), groups=("internal",), instances=("staging-1",), internal=True
    )
    build.subnet_group("staging", "private-a", "private-b")
    build.database("staging", "staging", "internal", encrypted=False)


def small_region(build: Builder) -> None:
    build.vpc("edge", "10.4.0.0/16")
    build.subnet("public-a", "edge", "10.4.0.0/24", "a", public=True)
    build.subnet("public-b", "edge", "10.4.1.0/24", "b", public=True)
    build.group("ssh", "edge", allow(ANYWHERE, ports=22))
    build.instances(("edge-1",), "public-a", "ssh")
    build.subnet_group("edge", "public-a", "public-b")
    build.database("edge-cache", "edge", "ssh", encrypted=True)
    build.region.exposed_directly += ["edge-1"]


# ---------------------------------------------------------------------------------------- buckets


def fill_buckets(s3: Any, estate: Estate) -> None:
    account = estate.account
    acls = {
        f"demo-private-{account}": "private",
        f"1.demo.{account}.example.com": "private",
        f"demo-{account}-".ljust(63, "x"): "private",
        f"{account}-9": "private",
        f"demo-assets-{account}": "public-read",
        f"demo-dropbox-{account}": "public-read-write",
        f"demo-any-aws-customer-{account}": "authenticated-read",
    }
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    from_office = {"IpAddress": {"aws:SourceIp": OFFICE}}
    from_organization = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    public_policies: dict[str, list[dict[str, Any]]] = {
        f"demo-website-{account}": [read],
        f"demo-open-listing-{account}": [
            read | {"Principal": {"AWS": "*"}, "Action": ["s3:ListBucket", "s3:GetObject"], "Sid": "Listing"}
        ],
    }
    public_policies[f"demo-all-but-delete-{account}"] = [
        {"Effect": "Allow", "Principal": "*", "NotAction": "s3:DeleteBucket"}
    ]
    private_policies: dict[str, list[dict[str, Any]]] = {
        f"demo-office-{account}": [read | {"Condition": from_office}],
        f"demo-organization-{account}": [read | {"Condition": from_organization}],
        f"demo-partner-{account}": [read | {"Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"}}],
        f"demo-tls-only-{account}": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    policies = public_policies | private_policies
    for name in acls.keys() | policies.keys():
        s3.create_bucket(Bucket=name)
    for name, acl in acls.items():
        s3.put_bucket_acl(Bucket=name, ACL=acl)
    for name, statements in policies.items():
        resource = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        s3.put_bucket_policy(Bucket=name, Policy=_policy(*({"Resource": resource} | each for each in statements)))
    private = private_policies.keys() | {name for name, acl in acls.items() if acl == "private"}
    for name in private:
        without_lists(s3, name)
    estate.public_buckets |= public_policies.keys() | {name for name, acl in acls.items() if acl != "private"}
    estate.private_buckets |= private


def without_lists(s3: Any, bucket: str) -> None:
    """As AWS makes buckets since April 2023: nobody can open an object by an access control list of its own."""
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)


# ---------------------------------------------------------------------------------------- identities


def fill_identities(iam: Any, estate: Estate) -> None:
    for name, path in {"alice": "/", "bob": "/", "deployer": "/ci/", "former-employee": "/"}.items():
        estate.users[name] = iam.create_user(UserName=name, Path=path)["User"]["Arn"]
    document = "<EntityDescriptor>" + " " * 1024 + "</EntityDescriptor>"
    saml = iam.create_saml_provider(Name="corporate", SAMLMetadataDocument=document)["SAMLProviderArn"]
    github = f"arn:aws:iam::{estate.account}:oidc-provider/token.actions.githubusercontent.com"
    auditor = f"arn:aws:iam::{PARTNER}:role/Auditor"
    engineer = f"arn:aws:iam::{estate.account}:role/engineer"
    saml_audience = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    trusts: dict[str, list[dict[str, Any]]] = {
        "web-instance": [_trust({"Service": "ec2.amazonaws.com"})],
        "pipeline": [_trust({"Service": ["codebuild.amazonaws.com", "lambda.amazonaws.com"]})],
        "administrator": [_trust({"AWS": f"arn:aws:iam::{estate.account}:root"})],
        "audit": [_trust({"AWS": auditor}, Condition={"StringEquals": {"sts:ExternalId": "demo"}})],
        "partner-account": [_trust({"AWS": PARTNER})],  # a bare account id stands for the account's root
        "break-glass": [_trust({"AWS": [estate.users["alice"], estate.users["bob"]]})],
        "anyone": [_trust({"AWS": "*"})],
        "anyone-at-all": [_trust("*")],
        "engineer": [_trust({"Federated": saml}, "sts:AssumeRoleWithSAML", Condition=saml_audience)],
        "deploy-from-github": [_trust({"Federated": github}, "sts:AssumeRoleWithWebIdentity")],
        "break-glass-chain": [_trust({"AWS": engineer}), _trust({"Service": "ssm.amazonaws.com"})],
    }
    for name, statements in trusts.items():
        path = "/service/" if name == "pipeline" else "/"
        role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=_policy(*statements))["Role"]
        estate.roles[name] = role["Arn"]
        estate.trusts[name] = {principal for each in statements for principal in _principals(each["Principal"])}


def _trust(principal: str | dict[str, Any], action: str = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def _principals(principal: str | dict[str, Any]) -> set[str]:
    values = [principal] if isinstance(principal, str) else principal.values()
    return {name for value in values for name in ([value] if isinstance(value, str) else value)}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _tags(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def main() -> None:
    parser = argparse.ArgumentParser(description="Fills a simulated AWS with the demo's estate.")
    parser.add_argument("--endpoint", required=True, help="URL of the simulated AWS")
    started = time.monotonic()
    estate = fill(parser.parse_args().endpoint)
    regions = estate.regions.values()
    print(
        f"account {estate.account}: {sum(len(r.instances) for r in regions)} instances, "
        f"{sum(len(r.groups) for r in regions)} security groups, {sum(len(r.databases) for r in regions)} databases, "
        f"{sum(len(r.load_balancers) for r in regions)} load balancers in {len(regions)} regions, "
        f"{len(estate.buckets)} buckets, {len(estate.roles)} roles, {len(estate.users)} users "
        f"({time.monotonic() - started:.1f} s)"
    )


if __name__ == "__main__":
    main()
