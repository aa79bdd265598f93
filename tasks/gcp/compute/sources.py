"""Ranges of addresses as numbers, so that a query can tell what of them other rules leave over.

Of IPv4 a number is an address. Of IPv6 it is the first 48 bits of one, as a number of the graph has no more than 64: a
range that is narrower counts as nothing where it denies, and as all of its 48 bits where it allows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

Span = tuple[int, int]  # the first number, and the one after the last
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SHIFT: Final = {4: 0, 6: 80}
# https://www.iana.org/assignments/iana-ipv4-special-registry (2025-10-09): what isn't globally reachable, multicast
# (RFC 5771), and what is reserved (RFC 1112).
_NOT_GLOBAL_4: Final = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4"),
)
# https://www.iana.org/assignments/ipv6-unicast-address-assignments: addresses are given out of this one, but for what
# https://www.iana.org/assignments/iana-ipv6-special-registry (2025-10-09) says isn't globally reachable.
_GLOBAL_6: Final = "2000::/3"
_NOT_GLOBAL_6: Final = ("2001:db8::/32", "2002::/16", "3fff::/20")


def denied(ranges: Iterable[str], version: int) -> list[Span]:
    """What of a family ranges hold for certain."""
    return _merged(_span(network, whole=False) for network in _of(ranges, version))


def from_internet(ranges: Iterable[str], version: int) -> list[Span]:
    """What of a family ranges hold of the addresses that the internet has."""
    held = _merged(_span(network, whole=True) for network in _of(ranges, version))
    outside = _NOT_GLOBAL_4 if version == 4 else _NOT_GLOBAL_6
    world = "0.0.0.0/0" if version == 4 else _GLOBAL_6
    return _without(_common(held, from_ranges([world])), from_ranges(outside))


def from_ranges(ranges: Sequence[str]) -> list[Span]:
    return _merged(_span(ipaddress.ip_network(one), whole=True) for one in ranges)


def _of(ranges: Iterable[str], version: int) -> Iterable[Network]:
    for text in ranges:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue  # no range that Google takes: it holds nothing
        if network.version == version:
            yield network


def _span(network: Network, *, whole: bool) -> Span:
    shift = _SHIFT[network.version]
    first, after = int(network.network_address), int(network.broadcast_address) + 1
    unit = 1 << shift
    return (first // unit, -(-after // unit)) if whole else (-(-first // unit), after // unit)


def _merged(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for first, after in sorted(span for span in spans if span[0] < span[1]):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(after, found[-1][1]))
        else:
            found.append((first, after))
    return found


def _common(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    return _merged((max(a, c), min(b, d)) for a, b in some for c, d in others)


def _without(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    left = list(some)
    for first, after in others:
        left = [part for a, b in left for part in ((a, min(b, first)), (max(a, after), b)) if part[0] < part[1]]
    return left
