"""Which addresses are reached over the internet, as IANA's registries say: the data, and how many of a range are.

Python's own `ipaddress.is_global` follows the registries of the day of its release, which differ from one to the next.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = Path(__file__).with_name("address_blocks.json")  # python -m analysis.iam.renew_address_blocks

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Span(NamedTuple):
    """Addresses as numbers, `end` excluded."""

    start: int
    end: int


def reachable(networks: Iterable[Network], version: int) -> int:
    """How many addresses of these ranges, together, are reached over the internet."""
    spans = _merged(_span(network) for network in networks if network.version == version)
    return sum(
        max(0, min(one.end, other.end) - max(one.start, other.start)) for one in spans for other in internet(version)
    )


@cache
def internet(version: int) -> tuple[Span, ...]:
    """What is reached over the internet. Of two blocks, one within the other, the narrower one's word counts."""
    blocks = json.loads(FILE.read_text(encoding="utf-8"))[f"ipv{version}"]
    parsed = [(ipaddress.ip_network(block), reached) for block, reached, _ in blocks]
    found: list[Span] = []
    for network, reached in sorted(parsed, key=lambda pair: pair[0].prefixlen):
        span = _span(network)
        found = [rest for one in found for rest in _without(one, span)] + ([span] if reached else [])
    return tuple(_merged(found))


def _without(one: Span, taken: Span) -> list[Span]:
    sides = (Span(one.start, min(one.end, taken.start)), Span(max(one.start, taken.end), one.end))
    return [side for side in sides if side.start < side.end]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses in order, none twice."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def _span(network: Network) -> Span:
    start = int(network.network_address)
    return Span(start, start + network.num_addresses)
