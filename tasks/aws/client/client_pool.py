"""The pool of AWS clients of this process: created once, shared by its scopes and accounts, limited in number.

A client takes 1.3 MB, and 20 ms of CPU time to create: there is one for a region and service, not for each account.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiobotocore.config import AioConfig

from loaders.masking import keep_secret
from tasks.aws.client import credentials
from tasks.aws.client.parsing import prepare_body

MAX_CLIENTS: Final = 64  # beyond those in use
_ACCOUNT_IN_ADDRESS: Final = re.compile(r"^(https?://)\d{12}\.(?=\d+(\.\d+){3}[:/])")


class Key(NamedTuple):
    """Identifies a client. `profile`: of which it has its configuration; its credentials are those of the call."""

    profile: str | None
    region: str
    service: str


@dataclass(slots=True, eq=False)
class _Client:
    opened: asyncio.Future[Any]
    users: int = 0


class Clients:
    """Clients by key, least recently used first."""

    def __init__(self, *, max_unused: int = MAX_CLIENTS) -> None:
        self._max = max_unused
        self._by_key: dict[Key, _Client] = {}

    def __len__(self) -> int:
        """The number of open clients."""
        return len(self._by_key)

    @asynccontextmanager
    async def use(self, access: Mapping[str, str], region: str, service: str, config: AioConfig) -> AsyncIterator[Any]:
        """A client, which is not closed before the block ends. Its calls are signed with this access's credentials."""
        key = Key(access.get("profile"), region, service)
        client = self._by_key.pop(key, None)
        if client is None:  # a future, so that concurrent users create it once
            client = _Client(asyncio.ensure_future(_open(key, config)))
        self._by_key[key] = client  # most recently used
        client.users += 1
        try:
            opened = await asyncio.shield(client.opened)
            with credentials.signing_for(access):
                yield opened
        finally:
            client.users -= 1
            if _failed(client.opened) and self._by_key.get(key) is client:
                del self._by_key[key]
            await asyncio.gather(*(_close(oldest) for oldest in self._take_oldest()))

    async def close(self) -> None:
        """Close every client, in use or not."""
        clients = [*self._by_key.values()]
        self._by_key.clear()
        await asyncio.gather(*(_close(client) for client in clients))

    def _take_oldest(self) -> list[_Client]:
        """Those unused that are too many: no longer handed out."""
        unused = [(key, client) for key, client in self._by_key.items() if not client.users]
        oldest = unused[: max(0, len(self._by_key) - self._max)]
        for key, _ in oldest:
            del self._by_key[key]
        return [client for _, client in oldest]


async def _open(key: Key, config: AioConfig) -> Any:
    session = credentials.session(key.profile)
    client = await session.client(key.service, region_name=key.region, config=config).__aenter__()
    client.meta.events.register("before-sign.s3-control", _without_account_in_address)
    client.meta.events.register("before-parse", prepare_body)
    client.meta.events.register("before-send", _remember_token)
    return client


def _without_account_in_address(request: Any, **_: Any) -> None:
    """S3 Control prefixes host names with the account: `<account>.s3-control...`. In front of an IP address
    (AWS_ENDPOINT_URL) that is not a valid host. The account is in a header as well.
    """
    request.url = _ACCOUNT_IN_ADDRESS.sub(r"\1", request.url)


def _remember_token(request: Any, **_: Any) -> None:
    """The session token that a request is sent with: the server may repeat it."""
    token = request.headers.get("X-Amz-Security-Token")
    keep_secret(token.decode() if isinstance(token, bytes) else token)


def _failed(opened: asyncio.Future[Any]) -> bool:
    return opened.done() and (opened.cancelled() or opened.exception() is not None)


async def _close(client: _Client) -> None:
    if not _failed(client.opened):
        await (await client.opened).close()
