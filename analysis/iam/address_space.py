"""Addresses to try a policy with: one of each set that its conditions distinguish, if anybody may have one of the set.

For S3 a range is public if it is wider than /8 (IPv6: /32), and private addresses never are:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html. The same applies here to
what several ranges together include or exclude.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from analysis.iam import address_blocks
from analysis.iam.address_blocks import Network, span_of

# More addresses than these don't belong to one owner: (consecutive, in total)
_MAX_OWNED: Final = {4: (2**24, 2**28), 6: (2**96, 2**110)}


@dataclass(frozen=True, slots=True)
class _Interval:
    start: int
    size: int
    within: tuple[bool, ...]
    special: bool


def networks(texts: Iterable[str]) -> list[Network]:
    """The ranges of a condition, without invalid ones."""
    valid: list[Network] = []
    for text in texts:
        try:
            valid.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue
    return valid


def anywhere(ranges: Sequence[Sequence[Network]]) -> list[str]:
    """An address of each set that these lists of ranges distinguish."""
    addresses: dict[tuple[int, tuple[bool, ...]], str] = {}
    for version in (4, 6):
        for interval in _intervals(ranges, version):
            addresses.setdefault((version, interval.within), _address(version, interval.start))
    return list(addresses.values())


def on_the_internet(ranges: Sequence[Sequence[Network]]) -> list[str]:
    """The same, for sets that include so much of the internet that anybody may have such an address."""
    return [address for version in (4, 6) for address in _wide(ranges, version)]


def _wide(ranges: Sequence[Sequence[Network]], version: int) -> Iterator[str]:
    in_a_row, in_all = _MAX_OWNED[version]
    sizes: defaultdict[tuple[bool, ...], int] = defaultdict(int)
    longest: dict[tuple[bool, ...], int] = {}
    first: dict[tuple[bool, ...], int] = {}
    last, row = None, 0
    for interval in _intervals(ranges, version):
        if interval.special:  # not reachable; the addresses on both sides of it count as consecutive
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
    """The address space, divided wherever a range begins or ends."""
    lists = [[span_of(network) for network in networks if network.version == version] for networks in ranges]
    lists.append(list(address_blocks.internet(version)))
    changes: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, spans in enumerate(lists):
        for start, end in spans:
            changes[start].append((number, 1))
            changes[end].append((number, -1))
    depth = [0] * len(lists)
    places = sorted({0, *changes, 2**32 if version == 4 else 2**128})
    for start, end in pairwise(places):
        for number, change in changes[start]:
            depth[number] += change
        within = tuple(level > 0 for level in depth)
        yield _Interval(start, end - start, within[:-1], special=not within[-1])


def _address(version: int, number: int) -> str:
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))
