"""An HTTP proxy before a provider's API. It forwards calls, and does to them what the faults say that are on."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from tests.servers.token_bucket import TokenBucket
from tests.soak.schedule import Fault, Kind

HOST = "127.0.0.1"
HANG_SECONDS = 7  # longer than the lease; then the connection ends without a response
BUCKET_SIZE, BUCKET_PER_SECOND = 4.0, 3.0
_HOP_BY_HOP = {"transfer-encoding", "connection", "keep-alive", "content-length", "date", "server"}
_GARBAGE = (b"<html><body>Welcome to the hotel's Wi-Fi</body></html>", b"null", b"[]", b"{}", b"", b"\xff\xfe\x00\x01")


@dataclass(frozen=True, slots=True)
class Request:
    """`name`: of the call, the same for all calls of its kind, e.g. ec2:DescribeSubnets:us-east-1."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Name = Callable[[Request], str]
Refuse = Callable[[Kind, Request], Response]  # how this provider throttles, denies, fails, or rejects credentials


class _Cut(Exception):
    """The connection ends here."""


def _full_bucket() -> TokenBucket:
    """For all calls of the provider."""
    return TokenBucket(BUCKET_SIZE, filled=time.monotonic())


class FaultProxy:
    """`delay_seconds`: of every call, so that a run lasts long enough for something to happen to it."""

    def __init__(self, upstream: str, name: Name, refuse: Refuse, *, delay_seconds: float) -> None:
        self._upstream = urlsplit(upstream)
        self._upstream_url = upstream.encode()
        self._name, self._refuse = name, refuse
        self.delay_seconds = delay_seconds
        self.hits: Counter[Kind] = Counter()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._bucket = _full_bucket()
        self._seen: dict[str, Response] = {}  # the last good response of each call
        self._server = _server(self)
        self.url = f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults = [other for other in self._faults if other != fault]

    def clear(self) -> None:
        with self._lock:
            self._faults = []
            self._bucket = _full_bucket()

    def answer(self, request: Request, connection: http.client.HTTPConnection) -> tuple[Response, list[Kind]]:
        """The response, and what is to happen to its bytes. Raises _Cut."""
        time.sleep(self.delay_seconds)
        with self._lock:
            kinds = [fault.kind for fault in self._faults if _concerns(fault, request.name)]
        for kind in kinds:
            if response := self._instead(kind, request):
                self.hits[kind] += 1
                return response, []
        response = self._forward(request, connection)
        for kind in kinds:
            if changed := self._changed(kind, request, response):
                self.hits[kind] += 1
                return changed, []
        on_bytes: list[Kind] = [kind for kind in kinds if kind in (Kind.SLOW_BYTES, Kind.TRUNCATED)]
        self.hits.update(on_bytes)
        return response, on_bytes

    def _instead(self, kind: Kind, request: Request) -> Response | None:
        """What is answered without asking the provider."""
        match kind:
            case Kind.LATENCY:
                self.hits[kind] += 1
                time.sleep(random.uniform(0.2, 1.5))
            case Kind.THROTTLING:
                with self._lock:
                    let_in = self._bucket.take(time.monotonic(), per_second=BUCKET_PER_SECOND, size=BUCKET_SIZE)
                return None if let_in else self._refuse(kind, request)
            case Kind.SERVER_ERROR if random.random() < 0.5:
                return self._refuse(kind, request)
            case Kind.DENIED | Kind.EXPIRED:
                return self._refuse(kind, request)
            case Kind.CUT if random.random() < 0.5:
                self.hits[kind] += 1
                raise _Cut
            case Kind.HANG:
                self.hits[kind] += 1
                time.sleep(HANG_SECONDS)
                raise _Cut
        return None

    def _changed(self, kind: Kind, request: Request, response: Response) -> Response | None:
        match kind:
            case Kind.MALFORMED:
                half = response.body[: len(response.body) // 2]
                choice = hash_of(request.name, 0) % (len(_GARBAGE) + 1)
                garbage = [half, *_GARBAGE][choice]
                if garbage == response.body[:1] + b"]":
                    garbage = b"{}"  # an empty list says that there is nothing: nobody can tell
                return Response(response.status, garbage, response.headers)
            case Kind.OTHER_OBJECT:
                return self._other(request, response)
        return None

    def _other(self, request: Request, response: Response) -> Response | None:
        """A response to another action of the same service, if one was given yet.

        Of JSON, a list in the place of an object or the other way round: that a list has other objects than it should,
        nobody can see.
        """
        service, action = request.name.split(":")[:2]
        with self._lock:
            others = [
                name
                for name, seen in self._seen.items()
                if name.split(":")[0] == service
                and name.split(":")[1] != action
                and (service == "github" or seen.body[:1] != response.body[:1] or seen.body[:1] == b"<")
            ]
            return self._seen[min(others, key=lambda name: hash_of(name, 1))] if others else None

    def _forward(self, request: Request, connection: http.client.HTTPConnection) -> Response:
        kept = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        connection.request(request.method, request.path, request.body or None, kept)
        reply = connection.getresponse()
        body = reply.read().replace(self._upstream_url, self.url.encode())
        headers = {
            name: value.replace(self._upstream.geturl(), self.url)
            for name, value in reply.getheaders()
            if name.lower() not in _HOP_BY_HOP
        }
        response = Response(reply.status, body, headers)
        if reply.status == 200:
            with self._lock:
                self._seen[request.name] = response
        return response

    def connect(self) -> http.client.HTTPConnection:
        assert self._upstream.hostname
        return http.client.HTTPConnection(self._upstream.hostname, self._upstream.port, timeout=60)

    def named(self, request: Request) -> Request:
        return Request(request.method, request.path, request.headers, request.body, self._name(request))


def hash_of(name: str, salt: int) -> int:
    return random.Random(f"{salt}:{name}").randrange(1 << 30)


def _concerns(fault: Fault, name: str) -> bool:
    return hash_of(name, fault.salt) < fault.share * (1 << 30)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _server(proxy: FaultProxy) -> _Server:
    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # headers and body are two messages: the second would wait 40 ms
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.upstream = proxy.connect()

        def finish(self) -> None:
            self.upstream.close()
            super().finish()

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (_Cut, OSError, http.client.HTTPException):
                self.close_connection = True

        def any_method(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = proxy.named(Request(self.command, self.path, headers, body))
            _send(self, *proxy.answer(request, self.upstream))

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = any_method  # noqa: N815  # as the base class calls them

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return _Server((HOST, 0), Handler)


def _send(handler: BaseHTTPRequestHandler, response: Response, on_bytes: list[Kind]) -> None:
    handler.send_response(response.status)
    for name, value in response.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(response.body)))
    handler.end_headers()
    if handler.command == "HEAD":
        return
    if Kind.TRUNCATED in on_bytes:
        handler.wfile.write(response.body[: len(response.body) // 2])
        raise _Cut
    if Kind.SLOW_BYTES in on_bytes:
        for start in range(min(60, len(response.body))):
            handler.wfile.write(response.body[start : start + 1])
            time.sleep(0.05)
        handler.wfile.write(response.body[60:])
        return
    handler.wfile.write(response.body)
