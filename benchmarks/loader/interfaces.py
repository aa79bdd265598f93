"""Rows as a fetch makes them: network interfaces, each with an instance, a subnet and a security group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from loaders import batch, cypher
from loaders.batch import Row
from loaders.graph import Graph
from loaders.model import UNOWNED, NodeModel, Source
from loaders.pages import pages
from loaders.scope import Scope
from tasks.aws.ec2.instances import INSTANCES, NetworkInterface
from tasks.engine import registry
from tasks.engine.rows import read

MODEL: Final[NodeModel] = NetworkInterface.model
REGION: Final = "eu-west-1"
PER_SUBNET, PER_GROUP = 200, 100
_INTERFACES_ALONE: Final = replace(INSTANCES, yields=(NetworkInterface.each("Instances[].NetworkInterfaces[]"),))
_ENDS_PER_TRANSACTION: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interfaces:
    """Of one account and region. Each is known by a number.

    hub  all are in one security group, rather than a hundred in each
    """

    account: str
    hub: bool = False

    @property
    def scope(self) -> Scope:
        return Scope(type=INSTANCES.name, tenant=self.account, region=REGION)

    def batches(self, count: int, rows_per_batch: int) -> Iterator[bytes]:
        """Batches of the first `count`, as they wait for the loader."""
        for page in pages(map(self.row, range(count)), rows_per_batch):
            yield batch.compress([batch.pack(row) for row in page])

    def row(self, number: int) -> Row:
        reservation = self._reservation(number)
        item = read(_INTERFACES_ALONE, Source(reservation, self.scope), key=reservation["ReservationId"])
        [(_, row)] = item.rows
        return row

    def _reservation(self, number: int) -> dict[str, Any]:
        """As `ec2:DescribeInstances` returns it. Ids are in no order, as those of EC2."""
        name = hashlib.blake2b(f"{self.account}/{number}".encode(), digest_size=9).hexdigest()[:17]
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        interface = {
            "NetworkInterfaceId": f"eni-{name}",
            "Status": "in-use",
            "MacAddress": f"0a:58:0a:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
            "Description": "Primary network interface",
            "PrivateDnsName": f"ip-{address.replace('.', '-')}.{REGION}.compute.internal",
            "PrivateIpAddress": address,
            "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}],
            "VpcId": f"vpc-{self.account}",
            "SubnetId": f"subnet-{self.account}-{number // PER_SUBNET}",
            "Groups": [{"GroupId": f"sg-{self.account}-{'hub' if self.hub else number // PER_GROUP}"}],
            "InterfaceType": "interface",
            "SourceDestCheck": True,
            "Attachment": {"DeviceIndex": 0, "AttachTime": "2026-01-01T00:00:00+00:00"},
        }
        instance = {"InstanceId": f"i-{name}", "NetworkInterfaces": [interface]}
        return {"ReservationId": f"r-{name}", "Instances": [instance]}


def create_other_ends(graph: Graph, rows: Sequence[Row]) -> None:
    """Whatever these rows have relationships to, as stubs."""
    for position, reference in enumerate(MODEL.references):
        end = registry.schema().target(reference).identity
        keys = dict.fromkeys(key for row in rows for key in row["r"][position])
        for page in pages(keys, _ENDS_PER_TRANSACTION):
            graph.autocommit(
                f"UNWIND $keys AS key MERGE (t:{cypher.quoted(end.label)} {{{cypher.quoted(end.key.name)}: key}}) "
                f"ON CREATE SET t.firstseen = 0, t.lastupdated = 0, t._scope = '{UNOWNED}'",
                {"keys": page},
            )


def decoded(payloads: Iterable[bytes], scope: Scope) -> list[Row]:
    """The rows of these batches."""
    return [row for payload in payloads for row in batch.decode(payload, scope)]
