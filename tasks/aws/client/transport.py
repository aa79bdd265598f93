"""How the AWS clients of this process connect, and how much they read.

All trust one store of certificate authorities: aiobotocore has every client read its own, which is 24 ms of CPU for
each account, region and service. No response is read beyond the process's limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from typing import Any, Final

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import HTTPClientError
from botocore.httpsession import create_urllib3_context, get_cert_path

from tasks.clients.response_limits import ResponseLimitExceeded, response_limits, too_large, too_slow

_CHUNK: Final = 65_536  # bytes


class SharedTrust(AIOHTTPSession):
    """A client with a proxy or a certificate of its own connects as the library does by default."""

    _verify: bool | str
    _cert_file: str | None
    _max_pool_connections: int
    _connector_args: dict[str, Any]
    _timeout: aiohttp.ClientTimeout
    _exit_stack: contextlib.AsyncExitStack
    _sessions: dict[str | None, aiohttp.ClientSession]

    async def send(self, request: Any) -> Any:
        """Raises ResponseLimitExceeded besides what the library raises."""
        try:
            async with asyncio.timeout(response_limits().max_seconds):
                return await super().send(request)
        except TimeoutError:
            raise too_slow() from None
        except HTTPClientError as error:
            cause = error.kwargs.get("error")
            if isinstance(cause, ResponseLimitExceeded):
                raise cause from None
            raise

    async def _get_session(self, proxy_url: str | None) -> aiohttp.ClientSession:
        if proxy_url not in self._sessions:
            session = aiohttp.ClientSession(
                connector=self._create_connector(proxy_url),
                timeout=self._timeout,
                skip_auto_headers={"Content-Type"},
                auto_decompress=False,  # it asks for no compression, and what is compressed all the same isn't read
                response_class=_BoundedResponse,
            )
            self._sessions[proxy_url] = await self._exit_stack.enter_async_context(session)
        return self._sessions[proxy_url]

    def _create_connector(self, proxy_url: str | None) -> Any:
        if not self._verify or proxy_url or self._cert_file:
            return super()._create_connector(proxy_url)  # type: ignore[misc]  # not in the library's types
        trust = _trust(get_cert_path(self._verify))  # type: ignore[arg-type]  # or a path, as its caller has it
        return aiohttp.TCPConnector(limit=self._max_pool_connections, ssl=trust, **self._connector_args)


class _BoundedResponse(aiohttp.ClientResponse):
    """Stops to read where there is more than the process's limit."""

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await self._read_bounded()
            except BaseException:  # as the library does: a connection that isn't closed keeps its place in the pool
                self.close()
                raise
        return self._body

    async def _read_bounded(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > response_limits().max_bytes:
                raise too_large()
            chunks.append(chunk)
        return b"".join(chunks)


@functools.cache
def _trust(authorities: str | None) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    if authorities:
        context.load_verify_locations(authorities)
    return context
