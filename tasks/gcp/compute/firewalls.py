"""Ingress firewall rules of networks, split by protocol and ports, and the tags that they apply to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tasks.gcp.compute import sources
from tasks.gcp.kinds import PROJECT
from tasks.gcp.resource_names import partial_uri, partial_uri_at
from tasks.ip_range import IpRange
from tasks.provider import (
    Node,
    Per,
    ResourceType,
    Source,
    at,
    elements,
    incoming,
    key,
    link,
    listing,
    named,
    outgoing,
    prop,
)

_WITH_PORTS: Final = ("tcp", "udp")  # no ports means all: 0 to 65535


def has_target_service_accounts(firewall: Source) -> bool:
    return bool(firewall.item.get("targetServiceAccounts"))


def target_service_accounts(firewall: Source) -> list[str] | None:
    """In lower case, as for the service account of an instance."""
    found = firewall.item.get("targetServiceAccounts")
    return None if found is None else [account.lower() for account in elements(found) if account]


def tag_id(vpc: str, tag: str) -> str:
    return f"{vpc}/tags/{tag}"


def target_tag_ids(firewall: Source) -> list[str]:
    return [tag["id"] for tag in target_tags(firewall)]


def target_tags(firewall: Source) -> list[Mapping[str, str]]:
    network = firewall.item.get("network")
    vpc = partial_uri(network) if network else ""  # without it the tags are unknown
    return [{"id": tag_id(vpc, tag), "tag": tag, "vpc": vpc} for tag in at("targetTags[]", firewall.item) or () if vpc]


class GCPFirewall(Node, label="GCPFirewall"):
    id: str = key(partial_uri_at("selfLink"), "projects/<project>/global/firewalls/<name>")
    partial_uri: str = prop(partial_uri_at("selfLink"))
    self_link: str = prop("selfLink")
    name: str = prop("name", index=True)
    direction: str = prop("direction", "Always INGRESS: others aren't fetched.")
    disabled: bool | None = prop("disabled", "True: the rule has no effect.")
    priority: int | None = prop("priority", "A lower number takes precedence; for equal numbers, deny does.")
    has_target_service_accounts: bool = prop(has_target_service_accounts)
    target_service_accounts: list[str] | None = prop(
        target_service_accounts, "Applies only to instances that run as one of these."
    )
    destination_ranges: list[str] | None = prop("destinationRanges", "Applies only to traffic to these addresses.")
    relationships = (
        incoming("RESOURCE", "GCPVpc", partial_uri_at("network")),
        outgoing("TARGET_TAG", "GCPNetworkTag", target_tag_ids),
    )


class GCPNetworkTag(Node, label="GCPNetworkTag", shared=True):
    """A tag in a network. The same text in another network is a different tag."""

    id: str = key("id", "<network>/tags/<tag>")
    tag_id: str = prop("id")
    value: str = prop("tag", index=True)
    vpc_partial_uri: str = prop("vpc")
    relationships = (link("DEFINED_IN", "GCPVpc", on={"vpc_partial_uri": "id"}),)


def rules(kind: str) -> Callable[[Source], Iterator[Mapping[str, Any]]]:
    """A rule per protocol and port range of a firewall with source ranges."""

    @named(f"rules({kind!r})")
    def found(firewall: Source) -> Iterator[Mapping[str, Any]]:
        ranges = [text for text in at("sourceRanges[]", firewall.item) or () if text]
        held = sources.from_internet if kind == "allow" else sources.denied
        spans = {version: held(ranges, version) for version in (4, 6)}
        for rule in elements(firewall.item.get("allowed" if kind == "allow" else "denied")) if ranges else ():
            for text, first, last in _ports(rule or {}):
                protocol, own = (rule or {}).get("IPProtocol"), partial_uri(firewall.item["selfLink"])
                yield {
                    "id": f"{own}/{kind}/{text}{protocol}" if protocol and text is not None else None,
                    "protocol": protocol,
                    "first": first,
                    "last": last,
                    "ranges": ranges,
                    "spans": spans,
                    "firewall": own,
                    "kind": kind,
                }

    return found


def spans(version: int, end: int) -> Callable[[Source], list[int]]:
    """The first number of each range, or the one after its last."""

    @named(f"spans({version}, {end})")
    def numbers(rule: Source) -> list[int]:
        return [span[end] for span in rule.item["spans"][version]]

    return numbers


def _ports(rule: Mapping[str, Any]) -> Iterator[tuple[str | None, int | None, int | None]]:
    """(text for the id, first, last). No numbers for a protocol without ports; no text if the ports are unreadable."""
    if not rule.get("ports"):
        yield ("0to65535", 0, 65535) if rule.get("IPProtocol") in _WITH_PORTS else ("", None, None)
        return
    for ports in rule["ports"]:
        first, dash, last = str(ports).partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            yield None, None, None
        else:
            yield (f"{first}to{last}", int(first), int(last)) if dash else (first, int(first), int(first))


def allows(rule: Source) -> str | None:
    return rule.item["firewall"] if rule.item["kind"] == "allow" else None


def denies(rule: Source) -> str | None:
    return rule.item["firewall"] if rule.item["kind"] == "deny" else None


class GCPIpRule(Node, label="GCPIpRule", labels=("IpRule", "IpPermissionInbound")):
    id: str = key("id")
    ruleid: str = prop("id")
    protocol: str = prop("protocol", "tcp, udp, icmp, a number, or all.")
    fromport: int | None = prop("first", "None: a protocol without ports, or all of them.")
    toport: int | None = prop("last")
    ipv4_first: list[int] = prop(
        spans(4, 0), "Source ranges as numbers. Of a rule that allows: only addresses of the internet."
    )
    ipv4_after: list[int] = prop(spans(4, 1), "The number after the last of each range.")
    ipv6_first: list[int] = prop(spans(6, 0), "Of IPv6, the first 48 bits.")
    ipv6_after: list[int] = prop(spans(6, 1))
    relationships = (
        incoming("MEMBER_OF_IP_RULE", "IpRange", "ranges"),
        outgoing("ALLOWED_BY", "GCPFirewall", allows),
        outgoing("DENIED_BY", "GCPFirewall", denies),
    )


def ranges(firewall: Source) -> list[Mapping[str, str]]:
    return [{"cidr": cidr} for cidr in at("sourceRanges[]", firewall.item) or () if cidr]


FIREWALLS: Final = ResourceType(
    "gcp.compute.firewalls",
    Per.TENANT,
    fetch=listing("compute:firewalls.list", filter='direction="INGRESS"', maxResults=500),
    yields=(
        GCPFirewall,
        GCPNetworkTag.each(target_tags),
        GCPIpRule.each(rules("allow")),
        GCPIpRule.each(rules("deny")),
        IpRange.each(ranges),
    ),
    aliases=("compute",),
    tenant_kind=PROJECT,
)
