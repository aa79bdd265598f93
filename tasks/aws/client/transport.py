"""How the AWS clients of this process connect: all by one store of certificate authorities.

aiobotocore has every client read its own, which is 24 ms of CPU for each account, region and service.
"""

from __future__ import annotations

import functools
import ssl
from typing import Any

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from botocore.httpsession import create_urllib3_context, get_cert_path


class SharedTrust(AIOHTTPSession):
    """A client with a proxy or a certificate of its own connects as the library does by default."""

    _verify: bool | str
    _cert_file: str | None
    _max_pool_connections: int
    _connector_args: dict[str, Any]

    def _create_connector(self, proxy_url: str | None) -> Any:
        if not self._verify or proxy_url or self._cert_file:
            return super()._create_connector(proxy_url)  # type: ignore[misc]  # not in the library's types
        trust = _trust(get_cert_path(self._verify))  # type: ignore[arg-type]  # or a path, as its caller has it
        return aiohttp.TCPConnector(limit=self._max_pool_connections, ssl=trust, **self._connector_args)


@functools.cache
def _trust(authorities: str | None) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    if authorities:
        context.load_verify_locations(authorities)
    return context
