"""What DNS says, whoever says it: records, the addresses that they lead to, and how host names are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from loaders.model import Node, Source, at, key, prop
from tasks.aws.vocabulary.node import AWSNode

# Before the name of a load balancer: it then answers for IPv6 as well. The console writes it into aliases.
_DUALSTACK: Final = "dualstack."


def host(name: str) -> str:
    """A host name as names are compared: letter case and the dot at the end say nothing."""
    return name.lower().removesuffix(".").removeprefix(_DUALSTACK)


def host_at(path: str) -> Callable[[Source], str | None]:
    """The host name at a path, as names are compared."""

    def found(source: Source) -> str | None:
        name = at(path, source.item)
        return host(name) if name else None

    return found


class AWSDNSRecord(AWSNode, label="AWSDNSRecord", labels=("DNSRecord",)):
    """A record of any origin: of a zone, or as a name server answered."""

    id: str = key("id")
    name: str = prop("name", index=True)
    type: str = prop("type")
    value: str | None = prop("value")


class Ip(Node, label="Ip", shared=True):
    id: str = key("address")
    ip: str = prop("address", "IPv4 or IPv6.", index=True)


def as_ips(addresses: list[str]) -> list[Mapping[str, Any]]:
    """Items of Ip."""
    return [{"address": address} for address in addresses]
