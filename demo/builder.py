"""Builds the networks, instances, load balancers and databases of one region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from demo.inventory import IMAGE, Region


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
        """A reservation with one instance per name."""
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
        """A second interface of an instance, with its own groups."""
        interface: str = self.ec2.create_network_interface(
            SubnetId=self.region.subnets[subnet], Groups=self._ids(groups), Description=name
        )["NetworkInterface"]["NetworkInterfaceId"]
        self.ec2.attach_network_interface(
            NetworkInterfaceId=interface, InstanceId=self.region.instances[instance], DeviceIndex=1
        )
        self.region.interfaces[name] = interface

    def ipv6(self, instance: str, device: int, address: str) -> None:
        """An IPv6 address of an interface of an instance."""
        response = self.ec2.describe_instances(InstanceIds=[self.region.instances[instance]])
        interfaces = response["Reservations"][0]["Instances"][0]["NetworkInterfaces"]
        ids = {interface["Attachment"]["DeviceIndex"]: interface["NetworkInterfaceId"] for interface in interfaces}
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
            Subnets=[self.region.subnets[subnet] for subnet in subnets],
            SecurityGroups=self._ids(groups),
            **scheme,
        )["DNSName"]
        if instances:
            targets = [{"InstanceId": self.region.instances[instance]} for instance in instances]
            self.elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=targets)

    def subnet_group(self, name: str, *subnets: str) -> None:
        self.rds.create_db_subnet_group(
            DBSubnetGroupName=name,
            DBSubnetGroupDescription=f"demo: {name}",
            SubnetIds=[self.region.subnets[subnet] for subnet in subnets],
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
        return [self.region.groups[group] for group in groups]


def allow(*ranges: str, ports: int | tuple[int, int] | None, protocol: str = "tcp") -> dict[str, Any]:
    """An inbound rule. `ports` None: all traffic."""
    rule: dict[str, Any] = {"IpProtocol": "-1"}
    if ports is not None:
        first, last = ports if isinstance(ports, tuple) else (ports, ports)
        rule = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
    if v4 := [{"CidrIp": cidr} for cidr in ranges if ":" not in cidr]:
        rule["IpRanges"] = v4
    if v6 := [{"CidrIpv6": cidr} for cidr in ranges if ":" in cidr]:
        rule["Ipv6Ranges"] = v6
    return rule


def _tags(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]
