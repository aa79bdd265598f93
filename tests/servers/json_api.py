"""An API of JSON over HTTP, as providers have them: it checks a token, pages by links, refuses, and says when to wait.

    with JsonApi({"GET /users": by_links([{"id": "1"}], [{"id": "2"}])}, token("SSWS secret")) as api:
        api.refuse("GET /users", 429, {"Retry-After": "2"})
        requests.get(f"{api.url}/users", headers={"Authorization": "SSWS secret"})

What it measures, tests compare with what was allowed: calls in flight, and calls that came while told to wait.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Asked:
    """A request. `action`: its route, `GET /users/{id}`, of GraphQL with the operation: `POST /graphql Members`.

    text  path, query and body, as they were meant
    """

    action: str
    url: str  # of the server
    path: str  # as it was sent
    parameters: Mapping[str, str]  # those in the path
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return f"{unquote(self.path)} {' '.join(self.query.values())} {self.body.decode()}"


@dataclass(frozen=True)
class Reply:
    """`body`: as JSON, unless it is text already."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Asked], Reply]
Guard = Callable[[Asked], Reply | None]


@dataclass
class Measured:
    """Calls of one bucket, as the server saw them. `early`: how many came before they were welcome again."""

    calls: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    early: int = 0
    closed_from: float = 0.0  # on the monotonic clock
    closed_until: float = 0.0


