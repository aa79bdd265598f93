"""The WSGI application: counts calls, applies faults, and passes everything else to moto."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from dataclasses import asdict
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import psutil
from werkzeug.wrappers import Request, Response

from tests.servers.aws.callers import NotKilled, hang_up, kill_caller
from tests.servers.aws.calls import Call, Calls, FinishedCall
from tests.servers.aws.errors import error_response, fault_response, malformed
from tests.servers.aws.faults import Effect, Fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RECENT_CALLS: Final = 20_000


class _ActiveFault:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.matched = 0
        self.hits = 0
        self.removed = threading.Event()

    def meets(self, call: Call) -> bool:
        if self.removed.is_set() or not self.fault.matches(call):
            return False
        self.matched += 1
        if self.matched <= self.fault.after or self.hits == self.fault.times:
            return False
        self.hits += 1
        return True


class Simulator:
    """`absent`: responses for calls that the application behind it doesn't support."""

    def __init__(self, aws: WSGIApplication, absent: Mapping[tuple[str, str], str] | None = None) -> None:
        self._aws = aws
        self._absent = absent or {}
        self._lock = threading.Lock()
        self._faults: list[_ActiveFault] = []
        self._zero()

    def _zero(self) -> None:
        self._latency_seconds = 0.0
        self._counts: Counter[str] = Counter()
        self._in_flight = self._max_in_flight = 0
        self._recent: deque[FinishedCall] = deque(maxlen=RECENT_CALLS)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "/")
        if path.startswith("/chartfleet/"):
            return self._control(Request(environ))(environ, start_response)
        if path.startswith("/moto-api"):
            return self._aws(environ, start_response)
        return self._call(environ)(environ, start_response)

    # AWS

    def _call(self, environ: WSGIEnvironment) -> Response:
        body = b""
        if environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = BytesIO(body)
        call = Call.of(environ, body)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.account
        started_at, started, status = time.time(), time.monotonic(), 0
        with self._lock:
            self._counts[call.name] += 1
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            latency_seconds = self._latency_seconds
        try:
            time.sleep(latency_seconds)
            response = self._response(call, environ)
            status = response.status_code
            return response
        finally:
            seconds = time.monotonic() - started
            finished = FinishedCall(started_at, seconds, call.service, call.action, call.region, call.account, status)
            with self._lock:
                self._in_flight -= 1
                self._recent.append(finished)

    def _response(self, call: Call, environ: WSGIEnvironment) -> Response:
        with self._lock:
            faults = list(self._faults)
        for active in faults:
            with self._lock:
                if not active.meets(call):
                    continue
            fault = active.fault
            match fault.effect:
                case Effect.DELAY:
                    time.sleep(fault.seconds)
                case Effect.PAUSE:
                    active.removed.wait()
                case Effect.MALFORMED:
                    return malformed(self._real_response(call, environ), fault)
                case Effect.DISCONNECT:
                    hang_up(environ)
                case Effect.KILL_CLIENT | Effect.KILL_PARENT:
                    try:
                        kill_caller(fault.effect, environ)
                    except (NotKilled, psutil.NoSuchProcess) as refused:
                        return error_response(call, 400, "NotKilled", str(refused))
                    hang_up(environ)
                case _:
                    return fault_response(fault, call)
        return self._real_response(call, environ)

    def _real_response(self, call: Call, environ: WSGIEnvironment) -> Response:
        if response := self._absent.get((call.service, call.action)):
            return Response(
                response, content_type="text/xml" if response.startswith("<") else "application/x-amz-json-1.1"
            )
        return Response.from_app(self._aws, environ, buffered=True)

    # Control

    def _control(self, request: Request) -> Response:
        resource, _, name = request.path.removeprefix("/chartfleet/").partition("/")
        match request.method, resource:
            case "GET", "faults":
                pass
            case "PUT" | "POST" | "DELETE", "faults":
                try:
                    faults = [fault_of(fault) for fault in json.loads(request.get_data() or b"[]")]
                except (TypeError, ValueError) as error:
                    return _json_response({"error": f"not a list of faults: {error}"}, 400)
                if request.method != "POST":
                    self.remove(name)
                self.add(*faults)
            case "PUT", "latency":
                self._latency_seconds = float(json.loads(request.get_data())["seconds"])
                return _json_response({"seconds": self._latency_seconds})
            case "GET", "calls":
                return _json_response(asdict(self.calls(request.args.get("recent", RECENT_CALLS, type=int))))
            case "PUT", "reset":
                self.reset()
                return _json_response({})
            case _:
                return _json_response({"error": f"no {request.method} {request.path}"}, 404)
        with self._lock:
            return _json_response([asdict(active.fault) | {"hits": active.hits} for active in self._faults])

    def reset(self) -> None:
        """No faults, no latency, counters at zero."""
        self.remove()
        with self._lock:
            in_flight = self._in_flight  # these calls have not ended yet
            self._zero()
            self._in_flight = self._max_in_flight = in_flight

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults += [_ActiveFault(fault) for fault in faults]

    def remove(self, name: str = "") -> None:
        """The fault of this name; '' means all. Calls that they paused continue."""
        with self._lock:
            removed = [active for active in self._faults if name in ("", active.fault.name)]
            self._faults = [active for active in self._faults if active not in removed]
        for active in removed:
            active.removed.set()

    def calls(self, recent: int = RECENT_CALLS) -> Calls:
        with self._lock:
            last = list(self._recent)[-recent:] if recent else []
            return Calls(dict(self._counts), self._in_flight, self._max_in_flight, last)


def _json_response(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
