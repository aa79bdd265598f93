"""Ranges of addresses that rules of any provider name: the same range is one node."""

from __future__ import annotations

import ipaddress
from typing import Final

from loaders.model import Node, Source, key, prop

# A range as wide as these is nobody's own: 0.0.0.0/1 and 128.0.0.0/1 are the internet in two halves.
_WIDEST: Final = {4: 8, 6: 16}


def is_wide(range: str) -> bool:
    """Does a range of addresses (CIDR notation) hold so much of the internet that it limits nobody?"""
    try:
        network = ipaddress.ip_network(range, strict=False)
    except ValueError:
        return False
    return network.prefixlen < _WIDEST[network.version]


def wide(range: Source) -> bool:
    return is_wide(range.item["cidr"])


class IpRange(Node, label="IpRange", shared=True):
    id: str = key("cidr")
    range: str = prop("cidr", "IPv4 or IPv6, in CIDR notation.")
    wide: bool = prop(wide, "So much of the internet that it limits nobody: wider than /8, of IPv6 than /16.")
