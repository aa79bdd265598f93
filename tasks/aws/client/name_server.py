"""Resolves host names, such as the endpoints of search domains, with a given name server or that of the machine."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.resolver

NOBODY: Final = "none"  # the value of the setting that disables resolving
TIMEOUT_SECONDS: Final = 5.0
_SERVER: Final = re.compile(r"\[(?P<v6>[^\]]+)\](:(?P<v6_port>\d+))?|(?P<v4>[^:]+)(:(?P<v4_port>\d+))?|(?P<bare>.+)")


class NotResolved(Exception):
    """No server gave a usable response. Not the same as a name without addresses."""


async def addresses(name: str, server: str | None) -> list[str]:
    """The IPv4 addresses of a host, sorted; [] if the name doesn't exist. Raises NotResolved.

    server   address of the name server, with the port unless it is 53; None: those configured on this machine
    """
    try:
        response = await _resolver(server).resolve(name, "A", lifetime=TIMEOUT_SECONDS, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NotResolved(type(error).__name__) from error
    return sorted(record.address for record in response.rrset or ())


def check(value: str) -> str | None:
    """What is wrong with the setting, or None."""
    if value == NOBODY:
        return None
    try:
        _place(value)
    except ValueError:
        return f"must be the address of a name server (10.0.0.2, 10.0.0.2:5353, [fd00::2]:5353), or {NOBODY}"
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
    parts = _SERVER.fullmatch(server)
    if not parts:
        raise ValueError(server)
    address = parts["v6"] or parts["v4"] or parts["bare"]
    port = int(parts["v6_port"] or parts["v4_port"] or 53)
    if not 0 < port < 2**16:
        raise ValueError(server)
    return str(ipaddress.ip_address(address)), port
