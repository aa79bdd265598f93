"""Address ranges as numbers, so that queries can subtract the ranges of other rules.

For IPv4 a number is an address. For IPv6 it is the first 48 bits of one, because integers in the graph have 64 bits: a
narrower range counts as nothing where it denies, and as all of its 48 bits where it allows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from analysis.iam import address_blocks

Span = tuple[int, int]  # the first number, and the one after the last
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SHIFT: Final = {4: 0, 6: 80}


def denied(ranges: Iterable[str], version: int) -> list[Span]:
    """What ranges of an address family certainly cover."""
    return _merged(_span(network, whole=False) for network in _of(ranges, version))


def from_internet(ranges: Iterable[str], version: int) -> list[Span]:
    """What ranges of an address family cover of the addresses of the internet."""
    held = _merged(_span(network, whole=True) for network in _of(ranges, version))
    unit = 1 << _SHIFT[version]
    reached = _merged((start // unit, -(-end // unit)) for start, end in address_blocks.internet(version))
    return _common(held, reached)


def _of(ranges: Iterable[str], version: int) -> Iterable[Network]:
    for text in ranges:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue  # Google accepts no such range: it covers nothing
        if network.version == version:
            yield network


def _span(network: Network, *, whole: bool) -> Span:
    shift = _SHIFT[network.version]
    first, after = int(network.network_address), int(network.broadcast_address) + 1
    unit = 1 << shift
    return (first // unit, -(-after // unit)) if whole else (-(-first // unit), after // unit)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for first, after in sorted(span for span in spans if span[0] < span[1]):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(after, merged[-1][1]))
        else:
            merged.append((first, after))
    return merged


def _common(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    return _merged((max(a, c), min(b, d)) for a, b in some for c, d in others)
