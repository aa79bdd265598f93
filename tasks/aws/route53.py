"""Route 53: hosted zones, their A, AAAA, CNAME and NS records, and the name servers that NS records name.

Records of other types (TXT, MX, ...) are skipped: they lead to nothing in the graph, and texts may contain tokens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from loaders.scope import GLOBAL
from tasks.aws.vocabulary.arn import arn_of
from tasks.aws.vocabulary.dns import AWSDNSRecord, Ip, as_ips, host
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.responses import values_at
from tasks.provider import (
    CallFailed,
    Failure,
    Item,
    Per,
    ResourceType,
    Source,
    id_link,
    key,
    link,
    listing,
    outgoing,
    prop,
)

if TYPE_CHECKING:
    from tasks.aws.client.client import AwsApi

_ZONES: Final = listing("route53:ListHostedZones")
_RECORDS: Final = "route53:ListResourceRecordSets"
_READ: Final = ("A", "AAAA", "CNAME", "NS")


def without_dot(name: str) -> str:
    return name.removesuffix(".")


def zone_name(zone: Source) -> str:
    return without_dot(zone.item["Name"])


def zone_arn(zone: Source) -> str:
    """Ids of hosted zones begin with `/hostedzone/`."""
    return arn_of(f"route53:{zone.item['Id'].removeprefix('/')}", zone.partition, GLOBAL, zone.scope.tenant)


class AWSDNSZone(AWSNode, label="AWSDNSZone", labels=("DNSZone",), tenant="AWSAccount", arn="route53:hostedzone"):
    zoneid: str = key("Id", "/hostedzone/<id>")
    id: str = prop("Id", "Same as zoneid.")
    arn: str = prop(zone_arn, index=True)
    name: str = prop(zone_name, "Without the trailing dot.", index=True)
    comment: str | None = prop("Config.Comment")
    privatezone: bool | None = prop("Config.PrivateZone", "Whether it is visible in its VPCs only.")


ZONES: Final = ResourceType("aws.route53.zones", Per.TENANT, fetch=_ZONES, yields=(AWSDNSZone,))


@dataclass(frozen=True, slots=True)
class RecordsByZone:
    """A part per zone: a zone may have hundreds of thousands of records, read in pages of 300 at ten calls a second."""

    made: ClassVar[Mapping[str, str]] = {_ZONES.action: "1 per page", _RECORDS: "1 per page of each zone"}

    @property
    def calls(self) -> tuple[str, ...]:
        return (*_ZONES.calls, _RECORDS)

    async def parts(self, api: AwsApi) -> AsyncIterator[str]:
        async for item in _ZONES.items(api, ""):
            zone = item.value.get("Id") if isinstance(item.value, Mapping) else None
            if not isinstance(zone, str) or not zone:
                raise CallFailed(Failure.INVALID_RESPONSE, _ZONES.action, "a hosted zone has no Id")
            yield zone.rpartition("/")[2]

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        zone = {"HostedZoneId": f"/hostedzone/{part}"}
        try:
            async for page in api.pages(_RECORDS, HostedZoneId=part):
                for record in values_at("ResourceRecordSets", page, _RECORDS):
                    if not isinstance(record, Mapping) or not isinstance(record.get("Type"), str):
                        raise CallFailed(Failure.INVALID_RESPONSE, _RECORDS, "a record has no Type")
                    if record["Type"] in _READ:
                        yield Item({**record, **zone})
        except CallFailed as error:
            if error.code != "NoSuchHostedZone":  # deleted after it was listed, and with it its records
                raise


def kind(record: Source) -> str:
    """As in the ids of 2020, when only A and CNAME records had aliases."""
    type_: str = record.item["Type"]
    if "AliasTarget" not in record.item:
        return type_
    return {"A": "ALIAS", "CNAME": "WEIGHTED_CNAME"}.get(type_, f"ALIAS_{type_}")


def record_id(record: Source) -> str:
    """Zone, name and kind as in 2020. Records that share these each have a SetIdentifier."""
    item = record.item
    own = f"/{item['SetIdentifier']}" if "SetIdentifier" in item else ""
    return f"{item['HostedZoneId']}/{record_name(record)}/{kind(record)}{own}"


def record_name(record: Source) -> str:
    return without_dot(record.item["Name"])


def record_type(record: Source) -> str:
    return "ALIAS" if kind(record) in ("ALIAS", "ALIAS_AAAA") else str(record.item["Type"])


def values(record: Source) -> list[str]:
    return [entry["Value"] for entry in record.item.get("ResourceRecords", ())]


def addresses(record: Source) -> list[str]:
    return values(record) if record.item["Type"] in ("A", "AAAA") else []


def servers(record: Source) -> list[str]:
    return [host(value) for value in values(record)] if record.item["Type"] == "NS" else []


def target(record: Source) -> str | None:
    """The name that the record points to; None for addresses and name servers."""
    if "AliasTarget" in record.item:
        return without_dot(record.item["AliasTarget"]["DNSName"])
    return next((without_dot(value) for value in values(record)), None) if record.item["Type"] == "CNAME" else None


def target_host(record: Source) -> str | None:
    name = target(record)
    return host(name) if name else None


def value(record: Source) -> str | None:
    """As in 2020: comma-separated addresses, or the name of an NS record itself; None for a traffic policy's record."""
    if record.item["Type"] == "NS":
        return record_name(record)
    return target(record) or ",".join(addresses(record)) or None


class AWSRoute53Record(AWSDNSRecord, label="AWSRoute53Record"):
    id: str = key(record_id, "Zone, name, kind and, if it has one, SetIdentifier.")
    name: str = prop(record_name, "Without the trailing dot, as Route 53 writes it: an asterisk is \\052.", index=True)
    type: str = prop(
        record_type, "A, ALIAS, AAAA, CNAME or NS. An ALIAS resolves to A, or to AAAA if its id contains ALIAS_AAAA."
    )
    value: str | None = prop(value, "Comma-separated addresses, or the name it points to.")
    set_identifier: str | None = prop(
        "SetIdentifier", "Distinguishes records of one name and type. None: the only one."
    )
    _target: str | None = prop(target_host, "The name it points to, in the form used for comparison.", index=True)
    relationships = (
        outgoing("MEMBER_OF_DNS_ZONE", "AWSDNSZone", "HostedZoneId"),
        outgoing("DNS_POINTS_TO", "NameServer", servers),
        outgoing("DNS_POINTS_TO", "Ip", addresses),
        id_link("DNS_POINTS_TO", "ElasticIPAddress", addresses),
        link("DNS_POINTS_TO", "LoadBalancer", on={"_target": "_host"}),
        link("DNS_POINTS_TO", "LoadBalancerV2", on={"_target": "_host"}),
        link("DNS_POINTS_TO", "EC2Instance", on={"_target": "publicdnsname"}),
        link("DNS_POINTS_TO", "ESDomain", on={"_target": "_host"}),
    )


class NameServer(AWSNode, label="NameServer", shared=True):
    id: str = key("name")
    name: str = prop("name")


def name_servers(record: Source) -> list[Mapping[str, Any]]:
    return [{"name": name} for name in servers(record)]


def ips(record: Source) -> list[Mapping[str, Any]]:
    return as_ips(addresses(record))


RECORDS: Final = ResourceType(
    "aws.route53.records",
    Per.TENANT,
    fetch=RecordsByZone(),
    yields=(AWSRoute53Record, NameServer.each(name_servers), Ip.each(ips)),
)
