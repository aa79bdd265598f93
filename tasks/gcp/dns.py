"""Zones of Cloud DNS, and the records in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tasks.gcp.kinds import PROJECT
from tasks.provider import (
    Node,
    Per,
    ResourceType,
    Source,
    at,
    elements,
    incoming,
    key,
    listing,
    named,
    parent,
    prop,
)


def signing_algorithm(key_type: str) -> Callable[[Source], str | None]:
    """The algorithm of its keys of a type."""

    @named(f"signing_algorithm({key_type!r})", f"`dnssecConfig.defaultKeySpecs[].algorithm`, of {key_type} keys.")
    def algorithm(zone: Source) -> str | None:
        specs = elements(at("dnssecConfig.defaultKeySpecs", zone.item))
        return next((one.get("algorithm") for one in specs if one and one.get("keyType") == key_type), None)

    return algorithm


class GCPDNSZone(Node, label="GCPDNSZone", labels=("DNSZone",), tenant="GCPProject"):
    id: str = key("id", "The number that Google gave it.")
    name: str = prop("name", index=True)
    dns_name: str = prop("dnsName", "The domain, with a trailing dot.", index=True)
    description: str | None = prop("description")
    visibility: str | None = prop("visibility", "public, or private: visible in its own networks only.")
    kind: str | None = prop("kind")
    nameservers: list[str] | None = prop("nameServers")
    created_at: str | None = prop("creationTime")
    dnssec_state: str | None = prop("dnssecConfig.state", "off, on or transfer. None: off.")
    dnssec_key_signing_algorithm: str | None = prop(signing_algorithm("keySigning"), "rsasha1 is weak.")
    dnssec_zone_signing_algorithm: str | None = prop(signing_algorithm("zoneSigning"))


ZONES: Final = ResourceType(
    "gcp.dns.zones",
    Per.TENANT,
    fetch=listing("dns:managedZones.list", maxResults=500),
    yields=(GCPDNSZone,),
    aliases=("dns",),
    tenant_kind=PROJECT,
)


def record_id(record: Source) -> str | None:
    name, kind = (record.item or {}).get("name"), (record.item or {}).get("type")
    return f"{name}|{kind}|{parent('id')(record)}" if name and kind else None


def data(record: Source) -> list[str]:
    """All data that a query may get; of a record with a routing policy, those of each target."""
    item = record.item or {}
    plain = [text for text in at("rrdatas[]", item) or () if isinstance(text, str)]
    return list(dict.fromkeys((*plain, *_targets(item.get("routingPolicy")))))


def _targets(policy: Any) -> Iterator[str]:
    """The targets of a policy, or of a part of one: by location, by weight, primary and backup, health-checked."""
    if isinstance(policy, list):
        for part in policy:
            yield from _targets(part)
    elif isinstance(policy, Mapping):
        for name, value in policy.items():
            if name in ("rrdatas", "externalEndpoints"):
                yield from (text for text in elements(value) if isinstance(text, str))
            elif name == "ipAddress" and value:
                yield str(value)
            else:
                yield from _targets(value)


class GCPRecordSet(Node, label="GCPRecordSet", labels=("DNSRecord",), tenant="GCPProject"):
    id: str = key(record_id, "<name>|<type>|<zone>")
    name: str = prop("name", index=True)
    type: str = prop("type")
    ttl: int | None = prop("ttl", "Seconds.")
    data: list[str] = prop(data, "All data that a query may get, whatever location, weight or health decides.")
    relationships = (incoming("HAS_RECORD", "GCPDNSZone", parent("id")),)


RECORDS: Final = ResourceType(
    "gcp.dns.records",
    Per.TENANT,
    fetch=listing("dns:managedZones.list", maxResults=500, not_found_codes="notFound").detail(
        "dns:resourceRecordSets.list", managedZone="name", constants={"maxResults": 1000}
    ),
    yields=(GCPRecordSet.each("resourceRecordSets.rrsets[]"),),
    aliases=("dns",),
    tenant_kind=PROJECT,
)