class JsonApi:
    """A server of routes.

    guard   what is answered instead of the route's response: to a wrong token, above a limit
    bucket  the rate bucket of a request, by which calls are measured
    seconds how long each response takes
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        guard: Guard | None = None,
        *,
        bucket: Callable[[Asked], str] = lambda asked: "",
        seconds: float = 0.0,
    ) -> None:
        self.routes = dict(routes)
        self.seconds = seconds
        self.headers: dict[str, str] = {}  # of every good response
        self.measured: dict[str, Measured] = defaultdict(Measured)
        self.received: list[Asked] = []
        self._guard = guard
        self._bucket = bucket
        self._refusals: dict[str, list[Reply | None]] = defaultdict(list)
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True  # headers and body are two messages: the second would wait 40 ms
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._serve(self)

            do_POST = do_GET  # noqa: N815  # as the class it derives from calls it

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = _Server((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def counts(self) -> Counter[str]:
        """Calls by route, since `received` was last emptied."""
        return Counter(asked.action for asked in self.received)

    def refuse(
        self,
        action: str,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: Any = "{}",
        times: int = 1,
        after: int = 0,
    ) -> None:
        """The next so many calls of the route are answered so, or those after the next few.

        With Retry-After, no call is welcome for so long.
        """
        self._refusals[action] += [*[None] * after, *[Reply(body, status, headers or {})] * times]

    def exhaust(self, seconds: int) -> None:
        """The next good response says that nothing is left for so long: X-Exhausted."""
        self.headers["X-Exhausted"] = str(seconds)

    def forgive(self) -> None:
        """Nothing is refused any more."""
        self._refusals.clear()

    def close_for(self, bucket: str, seconds: float, *, after: float = 0.0) -> None:
        """No call of the bucket is welcome for so long: those that come all the same are `early`.

        `after`: not those either that were sent before the response that says so can have been read.
        """
        with self._lock:
            measured, now = self.measured[bucket], time.monotonic()
            if now >= measured.closed_until:
                measured.closed_from = now + after
            measured.closed_until = max(measured.closed_until, now + seconds)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        asked, route = self._asked(request)
        bucket = self._bucket(asked)
        with self._measured(asked, bucket):
            reply = self._response(asked, route, bucket)
            time.sleep(self.seconds)
        sent = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
        request.send_response(reply.status)
        head = {"Content-Type": "application/json", "Content-Length": str(len(sent)), **reply.headers}
        for name, value in head.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(sent)

    def _asked(self, request: BaseHTTPRequestHandler) -> tuple[Asked, Route | None]:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        _, _, path, query, _ = urlsplit(request.path)
        action, parameters, route = f"{request.command} {path}{_operation(body)}", dict[str, str](), None
        for known, candidate in self.routes.items():
            if found := _pattern(known).fullmatch(action):
                parameters = {name: unquote(value) for name, value in found.groupdict().items()}
                action, route = known, candidate
                break
        headers = {name.lower(): value for name, value in request.headers.items()}
        return Asked(action, self.url, path, parameters, dict(parse_qsl(query)), headers, body), route

    @contextmanager
    def _measured(self, asked: Asked, bucket: str) -> Iterator[None]:
        with self._lock:
            self.received.append(asked)
            measured = self.measured[bucket]
            measured.calls += 1
            measured.in_flight += 1
            measured.max_in_flight = max(measured.max_in_flight, measured.in_flight)
            measured.early += measured.closed_from <= time.monotonic() < measured.closed_until
        try:
            yield
        finally:
            with self._lock:
                measured.in_flight -= 1

    def _response(self, asked: Asked, route: Route | None, bucket: str) -> Reply:
        if self._guard and (refusal := self._guard(asked)):
            return refusal
        with self._lock:
            refusal = self._refusals[asked.action].pop(0) if self._refusals[asked.action] else None
            further = dict(self.headers)
            if refusal is None:
                self.headers.pop("X-Exhausted", None)
        if refusal:
            if seconds := float(refusal.headers.get("Retry-After", 0)):
                self.close_for(bucket, seconds)
            return refusal
        if route is None:
            return Reply({"errorSummary": f"Not found: {asked.path}"}, 404)
        reply = route(asked)
        if seconds := float(further.get("X-Exhausted", 0)):
            self.close_for(bucket, seconds)
        return Reply(reply.body, reply.status, {**reply.headers, **further})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that has stopped to wait
            super().handle_error(request, client_address)


def token(expected: str) -> Guard:
    """The header Authorization must be this."""

    def guard(asked: Asked) -> Reply | None:
        if asked.headers.get("authorization") != expected:
            return Reply({"errorCode": "E0000011", "errorSummary": "Invalid token provided"}, 401)
        return None

    return guard


def by_links(*pages: Any) -> Route:
    """One page after the other, each naming the next in its header Link."""

    def route(asked: Asked) -> Reply:
        at = int(asked.query.get("after", 0))
        return Reply(pages[at], headers=next_page(asked, str(at + 1)) if at + 1 < len(pages) else {})

    return route


def next_page(asked: Asked, after: str) -> dict[str, str]:
    """The header Link to the page after this one, with the other parameters of the request."""
    kept = "".join(f"{name}={value}&" for name, value in asked.query.items() if name != "after")
    self_, more = f"{asked.url}{asked.path}?{kept}", f"{asked.url}{asked.path}?{kept}after={after}"
    return {"Link": f'<{self_}>; rel="self", <{more}>; rel="next"'}


def pages_of(items: Sequence[Any], size: int, asked: Asked) -> Reply:
    """The page of the items that `after` asks for."""
    start = int(asked.query.get("after", 0))
    more = next_page(asked, str(start + size)) if start + size < len(items) else {}
    return Reply(items[start : start + size], headers=more)


def _operation(body: bytes) -> str:
    """The name of a GraphQL operation: all of them are sent to one path."""
    try:
        return f" {json.loads(body)['operationName']}"
    except (ValueError, KeyError, TypeError):
        return ""


@cache
def _pattern(action: str) -> re.Pattern[str]:
    """`GET /users/{id}`; `{name+}` goes over slashes."""
    parts = re.split(r"\{(\w+)(\+?)\}", action)
    texts, names, over = parts[::3], parts[1::3], parts[2::3]
    inner = [f"(?P<{name}>{'.+' if plus else '[^/]+'})" for name, plus in zip(names, over, strict=True)]
    return re.compile("".join(re.escape(text) + group for text, group in zip(texts, [*inner, ""], strict=True)))
