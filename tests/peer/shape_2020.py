"""The graph that Cartography 0.24 (2020) filled, for the same simulated AWS: its shapes, and its flaws.

That version runs on no Python and no Neo4j of today. The statements are this file's own; what they write follows the
facts of that graph: plain indexes instead of constraints, a stub beside the role that it stands for, a policy per
principal, rules without an `id`, subnets known by reference only, bare stubs without `lastupdated`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from loaders.graph import Graph
from tests.peer.estate import client

INDEXES: Final = Path(__file__).parents[1] / "facts" / "indexes_2020.json"

_STD: Final = "ON CREATE SET {0}.firstseen = $now SET {0}.lastupdated = $tag"
Rows = Sequence[Mapping[str, Any]]


def create_indexes(graph: Graph) -> None:
    for label, names in json.loads(INDEXES.read_text()).items():
        for name in names:
            graph.autocommit(f"CREATE INDEX IF NOT EXISTS FOR (n:{label}) ON (n.{name})")


def write(graph: Graph, endpoint: str, *, account: str, regions: Iterable[str], tag: int) -> None:
    """What one sync of an account leaves, `tag` being its update tag."""
    shape = _Shape(graph, endpoint, account, tag)
    shape.account_and_root()
    shape.identities()
    shape.buckets()
    for region in regions:
        shape.networks(region)
        shape.instances(region)
        shape.load_balancers(region)
        shape.newer_load_balancers(region)
        shape.databases(region)


class _Shape:
    def __init__(self, graph: Graph, endpoint: str, account: str, tag: int) -> None:
        self._graph, self._endpoint, self._account, self._tag = graph, endpoint, account, tag

    def _ask(self, service: str, region: str = "us-east-1") -> Any:
        return client(self._endpoint, service, region, self._account)

    def _run(self, query: str, rows: Rows = ({},), **parameters: Any) -> None:
        """For each row; `$std` after a MERGE is what every node and relationship of 2020 has."""
        for name in "nea":
            query = query.replace(f"$std({name})", _STD.format(name))
        values = {"tag": self._tag, "now": self._tag * 1000, "account": self._account, **parameters}
        self._graph.write(lambda tx: tx.run(f"UNWIND $rows AS row {query}", rows=list(rows), **values).consume())

    def _resources(self, label: str, key: str, rows: Rows, *, labels: str = "") -> None:
        """Nodes that hang on the account; a row is what is written on one."""
        self._run(
            f"MERGE (n:{label} {{{key}: row.{key}}}) $std(n) SET n += row {f'SET n{labels}' if labels else ''} "
            "WITH n MATCH (a:AWSAccount {id: $account}) MERGE (a)-[e:RESOURCE]->(n) $std(e)",
            rows,
        )

    def account_and_root(self) -> None:
        self._run(
            "MERGE (n:AWSAccount {id: $account}) $std(n) SET n.name = 'default' "
            "MERGE (a:AWSPrincipal {arn: 'arn:aws:iam::' + $account + ':root'}) $std(a) SET a.type = 'AWS' "
            "MERGE (n)-[e:RESOURCE]->(a) $std(e)"
        )

    # -- IAM

    def identities(self) -> None:
        iam = self._ask("iam")
        users, groups, roles = iam.list_users()["Users"], iam.list_groups()["Groups"], iam.list_roles()["Roles"]
        # A trust policy's stub is there before the role that it means; merged under another label, it is a second node.
        stubs = [
            {"arn": name, "type": type_, "role": role["Arn"]}
            for role in roles
            for statement in role["AssumeRolePolicyDocument"]["Statement"]
            for type_, names in statement["Principal"].items()
            for name in ([names] if isinstance(names, str) else names)
        ]
        self._run("MERGE (n:AWSPrincipal {arn: row.arn}) $std(n) SET n.type = row.type", stubs)
        for label, found in (("AWSUser", users), ("AWSGroup", groups), ("AWSRole", roles)):
            name = label.removeprefix("AWS")
            rows = [
                {"arn": one["Arn"], "name": one[f"{name}Name"], "path": one["Path"],
                 f"{name.lower()}id": one[f"{name}Id"], "createdate": str(one["CreateDate"])}
                for one in found
            ]  # fmt: skip
            self._resources(label, "arn", rows, labels=":AWSPrincipal")
        self._run(
            "MATCH (n:AWSRole {arn: row.role}) MATCH (a:AWSPrincipal {arn: row.arn}) "
            "MERGE (n)-[e:TRUSTS_AWS_PRINCIPAL]->(a) $std(e)",
            stubs,
        )
        self._run(
            "MATCH (n:AWSRole {arn: row.role}) MATCH (a:AWSPrincipal {arn: row.arn}) WHERE a:AWSUser OR a:AWSRole "
            "MERGE (a)-[e:STS_ASSUMEROLE_ALLOW]->(n) $std(e)",
            stubs,
        )
        self._policies(iam, users, groups, roles)
        for group in groups:
            members = iam.get_group(GroupName=group["GroupName"])["Users"]
            self._run(
                "MATCH (n:AWSUser {arn: row.arn}) MATCH (a:AWSGroup {arn: $group}) "
                "MERGE (n)-[e:MEMBER_AWS_GROUP]->(a) $std(e)",
                [{"arn": member["Arn"]} for member in members],
                group=group["Arn"],
            )
        for user in users:
            self._run(
                "MERGE (n:AccountAccessKey {accesskeyid: row.id}) $std(n) SET n.status = row.status "
                "WITH n MATCH (a:AWSUser {name: $user}) MERGE (a)-[e:AWS_ACCESS_KEY]->(n) $std(e)",
                [
                    {"id": one["AccessKeyId"], "status": one["Status"]}
                    for one in iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
                ],
                user=user["UserName"],
            )

    def _policies(self, iam: Any, users: Rows, groups: Rows, roles: Rows) -> None:
        rows = []
        for kind, found in (("User", users), ("Group", groups), ("Role", roles)):
            for one in found:
                named = {f"{kind}Name": one[f"{kind}Name"]}
                for policy in getattr(iam, f"list_attached_{kind.lower()}_policies")(**named)["AttachedPolicies"]:
                    arn = policy["PolicyArn"]
                    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                    read = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
                    rows.append((one["Arn"], "managed", policy["PolicyName"], read["Document"]))
                for name in getattr(iam, f"list_{kind.lower()}_policies")(**named)["PolicyNames"]:
                    read = getattr(iam, f"get_{kind.lower()}_policy")(**named, PolicyName=name)
                    rows.append((one["Arn"], "inline", name, read["PolicyDocument"]))
        self._run(
            "MERGE (n:AWSPolicy {id: row.id}) $std(n) SET n.type = row.type, n.name = row.name "
            "WITH n, row MATCH (a:AWSPrincipal {arn: row.arn}) MERGE (a)-[e:POLICY]->(n) SET e.lastupdated = $tag "
            "MERGE (s:AWSPolicyStatement {id: row.id + '/statement/1'}) "
            "SET s.lastupdated = $tag, s.effect = 'Allow', s.action = row.action, s.resource = ['*'] "
            "MERGE (n)-[:STATEMENT {firstseen: $now, lastupdated: $tag}]->(s)",
            [
                {"arn": arn, "id": f"{arn}/{type_}_policy/{name}", "type": type_, "name": name,
                 "action": [document["Statement"][0]["Action"]]}
                for arn, type_, name, document in rows
            ],
        )  # fmt: skip

    # -- S3

    def buckets(self) -> None:
        s3 = self._ask("s3")
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        rows = [{"id": name, "name": name, "arn": f"arn:aws:s3:::{name}", "anonymous_access": False} for name in names]
        self._resources("S3Bucket", "id", rows)
        for name in names:
            self._run(
                "MERGE (n:S3Acl {id: row.id}) $std(n) SET n += row "
                "WITH n MATCH (a:S3Bucket {id: $bucket}) MERGE (n)-[e:APPLIES_TO]->(a) $std(e)",
                list(self._grants(s3.get_bucket_acl(Bucket=name))),
                bucket=name,
            )

    def _grants(self, acl: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        owner = acl["Owner"]
        for grant in acl["Grants"]:
            grantee = grant["Grantee"]
            told = {
                "owner": owner.get("DisplayName"), "ownerid": owner.get("ID"), "type": grantee["Type"],
                "displayname": grantee.get("DisplayName"), "granteeid": grantee.get("ID"),
                "uri": grantee.get("URI"), "permission": grant["Permission"],
            }  # fmt: skip
            text = ":".join((self._account, *(str(value) for value in told.values())))
            yield {"id": hashlib.sha256(text.encode()).hexdigest(), **told}

    # -- EC2

    def networks(self, region: str) -> None:
        ec2 = self._ask("ec2", region)
        vpcs, groups = ec2.describe_vpcs()["Vpcs"], ec2.describe_security_groups()["SecurityGroups"]
        rows = [{"id": v["VpcId"], "vpcid": v["VpcId"], "state": v["State"], "region": region} for v in vpcs]
        self._resources("AWSVpc", "id", rows)
        self._run(
            "MERGE (n:AWSIpv4CidrBlock {id: row.vpc + '|' + row.cidr}) $std(n) "
            "SET n:AWSCidrBlock, n.cidr_block = row.cidr "
            "WITH n, row MATCH (a:AWSVpc {id: row.vpc}) MERGE (a)-[e:BLOCK_ASSOCIATION]->(n) $std(e)",
            [{"vpc": v["VpcId"], "cidr": b["CidrBlock"]} for v in vpcs for b in v["CidrBlockAssociationSet"]],
        )
        self._resources("EC2SecurityGroup", "id", [
            {"id": g["GroupId"], "groupid": g["GroupId"], "name": g["GroupName"], "description": g["Description"],
             "region": region}
            for g in groups
        ])  # fmt: skip
        self._run(
            "MATCH (a:AWSVpc {id: row.vpc}) MATCH (n:EC2SecurityGroup {id: row.group}) "
            "MERGE (a)-[e:MEMBER_OF_EC2_SECURITY_GROUP]->(n) ON CREATE SET e.firstseen = $now",
            [{"vpc": g["VpcId"], "group": g["GroupId"]} for g in groups],
        )
        rules = [
            {"ruleid": f"{g['GroupId']}/IpPermissions/{r.get('FromPort')}{r.get('ToPort')}{r['IpProtocol']}",
             "fromport": r.get("FromPort"), "toport": r.get("ToPort"), "protocol": r["IpProtocol"],
             "group": g["GroupId"], "cidrs": [one["CidrIp"] for one in r["IpRanges"]]}
            for g in groups for r in g["IpPermissions"]
        ]  # fmt: skip
        self._run(
            "MERGE (n:IpPermissionInbound {ruleid: row.ruleid}) $std(n) "
            "SET n:IpRule, n.fromport = row.fromport, n.toport = row.toport, n.protocol = row.protocol "
            "WITH n, row MATCH (g:EC2SecurityGroup {groupid: row.group}) "
            "MERGE (n)-[e:MEMBER_OF_EC2_SECURITY_GROUP]->(g) $std(e) "
            "WITH n, row UNWIND row.cidrs AS cidr MERGE (a:IpRange {id: cidr}) $std(a) SET a.range = cidr "
            "MERGE (a)-[e:MEMBER_OF_IP_RULE]->(n) $std(e)",
            rules,
        )

    def instances(self, region: str) -> None:
        reservations = self._ask("ec2", region).describe_instances()["Reservations"]
        self._resources("EC2Reservation", "reservationid", [
            {"reservationid": r["ReservationId"], "ownerid": r["OwnerId"], "region": region} for r in reservations
        ])  # fmt: skip
        for reservation in reservations:
            for one in reservation["Instances"]:
                self._instance(reservation["ReservationId"], one, region)

    def _instance(self, reservation: str, one: Mapping[str, Any], region: str) -> None:
        row = {
            "id": one["InstanceId"], "instanceid": one["InstanceId"], "publicdnsname": one.get("PublicDnsName"),
            "publicipaddress": one.get("PublicIpAddress"), "state": one["State"]["Name"], "region": region,
            "instancetype": one["InstanceType"], "exposed_internet": True, "exposed_internet_type": ["direct"],
        }  # fmt: skip
        self._resources("EC2Instance", "id", [row], labels=":Instance")
        self._run(
            "MATCH (n:EC2Instance {id: $id}) MATCH (r:EC2Reservation {reservationid: $reservation}) "
            "MERGE (n)-[e:MEMBER_OF_EC2_RESERVATION]->(r) $std(e) "
            "MERGE (a:EC2Subnet {subnetid: row.subnet}) $std(a) SET a.region = $region "
            "MERGE (n)-[f:PART_OF_SUBNET]->(a) SET f.firstseen = $now, f.lastupdated = $tag",
            [{"subnet": one["SubnetId"]}],
            id=one["InstanceId"],
            reservation=reservation,
            region=region,
        )
        self._run(
            "MATCH (n:EC2Instance {id: $id}) MATCH (a:EC2SecurityGroup {id: row.id}) "
            "MERGE (n)-[e:MEMBER_OF_EC2_SECURITY_GROUP]->(a) $std(e)",
            [{"id": group["GroupId"]} for group in one["SecurityGroups"]],
            id=one["InstanceId"],
        )
        self._run(
            "MERGE (n:NetworkInterface {id: row.id}) $std(n) SET n.status = row.status "
            "WITH n, row MATCH (i:EC2Instance {id: $id}) MERGE (i)-[e:NETWORK_INTERFACE]->(n) $std(e) "
            "MERGE (a:EC2Subnet {subnetid: row.subnet}) $std(a) "
            "MERGE (n)-[f:PART_OF_SUBNET]->(a) SET f.firstseen = $now, f.lastupdated = $tag "
            "WITH n, row UNWIND row.groups AS id MATCH (g:EC2SecurityGroup {id: id}) "
            "MERGE (n)-[e:MEMBER_OF_EC2_SECURITY_GROUP]->(g) $std(e)",
            [
                {"id": i["NetworkInterfaceId"], "status": i["Status"], "subnet": i["SubnetId"],
                 "groups": [group["GroupId"] for group in i["Groups"]]}
                for i in one["NetworkInterfaces"]
            ],
            id=one["InstanceId"],
        )  # fmt: skip

    # -- what stands before and behind them

    def load_balancers(self, region: str) -> None:
        for one in self._ask("elb", region).describe_load_balancers()["LoadBalancerDescriptions"]:
            row = {"id": one["DNSName"], "dnsname": one["DNSName"], "name": one["LoadBalancerName"], "region": region,
                   "scheme": one.get("Scheme") or ""}  # fmt: skip
            self._resources("LoadBalancer", "id", [row])
            self._link("LoadBalancer", one["DNSName"], "SUBNET", "EC2Subnet", "subnetid", one["Subnets"])
            members, groups = "MEMBER_OF_EC2_SECURITY_GROUP", one["SecurityGroups"]
            self._link("LoadBalancer", one["DNSName"], members, "EC2SecurityGroup", "groupid", groups)
            source = [one["SourceSecurityGroup"]["GroupName"]]  # every group of that name, wherever
            self._link("LoadBalancer", one["DNSName"], "SOURCE_SECURITY_GROUP", "EC2SecurityGroup", "name", source)
            exposed = [instance["InstanceId"] for instance in one["Instances"]]
            self._link("LoadBalancer", one["DNSName"], "EXPOSE", "EC2Instance", "instanceid", exposed)
            self._run(
                "MERGE (n:ELBListener {id: $balancer + row.port + row.protocol}) $std(n) "
                "SET n:Endpoint, n.port = row.port, n.protocol = row.protocol "
                "WITH n MATCH (a:LoadBalancer {id: $balancer}) MERGE (a)-[e:ELB_LISTENER]->(n) $std(e)",
                [
                    {"port": each["Listener"]["LoadBalancerPort"], "protocol": each["Listener"]["Protocol"]}
                    for each in one["ListenerDescriptions"]
                ],
                balancer=one["DNSName"],
            )

    def newer_load_balancers(self, region: str) -> None:
        elbv2 = self._ask("elbv2", region)
        for one in elbv2.describe_load_balancers()["LoadBalancers"]:
            row = {"id": one["DNSName"], "dnsname": one["DNSName"], "name": one["LoadBalancerName"], "region": region,
                   "type": one["Type"], "scheme": one.get("Scheme")}  # fmt: skip
            self._resources("LoadBalancerV2", "id", [row])
            subnets = [zone["SubnetId"] for zone in one["AvailabilityZones"]]
            self._run(
                "MERGE (a:EC2Subnet {subnetid: row.id}) $std(a) SET a.region = $region "
                "WITH a MATCH (n:LoadBalancerV2 {id: $balancer}) MERGE (n)-[e:SUBNET]->(a) $std(e)",
                [{"id": subnet} for subnet in subnets],
                balancer=one["DNSName"],
                region=region,
            )
            listeners = elbv2.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
            self._run(
                "MERGE (n:ELBV2Listener {id: row.id}) $std(n) SET n:Endpoint, n.port = row.port "
                "WITH n MATCH (a:LoadBalancerV2 {id: $balancer}) MERGE (a)-[e:ELBV2_LISTENER]->(n) $std(e)",
                [{"id": each["ListenerArn"], "port": each["Port"]} for each in listeners],
                balancer=one["DNSName"],
            )

    def _link(self, label: str, id_: str, kind: str, end: str, key: str, values: Iterable[str]) -> None:
        self._run(
            f"MATCH (n:{label} {{id: $id}}) MATCH (a:{end} {{{key}: row.value}}) MERGE (n)-[e:{kind}]->(a) $std(e)",
            [{"value": value} for value in values],
            id=id_,
        )

    def databases(self, region: str) -> None:
        for one in self._ask("rds", region).describe_db_instances()["DBInstances"]:
            arn, group = one["DBInstanceArn"], one["DBSubnetGroup"]
            row = {"id": arn, "arn": arn, "db_instance_identifier": one["DBInstanceIdentifier"], "region": region,
                   "storage_encrypted": one["StorageEncrypted"]}  # fmt: skip
            self._resources("RDSInstance", "id", [row])
            self._run(
                "MERGE (a:EC2SecurityGroup {id: row.id}) "  # a bare stub, where the group isn't there
                "WITH a MATCH (n:RDSInstance {id: $arn}) MERGE (n)-[e:MEMBER_OF_EC2_SECURITY_GROUP]->(a) $std(e)",
                [{"id": each["VpcSecurityGroupId"]} for each in one["VpcSecurityGroups"]],
                arn=arn,
            )
            self._run(
                "MERGE (n:DBSubnetGroup {id: row.id}) $std(n) SET n.name = row.name, n.vpc_id = row.vpc "
                "WITH n, row MATCH (a:RDSInstance {id: $arn}) MERGE (a)-[e:MEMBER_OF_DB_SUBNET_GROUP]->(n) $std(e) "
                "WITH n, row UNWIND row.subnets AS id MERGE (s:EC2Subnet {subnetid: id}) "
                "MERGE (n)-[e:RESOURCE]->(s) $std(e)",
                [
                    {"id": f"arn:aws:rds:{region}:{self._account}:subgrp:{group['DBSubnetGroupName']}",
                     "name": group["DBSubnetGroupName"], "vpc": group["VpcId"],
                     "subnets": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]}
                ],
                arn=arn,
            )  # fmt: skip
