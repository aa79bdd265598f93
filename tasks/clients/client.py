"""Calls to an API within the fleet's budget, tried again by the class of their failure: the same for every provider."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import Tenant

MAX_ATTEMPTS: Final = 5
MAX_THROTTLES: Final = 6  # of one call in a row: then the scope waits, and not its worker
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `headers`: names in lower case; `body`: as JSON says it; `links`: those of the header, by rel;
    `path`: what was asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    links: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """Why there is no response, or why it isn't what was asked for. `code`: the API's own word for it."""

    failure: Failure
    code: str
    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPolicy:
    """What an API takes and how it refuses, the same for all its tenants.

    limit      of an action: the name of its rate bucket within the credentials', and how many calls that takes
    in_flight  calls that are taken at the same time of the same credentials
    classify_error    why a response isn't what was asked for; None where it is
    exhausted  seconds for which nothing is left of the bucket, as a good response says it
    needs      what a refused action lacks, where the API itself doesn't name it; "" where that isn't known either
    """

    limit: Callable[[str], tuple[str, RateLimit]]
    in_flight: int
    classify_error: Callable[[Response], ErrorResponse | None]
    exhausted: Callable[[Response], float] = lambda response: 0.0
    needs: Callable[[str, ErrorResponse], str] = lambda action, refusal: ""


@dataclass(kw_only=True)
class RateLimitedClient:
    """A provider's API for one tenant. `calls` counts the requests sent.

    credentials   whose budget the calls count against, where that isn't the tenant's own
    """

    tenant: Tenant
    policy: ApiPolicy
    rate_limiter: RateLimiter
    credentials: str = ""
    partition: str = ""
    calls: int = 0

    async def response(self, action: str, send: Callable[[], Response | ErrorResponse]) -> Response:
        """A good response to the request that `send` makes in a thread. Raises CallFailed; Later where it must wait."""
        name, limit = self.policy.limit(action)
        bucket = f"{self._whose}:{name}"
        tries, throttles = 0, 0
        while True:
            # Where the API doesn't say how long: about 1, 2, 4, ... seconds, for the whole fleet.
            pause = random.uniform(0.5, 1.0) * 2**throttles  # noqa: S311  # jitter, no secret
            found = await self._try(send, bucket, limit, pause)
            if isinstance(found, Response):
                return found
            tries += 1
            if found.failure is Failure.THROTTLED:
                throttles += 1
                if throttles == MAX_THROTTLES:
                    raise RetryLater(f"{action}: throttled {throttles} times", after_seconds=60)
            elif found.failure in (Failure.TRANSIENT, Failure.INVALID_RESPONSE) and tries < MAX_ATTEMPTS:
                await asyncio.sleep(random.uniform(0, min(20, 0.5 * 2**tries)))  # noqa: S311  # jitter, no secret
            else:
                needs = self.policy.needs(action, found)
                named = f"{action} ({needs})" if needs else action
                raise CallFailed(found.failure, named, found.reason, code=found.code)

    @property
    def at_a_time(self) -> int:
        """Details that one scope asks for at the same time."""
        return min(CALLS_IN_FLIGHT, self.policy.in_flight)

    @property
    def _whose(self) -> str:
        return f"{self.tenant.provider}:{self.credentials or self.tenant.id}"

    async def _try(
        self, send: Callable[[], Response | ErrorResponse], bucket: str, limit: RateLimit, pause: float
    ) -> Response | ErrorResponse:
        """One request. What it says of the bucket is told to the fleet while it still counts as in flight.

        A scope that waits for its turn gives its worker back before its first call only: later, the calls that it made
        would have to be made again, and where many wait, most would never come to their end.
        """
        async with self.rate_limiter.slot(self._whose, self.policy.in_flight, patient=lambda: self.calls > 0):
            await self.rate_limiter.acquire(bucket, limit)
            self.calls += 1
            found = await asyncio.to_thread(send)
            refusal = found if isinstance(found, ErrorResponse) else self.policy.classify_error(found)
            if refusal is not None and refusal.failure is Failure.THROTTLED:
                told = refusal.retry_after_seconds
                await self.rate_limiter.throttled(bucket, limit, pause if told is None else told)
            elif isinstance(found, Response) and (seconds := self.policy.exhausted(found)):
                await self.rate_limiter.pause(bucket, limit, seconds)
            return refusal or found
