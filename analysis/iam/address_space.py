"""Addresses to try a policy with: one of each set that its conditions tell apart, where anybody may have one.

S3 takes a range for everybody's where it is broader than /8, of IPv6 than /32, and private addresses for nobody's:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html. The same holds here of
what several ranges together hold, or leave.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from analysis.iam import address_blocks
from analysis.iam.address_blocks import Network, Span

# More than these in a row, or in all, are nobody's own: (in a row, in all)
_SOMEBODYS: Final = {4: (2**24, 2**28), 6: (2**96, 2**110)}


@dataclass(frozen=True, slots=True)
class _Interval:
    start: int
    size: int
    within: tuple[bool, ...]
    special: bool


def networks(texts: Iterable[str]) -> list[Network]:
    """The ranges of a condition; what is none is left out."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue
    return found


def anywhere(ranges: Sequence[Sequence[Network]]) -> list[str]:
    """An address of each set that these lists of ranges tell apart."""
    found: dict[tuple[int, tuple[bool, ...]], str] = {}
    for version in (4, 6):
        for interval in _intervals(ranges, version):
            found.setdefault((version, interval.within), _address(version, interval.start))
    return list(found.values())


def on_the_internet(ranges: Sequence[Sequence[Network]]) -> list[str]:
    """The same, of the sets that hold so much of the internet that anybody may have an address there."""
    return [address for version in (4, 6) for address in _wide(ranges, version)]


def _wide(ranges: Sequence[Sequence[Network]], version: int) -> Iterator[str]:
    in_a_row, in_all = _SOMEBODYS[version]
    sizes: defaultdict[tuple[bool, ...], int] = defaultdict(int)
    longest: dict[tuple[bool, ...], int] = {}
    first: dict[tuple[bool, ...], int] = {}
    last, row = None, 0
    for interval in _intervals(ranges, version):
        if interval.special:  # nobody's; what lies on both sides of it is in a row
            continue
        row = row + interval.size if interval.within == last else interval.size
        last = interval.within
        first.setdefault(last, interval.start)
        sizes[last] += interval.size
        longest[last] = max(longest.get(last, 0), row)
    for within, size in sizes.items():
        if longest[within] > in_a_row or size > in_all:
            yield _address(version, first[within])


def _intervals(ranges: Sequence[Sequence[Network]], version: int) -> Iterator[_Interval]:
    """The address space, cut wherever a range begins or ends."""
    lists = [[_span(one) for one in some if one.version == version] for some in ranges]
    lists.append(list(address_blocks.internet(version)))
    changes: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, some in enumerate(lists):
        for start, end in some:
            changes[start].append((number, 1))
            changes[end].append((number, -1))
    depth = [0] * len(lists)
    places = sorted({0, *changes, 2**32 if version == 4 else 2**128})
    for start, end in pairwise(places):
        for number, by in changes[start]:
            depth[number] += by
        within = tuple(one > 0 for one in depth)
        yield _Interval(start, end - start, within[:-1], special=not within[-1])


def _span(network: Network) -> Span:
    return Span(int(network.network_address), int(network.broadcast_address) + 1)


def _address(version: int, number: int) -> str:
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))
