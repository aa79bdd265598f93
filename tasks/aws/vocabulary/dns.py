"""DNS records, the addresses they resolve to, and host names in the form in which they are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from loaders.model import Node, Source, at, key, prop
from tasks.aws.vocabulary.node import AWSNode

# Prefix of a load balancer's name that also resolves to IPv6. The console writes it into alias records.
_DUALSTACK: Final = "dualstack."


def host(name: str) -> str:
    """A host name for comparison: in lower case, without the trailing dot."""
    return name.lower().removesuffix(".").removeprefix(_DUALSTACK)


def host_at(path: str) -> Callable[[Source], str | None]:
    """The host name at a path, in the form for comparison."""

    def host_name(source: Source) -> str | None:
        name: str | None = at(path, source.item)
        return host(name) if name else None

    return host_name


class AWSDNSRecord(AWSNode, label="AWSDNSRecord", labels=("DNSRecord",)):
    """A record from any source: a hosted zone, or the response of a name server."""

    id: str = key("id")
    name: str = prop("name", index=True)
    type: str = prop("type")
    value: str | None = prop("value")


class Ip(Node, label="Ip", shared=True):
    id: str = key("address")
    ip: str = prop("address", "IPv4 or IPv6.", index=True)


def as_ips(addresses: list[str]) -> list[Mapping[str, str]]:
    """Addresses as items of Ip."""
    return [{"address": address} for address in addresses]
