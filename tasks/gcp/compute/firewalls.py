"""Firewall rules of networks for what comes in, as rules by protocol and ports, and the tags that they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from loaders.model import Node, Source, incoming, key, link, outgoing, prop
from tasks.gcp.api import PROJECT
from tasks.gcp.resource_names import partial_uri, partial_uri_at
from tasks.ip_range import IpRange
from tasks.listing import listing
from tasks.resource import Per, ResourceType

_WITH_PORTS: Final = ("tcp", "udp")  # without any they mean all: 0 to 65535


def has_target_service_accounts(firewall: Source) -> bool:
    return bool(firewall.item.get("targetServiceAccounts"))


def tag_id(vpc: str, tag: str) -> str:
    return f"{vpc}/tags/{tag}"


def target_tag_ids(firewall: Source) -> list[str]:
    return [tag["id"] for tag in target_tags(firewall)]


def target_tags(firewall: Source) -> list[Mapping[str, str]]:
    vpc = partial_uri(firewall.item["network"])
    return [{"id": tag_id(vpc, tag), "tag": tag, "vpc": vpc} for tag in firewall.item.get("targetTags") or ()]


class GCPFirewall(Node, label="GCPFirewall"):
    id: str = key(partial_uri_at("selfLink"), "projects/<project>/global/firewalls/<name>")
    partial_uri: str = prop(partial_uri_at("selfLink"))
    self_link: str = prop("selfLink")
    name: str = prop("name", index=True)
    direction: str = prop("direction", "INGRESS: others aren't fetched.")
    disabled: bool | None = prop("disabled", "It is there, and does nothing.")
    priority: int | None = prop("priority", "The lower comes first; of equal ones, deny does.")
    has_target_service_accounts: bool = prop(has_target_service_accounts)
    target_service_accounts: list[str] | None = prop("targetServiceAccounts", "Only machines that run as one of these.")
    relationships = (
        incoming("RESOURCE", "GCPVpc", partial_uri_at("network")),
        outgoing("TARGET_TAG", "GCPNetworkTag", target_tag_ids),
    )


class GCPNetworkTag(Node, label="GCPNetworkTag", shared=True):
    """A tag in a network: the same text in another network is another tag."""

    id: str = key("id", "<network>/tags/<tag>")
    tag_id: str = prop("id")
    value: str = prop("tag", index=True)
    vpc_partial_uri: str = prop("vpc")
    relationships = (link("DEFINED_IN", "GCPVpc", on={"vpc_partial_uri": "id"}),)


def rules(kind: str) -> Callable[[Source], Iterator[Mapping[str, Any]]]:
    """A rule per protocol and range of ports, of a firewall that says where from."""

    def found(firewall: Source) -> Iterator[Mapping[str, Any]]:
        ranges = firewall.item.get("sourceRanges") or ()
        for rule in firewall.item.get("allowed" if kind == "allow" else "denied") or () if ranges else ():
            for text, first, last in _ports(rule):
                yield {
                    "id": f"{partial_uri(firewall.item['selfLink'])}/{kind}/{text}{rule['IPProtocol']}",
                    "protocol": rule["IPProtocol"],
                    "first": first,
                    "last": last,
                    "ranges": ranges,
                    "firewall": partial_uri(firewall.item["selfLink"]),
                    "kind": kind,
                }

    found.__name__ = f"rules({kind!r})"
    return found


def _ports(rule: Mapping[str, Any]) -> Iterator[tuple[str, int | None, int | None]]:
    """(as the id has it, first, last); neither for a protocol without ports."""
    if not rule.get("ports"):
        yield ("0to65535", 0, 65535) if rule["IPProtocol"] in _WITH_PORTS else ("", None, None)
        return
    for ports in rule["ports"]:
        first, _, last = ports.partition("-")
        yield (f"{first}to{last}", int(first), int(last)) if last else (first, int(first), int(first))


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
    relationships = (
        incoming("MEMBER_OF_IP_RULE", "IpRange", "ranges"),
        outgoing("ALLOWED_BY", "GCPFirewall", allows),
        outgoing("DENIED_BY", "GCPFirewall", denies),
    )


def ranges(firewall: Source) -> list[Mapping[str, str]]:
    return [{"cidr": cidr} for cidr in firewall.item.get("sourceRanges") or ()]


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
    also=("compute",),
    of=PROJECT,
)
