"""An HTTP proxy that answers from memory after a set latency: the simulated AWS must not be what a benchmark measures.

    python -m benchmarks.peer.proxy --upstream http://127.0.0.1:5000      # prints its own URL, ends when stdin closes

One simulated AWS answers about a hundred calls a second, this more than a thousand. The first call of its kind is
forwarded; what it answers is kept. Its own HTTP interface, besides AWS's:

    /bench/latency   PUT {"seconds": 0.08}: of every call
    /bench/reset     PUT: counters at zero; what is kept stays
    /bench/refresh   PUT: asks again what was asked before, since the estate has changed
    /bench/counters  GET, see `Counters`
    /bench/throttle  PUT a `Throttle`: its buckets are full, and its counters at zero; GET its `Pace`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from benchmarks.peer.api_call import ApiCall, Callers, call_of
from benchmarks.peer.throttle import Throttle, Throttling, throttled_response

HOST: Final = "127.0.0.1"  # an address, not a name: for a name botocore would put the bucket into the host
_CONTROL: Final = "/bench/"
_MAX_UPSTREAM: Final = 8  # calls at a time: the simulator is one process, and more would only wait in it
_NOT_FORWARDED: Final = {"host", "connection", "keep-alive", "content-length", "transfer-encoding", "expect"}
_NOT_RETURNED: Final = {"connection", "keep-alive", "content-length", "transfer-encoding", "date", "server"}


@dataclass(slots=True)
class Counters:
    """Calls since the last reset, and CPU seconds that the proxy itself has used for them."""

    calls: int = 0
    forwarded: int = 0  # to the simulator: what wasn't in memory
    errors: int = 0  # responses of 500 and above, none of which is kept
    in_flight: int = 0
    max_in_flight: int = 0
    cpu_seconds: float = 0.0
    by_service: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A response, and the headers of its request: with them it can be asked for again."""

    status: int
    headers: CIMultiDict[str]
    body: bytes
    asked_with: Mapping[str, str]


class CachingProxy:
    """Answers the calls of any number of accounts. `upstream`: the URL of the simulated AWS; `url`: the proxy's own."""

    def __init__(self, upstream: str, url: str, session: aiohttp.ClientSession) -> None:
        self._upstream, self._url, self._session = upstream, url, session
        self._kept: dict[ApiCall, Kept] = {}
        self._callers = Callers()
        self._counters = Counters()
        self._cpu_at_reset = time.process_time()
        self._throttling: Throttling | None = None
        self.latency_seconds = 0.0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(_CONTROL):
            return await self._control(request)
        body = await request.read()
        call = call_of(request.method, request.raw_path, request.headers, body, self._callers)
        counters = self._counters
        counters.calls += 1
        counters.by_service[call.service] = counters.by_service.get(call.service, 0) + 1
        counters.in_flight += 1
        counters.max_in_flight = max(counters.max_in_flight, counters.in_flight)
        allowed = self._throttling is None or self._throttling.allows(call)
        try:
            if self.latency_seconds:
                await asyncio.sleep(self.latency_seconds)
            if not allowed:
                return throttled_response(call, request.headers)
            response = self._kept.get(call) or await self._forward(call, request.headers)
        finally:
            counters.in_flight -= 1
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    async def _forward(self, call: ApiCall, headers: Mapping[str, str]) -> Kept:
        self._counters.forwarded += 1
        kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_FORWARDED}
        kept["Accept-Encoding"] = "identity"
        url = URL(self._upstream + call.path, encoded=True)
        async with self._session.request(
            call.method, url, data=call.body or None, headers=kept, allow_redirects=False
        ) as reply:
            body = (await reply.read()).replace(self._upstream.encode(), self._url.encode())
            returned = CIMultiDict(
                (name, value.replace(self._upstream, self._url))
                for name, value in reply.headers.items()
                if name.lower() not in _NOT_RETURNED
            )
            response = Kept(reply.status, returned, body, kept)
        self._callers.learn(call, body)
        if response.status >= 500:
            self._counters.errors += 1
        elif call.may_be_kept or response.status == 403:  # what is denied has no effect, and is denied again
            self._kept[call] = response
        return response

    async def _refresh(self) -> int:
        """Returns how many responses it asked for again."""
        asked = [(call, response.asked_with) for call, response in self._kept.items()]
        self._kept.clear()
        await asyncio.gather(*(self._forward(call, headers) for call, headers in asked))
        return len(asked)

    async def _control(self, request: web.BaseRequest) -> web.Response:
        match request.method, request.path.removeprefix(_CONTROL):
            case "PUT", "latency":
                self.latency_seconds = float((await request.json())["seconds"])
            case "PUT", "reset":
                self._counters = Counters()
                self._cpu_at_reset = time.process_time()
            case "PUT", "refresh":
                return web.json_response({"asked": await self._refresh()})
            case "GET", "counters":
                self._counters.cpu_seconds = time.process_time() - self._cpu_at_reset
                return web.json_response(asdict(self._counters))
            case "PUT", "throttle":
                self._throttling = Throttling(Throttle(**await request.json()))
            case "GET", "throttle" if self._throttling:
                return web.json_response(asdict(self._throttling.pace))
            case _:
                return web.json_response({"error": f"no {request.method} {request.path}"}, status=404)
        return web.json_response({})


async def serve(upstream: str, listener: socket.socket) -> None:
    """Serves until it is cancelled. aiohttp sends each response at once: TCP_NODELAY is its default."""
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    connector = aiohttp.TCPConnector(limit=_MAX_UPSTREAM)
    timeout = aiohttp.ClientTimeout(total=None)  # a refresh waits for its turn among thousands
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=timeout) as session:
        proxy = CachingProxy(upstream, url, session)
        server = web.Server(proxy.handle, access_log=None, keepalive_timeout=600)
        loop = asyncio.get_running_loop()
        async with await loop.create_server(server, sock=listener, backlog=1024) as listening:
            print(url, flush=True)
            await listening.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers AWS's calls from memory, after a set latency.")
    parser.add_argument("--upstream", required=True, help="URL of the simulated AWS")
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(serve(parser.parse_args().upstream, socket.create_server((HOST, 0), backlog=1024)))


def _end_with_stdin() -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock would still be held at interpreter exit
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
