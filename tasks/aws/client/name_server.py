"""Resolves host names, such as the endpoints of search domains, with a given name server or that of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.aws.options import name_server_address

if TYPE_CHECKING:
    import dns.asyncresolver

TIMEOUT_SECONDS: Final = 5.0


class NotResolved(Exception):
    """No server responded. Not the same as a name without addresses."""


async def addresses(name: str, server: str | None) -> list[str]:
    """The IPv4 addresses of a host, sorted; [] if the name doesn't exist. Raises NotResolved.

    server   address of the name server, with the port unless it is 53; None: those configured on this machine
    """
    import dns.exception  # loaded where a name is resolved
    import dns.resolver

    try:
        resolved = await _resolver(server).resolve(name, "A", lifetime=TIMEOUT_SECONDS, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NotResolved(type(error).__name__) from error
    return sorted(record.address for record in resolved.rrset or ())


def _resolver(server: str | None) -> dns.asyncresolver.Resolver:
    import dns.asyncresolver

    if server is None:
        return dns.asyncresolver.Resolver()
    resolver = dns.asyncresolver.Resolver(configure=False)
    address, resolver.port = name_server_address(server)
    resolver.nameservers = [address]
    return resolver
