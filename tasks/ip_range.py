"""Ranges of addresses that rules of any provider name: the same range is one node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from analysis.iam.address_blocks import Network, reachable
from loaders.model import Node, Source, key, prop

# More addresses than a range of this length has, of those that are reached over the internet, limit nobody: 0.0.0.0/1
# and 128.0.0.0/1 are the internet in two halves, 10.0.0.0/7 is one /8 of it. Nobody was given more of IPv6 than a /16.
_WIDEST: Final = {4: 8, 6: 16}


def is_wide(range: str) -> bool:
    """Does a range of addresses (CIDR notation) hold so much of the internet that it limits nobody?"""
    return are_wide([range])


def are_wide(ranges: Iterable[str]) -> bool:
    """Do these ranges, of either family, together hold so much of the internet that they limit nobody?"""
    networks = [network for range in ranges if (network := _network(range))]
    return any(reachable(networks, version) > 2 ** (bits - _WIDEST[version]) for version, bits in ((4, 32), (6, 128)))


def is_reachable(range: str) -> bool:
    """Does a range hold an address that is reached over the internet: is it of more than private networks?"""
    network = _network(range)
    return network is not None and reachable([network], network.version) > 0


def _network(range: str) -> Network | None:
    try:
        return ipaddress.ip_network(range, strict=False)
    except ValueError:
        return None


def wide(range: Source) -> bool:
    return is_wide(range.item["cidr"])


def public(range: Source) -> bool:
    return is_reachable(range.item["cidr"])


class IpRange(Node, label="IpRange", shared=True):
    id: str = key("cidr")
    range: str = prop("cidr", "IPv4 or IPv6, in CIDR notation.")
    wide: bool = prop(
        wide,
        "So much of the internet that it limits nobody: of the addresses that are reached over it more than a /8 has, "
        "of IPv6 more than a /16.",
    )
    public: bool = prop(public, "Some of its addresses are reached over the internet, as IANA's registries say.")
