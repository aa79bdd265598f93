"""Zones of Cloud DNS, and the records in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loaders.model import Node, Source, incoming, key, parent, prop
from tasks.gcp.api import PROJECT
from tasks.listing import listing
from tasks.resource import Per, ResourceType


class GCPDNSZone(Node, label="GCPDNSZone", labels=("DNSZone",), tenant="GCPProject"):
    id: str = key("id", "Google's number for it.")
    name: str = prop("name", index=True)
    dns_name: str = prop("dnsName", "The domain, with the dot at its end.", index=True)
    description: str | None = prop("description")
    visibility: str | None = prop("visibility", "public, or private: for networks of its own.")
    kind: str | None = prop("kind")
    nameservers: list[str] | None = prop("nameServers")
    created_at: str | None = prop("creationTime")
    dnssec_state: str | None = prop("dnssecConfig.state")


ZONES: Final = ResourceType(
    "gcp.dns.zones",
    Per.TENANT,
    fetch=listing("dns:managedZones.list", maxResults=500),
    yields=(GCPDNSZone,),
    also=("dns",),
    of=PROJECT,
)


def record_id(record: Source) -> str:
    return f"{parent('id')(record)}|{record.item['name']}|{record.item['type']}"


def data(record: Source) -> list[str]:
    """All that it may be answered with; of one that answers by a policy, what each of its targets is."""
    plain, policy = record.item.get("rrdatas") or (), record.item.get("routingPolicy") or {}
    return list(dict.fromkeys((*plain, *_by_policy(policy))))


def _by_policy(policy: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("geo", "wrr"):
        for target in (policy.get(kind) or {}).get("items") or ():
            yield from target.get("rrdatas") or ()


class GCPRecordSet(Node, label="GCPRecordSet", labels=("DNSRecord",), tenant="GCPProject"):
    id: str = key(record_id, "<zone>|<name>|<type>")
    name: str = prop("name", index=True)
    type: str = prop("type")
    ttl: int | None = prop("ttl", "Seconds.")
    data: list[str] = prop(data)
    relationships = (incoming("HAS_RECORD", "GCPDNSZone", parent("id")),)


RECORDS: Final = ResourceType(
    "gcp.dns.records",
    Per.TENANT,
    fetch=listing("dns:managedZones.list", maxResults=500, gone_if="notFound").then(
        "dns:resourceRecordSets.list", managedZone="name", constants={"maxResults": 1000}
    ),
    yields=(GCPRecordSet.each("resourceRecordSets.rrsets[]"),),
    also=("dns",),
    of=PROJECT,
)
