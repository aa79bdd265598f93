"""Throttling as AWS does it: a token bucket for each account and service, and the error of the service's protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiohttp import web

from benchmarks.peer.api_call import ApiCall
from tests.servers.aws import Call, Effect, Fault
from tests.servers.aws.errors import fault_response
from tests.servers.token_bucket import TokenBucket

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_FAULT: Final = Fault(Effect.THROTTLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """Calls per second of each bucket, and how many at once after a pause.

    by_region  a bucket for each region, as AWS has them. Without it all regions share one, so that several buckets of
               a client have to share it without knowing of each other
    """

    calls_per_second: float
    burst: float
    by_region: bool = False

    def bucket(self, call: ApiCall) -> str:
        """The name of the bucket that the call counts against."""
        return " ".join((call.caller, call.service, *((call.region,) if self.by_region else ())))


@dataclass(slots=True)
class Pace:
    """What a throttle did.

    seconds    from the first call to the last
    allowed    calls that were answered, by bucket
    by_second  calls that were answered, and calls that were throttled, in each second since the first call
    """

    seconds: float = 0.0
    allowed: dict[str, int] = field(default_factory=dict)
    by_second: list[list[int]] = field(default_factory=list)

    @property
    def throttled(self) -> int:
        """Calls."""
        return sum(second[1] for second in self.by_second)

    def throttled_share(self, after_seconds: int = 0) -> float:
        """Of the calls made later than that, since the first call."""
        allowed, throttled = (sum(second[at] for second in self.by_second[after_seconds:]) for at in (0, 1))
        return throttled / ((allowed + throttled) or 1)


@dataclass(slots=True)
class Throttling:
    """A throttle at work. `clock`: seconds."""

    throttle: Throttle
    clock: Callable[[], float] = time.monotonic
    pace: Pace = field(default_factory=Pace)
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)
    _first: float | None = None

    def allows(self, call: ApiCall) -> bool:
        """Takes a token, if there is one. Counts the call."""
        now, pace = self.clock(), self.pace
        self._first = now if self._first is None else self._first
        pace.seconds = now - self._first
        while len(pace.by_second) <= pace.seconds:
            pace.by_second.append([0, 0])
        name = self.throttle.bucket(call)
        bucket = self._buckets.setdefault(name, TokenBucket(self.throttle.burst, now))
        allowed = bucket.take(now, per_second=self.throttle.calls_per_second, size=self.throttle.burst)
        pace.by_second[int(pace.seconds)][0 if allowed else 1] += 1
        pace.allowed[name] = pace.allowed.get(name, 0) + allowed
        return allowed


def throttled_response(call: ApiCall, headers: Mapping[str, str]) -> web.Response:
    """Throttling, ThrottlingException, RequestLimitExceeded or SlowDown. `headers`: of the request."""
    response = fault_response(_FAULT, Call.of(_environment(call, headers), call.body))
    return web.Response(status=response.status_code, headers=dict(response.headers), body=response.get_data())


def _environment(call: ApiCall, headers: Mapping[str, str]) -> WSGIEnvironment:
    """The request as a WSGI server shows it."""
    path, _, query = call.path.partition("?")
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {"REQUEST_METHOD": call.method, "PATH_INFO": path, "QUERY_STRING": query, **names}
