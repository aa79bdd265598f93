"""Asks a name server for the addresses of a host, as a worker does for the names that AWS gives to search domains."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.resolver

NOBODY: Final = "none"  # the setting that asks no name server at all
LONGEST_SECONDS: Final = 5.0
_SERVER: Final = re.compile(r"\[(?P<v6>[^\]]+)\](:(?P<v6_port>\d+))?|(?P<v4>[^:]+)(:(?P<v4_port>\d+))?|(?P<bare>.+)")


class NotResolved(Exception):
    """No server said what the addresses are: not the same as that there are none."""


async def addresses(name: str, server: str | None) -> list[str]:
    """The IPv4 addresses of a host, sorted; none where the name doesn't exist. Raises NotResolved.

    server   address of the name server, with a port where it isn't 53; None: those of this machine
    """
    try:
        found = await _resolver(server).resolve(name, "A", lifetime=LONGEST_SECONDS, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NotResolved(type(error).__name__) from error
    return sorted(record.address for record in found.rrset or ())


def check(value: Any) -> str | None:
    """What is wrong with the setting, or None."""
    if value == NOBODY:
        return None
    try:
        _place(value)
    except ValueError:
        return f"is the address of a name server (10.0.0.2, 10.0.0.2:5353, [fd00::2]:5353), or {NOBODY}"
    return None


def _resolver(server: str | None) -> dns.asyncresolver.Resolver:
    if server is None:
        return dns.asyncresolver.Resolver()
    resolver = dns.asyncresolver.Resolver(configure=False)
    address, resolver.port = _place(server)
    resolver.nameservers = [address]
    return resolver


def _place(server: str) -> tuple[str, int]:
    """Address and port. Raises ValueError."""
    found = _SERVER.fullmatch(server)
    if not found:
        raise ValueError(server)
    address = found["v6"] or found["v4"] or found["bare"]
    port = int(found["v6_port"] or found["v4_port"] or 53)
    if not 0 < port < 2**16:
        raise ValueError(server)
    return str(ipaddress.ip_address(address)), port
