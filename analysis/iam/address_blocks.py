"""Which addresses are globally reachable, by IANA's registries, and how many of a range are.

Python's `ipaddress.is_global` uses the registries of its release date, so that it differs between Python versions.
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
    """How many addresses of these ranges, together, are globally reachable."""
    spans = _merged(span_of(network) for network in networks if network.version == version)
    return sum(
        max(0, min(span.end, block.end) - max(span.start, block.start)) for span in spans for block in internet(version)
    )


@cache
def internet(version: int) -> tuple[Span, ...]:
    """The globally reachable addresses. Where a block lies within another, the narrower one counts."""
    blocks: list[tuple[str, bool, str]] = json.loads(FILE.read_text(encoding="utf-8"))[f"ipv{version}"]
    parsed = [(ipaddress.ip_network(block), reachable) for block, reachable, _ in blocks]
    spans: list[Span] = []
    for network, is_reachable in sorted(parsed, key=lambda pair: pair[0].prefixlen):
        block = span_of(network)
        spans = [rest for span in spans for rest in _without(span, block)] + ([block] if is_reachable else [])
    return tuple(_merged(spans))


def _without(span: Span, block: Span) -> list[Span]:
    sides = (Span(span.start, min(span.end, block.start)), Span(max(span.start, block.end), span.end))
    return [side for side in sides if side.start < side.end]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses in order, without overlaps."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def span_of(network: Network) -> Span:
    start = int(network.network_address)
    return Span(start, start + network.num_addresses)
