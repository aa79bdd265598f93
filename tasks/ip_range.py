"""Address ranges of the rules of all providers: the same range is one node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from analysis.iam.address_blocks import Network, reachable
from loaders.model import Node, Source, key, prop

# A range limits nobody if it has more public addresses than a prefix of this length: 0.0.0.0/1 and 128.0.0.0/1 are the
# halves of the internet, 10.0.0.0/7 has one public /8. The largest allocation of IPv6 is a /16.
_WIDEST: Final = {4: 8, 6: 16}


def is_wide(range: str) -> bool:
    """Whether a range (CIDR notation) covers so much of the internet that it limits nobody."""
    return are_wide([range])


def are_wide(ranges: Iterable[str]) -> bool:
    """Whether these ranges together, of IPv4 or IPv6, cover so much of the internet that they limit nobody."""
    networks = [network for range in ranges if (network := _network(range))]
    return any(reachable(networks, version) > 2 ** (bits - _WIDEST[version]) for version, bits in ((4, 32), (6, 128)))


def is_reachable(range: str) -> bool:
    """Whether a range has a public address: whether it is more than private networks."""
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
        "Whether it limits nobody: it has more public addresses than a /8, or for IPv6 than a /16.",
    )
    public: bool = prop(public, "Whether some of its addresses are public, by IANA's registries.")
