"""Renews address_blocks.json from IANA's registries: `python -m analysis.iam.renew_address_blocks`."""

from __future__ import annotations

import csv
import ipaddress
import itertools
import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from analysis.iam.address_blocks import FILE

_IANA: Final = "https://www.iana.org/assignments"
SPACE_V4: Final = f"{_IANA}/ipv4-address-space/ipv4-address-space.csv"
SPACE_V6: Final = f"{_IANA}/ipv6-address-space/ipv6-address-space-1.csv"
SPECIAL_V4: Final = f"{_IANA}/iana-ipv4-special-registry/iana-ipv4-special-registry-1.csv"
SPECIAL_V6: Final = f"{_IANA}/iana-ipv6-special-registry/iana-ipv6-special-registry-1.csv"
SOURCES: Final = (SPACE_V4, SPACE_V6, SPECIAL_V4, SPECIAL_V6)

_FOOTNOTE: Final = re.compile(r"\s*\[\d+\]")

Row = tuple[str, bool, str]  # block, whether it is globally reachable, IANA's name for it


def document(registries: Mapping[str, str], retrieved: str) -> dict[str, Any]:
    """The file's content. `registries`: the text of each by its URL."""
    return {
        "sources": list(SOURCES),
        "retrieved": retrieved,
        "renew": "python -m analysis.iam.renew_address_blocks",
        "ipv4": [*_space_v4(registries[SPACE_V4]), *_special(registries[SPECIAL_V4])],
        "ipv6": [*_space_v6(registries[SPACE_V6]), *_special(registries[SPECIAL_V6])],
    }


def _space_v4(text: str) -> Iterator[Row]:
    """All of it except multicast, which the special-purpose registry doesn't list."""
    yield "0.0.0.0/0", True, "IPv4"
    multicast = [_slash_8(row["Prefix"]) for row in _rows(text) if "multicast" in row["Designation"].lower()]
    if not multicast:
        raise ValueError(f"{SPACE_V4} has no multicast block: its format has changed")
    yield from ((str(block), False, "Multicast") for block in ipaddress.collapse_addresses(multicast))


def _slash_8(prefix: str) -> ipaddress.IPv4Network:
    """`224/8`, as the registry writes it."""
    return ipaddress.IPv4Network(f"{int(prefix.partition('/')[0])}.0.0.0/8")


def _space_v6(text: str) -> Iterator[Row]:
    """Only global unicast: the rest is reserved or not unicast."""
    yield "::/0", False, "Reserved by IETF"
    unicast = [row["IPv6 Prefix"] for row in _rows(text) if row["Allocation"] == "Global Unicast"]
    if not unicast:
        raise ValueError(f"{SPACE_V6} has no global unicast block: its format has changed")
    yield from ((block, True, "Global Unicast") for block in unicast)


def _special(text: str) -> Iterator[Row]:
    """Any other value than "True" counts as not reachable, such as that of a block whose assignment has ended."""
    for row in _rows(text):
        for block in _FOOTNOTE.sub("", row["Address Block"]).split(","):
            reachable = _FOOTNOTE.sub("", row["Globally Reachable"]) == "True"
            yield str(ipaddress.ip_network(block.strip())), reachable, row["Name"].strip('"')


def _rows(text: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(text.splitlines())


def main() -> None:
    registries = {}
    for source in SOURCES:
        with urllib.request.urlopen(source, timeout=60) as response:  # noqa: S310  # https, see above
            registries[source] = response.read().decode()
    content = document(registries, datetime.now(UTC).date().isoformat())
    FILE.write_text(text_of(content))


def text_of(content: Mapping[str, Any]) -> str:
    """One block per line, so that a diff shows what changed."""
    head = [f"  {json.dumps(name)}: {json.dumps(content[name])}" for name in ("sources", "retrieved", "renew")]
    tables = [
        f"  {json.dumps(name)}: [\n" + ",\n".join(f"    {json.dumps(row)}" for row in content[name]) + "\n  ]"
        for name in ("ipv4", "ipv6")
    ]
    return "{\n" + ",\n".join(itertools.chain(head, tables)) + "\n}\n"


if __name__ == "__main__":
    main()
