"""An API of JSON over HTTP, as providers have them: it checks a token, pages by links, refuses, and says when to wait.

    with JsonApi({"/users": [[{"id": "1"}], [{"id": "2"}]]}, token="SSWS secret") as api:
        api.refuse("/users", 429, {"Retry-After": "2"})
        requests.get(f"{api.url}/users", headers={"Authorization": "SSWS secret"})

What it measures, tests compare with what was allowed: calls in flight, and calls that came while told to wait.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"


@dataclass
class Refusal:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class Received:
    """Calls, as the server saw them. `early`: how many came before they were welcome again."""

    paths: list[str] = field(default_factory=list)
    in_flight: int = 0
    max_in_flight: int = 0
    early: int = 0


class JsonApi:
    """`answers`: the pages of each path. `seconds`: how long each answer takes."""

    def __init__(self, answers: Mapping[str, Sequence[Any]], *, token: str, seconds: float = 0.0) -> None:
        self.answers = dict(answers)
        self.seconds = seconds
        self.headers: dict[str, str] = {}  # of every good answer
        self.received = Received()
        self._token = token
        self._refusals: dict[str, list[Refusal]] = defaultdict(list)
        self._closed_until = 0.0  # on the monotonic clock
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuse(
        self, path: str, status: int, headers: Mapping[str, str] | None = None, body: str = "{}", times: int = 1
    ) -> None:
        """The next so many calls of the path are answered so. With Retry-After, no call is welcome for so long."""
        self._refusals[path] += [Refusal(status, headers or {}, body)] * times

    def exhaust(self, seconds: int) -> None:
        """The next good answer says that nothing is left for so long: X-Exhausted."""
        self.headers["X-Exhausted"] = str(seconds)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(request.path)[2], parse_qs(urlsplit(request.path)[3])
        with self._in_flight(path):
            status, headers, body = self._answer(request, path, int(query.get("after", ["0"])[0]))
            time.sleep(self.seconds)
        sent = body.encode()
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(sent)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(sent)

    @contextmanager
    def _in_flight(self, path: str) -> Iterator[None]:
        with self._lock:
            received = self.received
            received.paths.append(path)
            received.in_flight += 1
            received.max_in_flight = max(received.max_in_flight, received.in_flight)
            received.early += time.monotonic() < self._closed_until
        try:
            yield
        finally:
            with self._lock:
                received.in_flight -= 1

    def _answer(self, request: BaseHTTPRequestHandler, path: str, page: int) -> tuple[int, Mapping[str, str], str]:
        if request.headers.get("Authorization") != self._token:
            return 401, {}, '{"errorSummary": "Invalid token provided"}'
        with self._lock:
            if self._refusals[path]:
                refusal = self._refusals[path].pop(0)
                self._close_for(refusal.headers.get("Retry-After", "0"))
                return refusal.status, refusal.headers, refusal.body
            headers = dict(self.headers)
            self._close_for(self.headers.pop("X-Exhausted", "0"))
        pages = self.answers.get(path)
        if pages is None:
            return 404, {}, json.dumps({"errorSummary": f"Not found: {path}"})
        if page + 1 < len(pages):
            headers["Link"] = f'<{self.url}{path}?after={page + 1}>; rel="next"'
        return 200, headers, json.dumps(pages[page])

    def _close_for(self, seconds: str) -> None:
        if float(seconds):
            self._closed_until = time.monotonic() + float(seconds)
