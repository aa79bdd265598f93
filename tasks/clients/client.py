"""Rate-limited calls, retried by the class of their failure: one loop for every provider's API."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar

from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import Tenant
from tasks.waits import believed

T = TypeVar("T")

MAX_ATTEMPTS: Final = 5
MAX_THROTTLES: Final = 6  # of one call; after that the scope waits, and its worker is free for others
MAX_BACKOFF_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
_RETRY_LATER_SECONDS: Final = 60
_RETRIED: Final = (Failure.TRANSIENT, Failure.INVALID_RESPONSE)  # an invalid response may have been cut short


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """Why a request has no response, or one that reports an error.

    code    the API's own error code
    retry_after_seconds  as the API says it: what is believed of it is decided where it is waited for
    action  the permission or endpoint to report, if it isn't the action that was called
    cause   the exception that the client library raised
    """

    failure: Failure
    code: str
    reason: str
    retry_after_seconds: float | None = None
    action: str = ""
    cause: Exception | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The rate bucket that a call counts against. `name`: unique in the fleet."""

    name: str
    limit: RateLimit


class RateLimitedClient:
    """A provider's API for one tenant. `calls` counts the requests sent."""

    tenant: Tenant
    rate_limiter: RateLimiter
    calls: int

    async def send_with_retries(
        self, action: str, bucket: Bucket, send: Callable[[int], Awaitable[T | ErrorResponse]]
    ) -> T:
        """The response to the request that `send` makes; `send` is given the number of the attempt, from 1.

        Raises CallFailed; RetryLater if the scope should wait without a worker.
        """
        attempts, throttles, renewed = 0, 0, False
        while True:
            attempts += 1
            response = await self._attempt(bucket, send, attempts, throttles)
            if not isinstance(response, ErrorResponse):
                return response
            if response.failure is Failure.THROTTLED:
                throttles += 1
                if throttles == MAX_THROTTLES:
                    reason = f"{action}: throttled {throttles} times"
                    wait = believed(response.retry_after_seconds) or 0.0
                    seconds = max(wait, _RETRY_LATER_SECONDS)
                    raise RetryLater(reason, after_seconds=seconds, action=action) from response.cause
            elif response.failure in _RETRIED and attempts < MAX_ATTEMPTS:
                await asyncio.sleep(_backoff_seconds(attempts))
            elif response.failure is Failure.EXPIRED and not renewed and self.renew():
                renewed = True
            else:
                _fail(action, response)

    async def _attempt(
        self, bucket: Bucket, send: Callable[[int], Awaitable[T | ErrorResponse]], attempt: int, throttles: int
    ) -> T | ErrorResponse:
        """One request. The whole fleet learns of a throttle while the request still holds its slot."""
        async with self.slot():
            await self.rate_limiter.acquire(bucket.name, bucket.limit)
            self.calls += 1
            response = await send(attempt)
            if isinstance(response, ErrorResponse) and response.failure is Failure.THROTTLED:
                await self.rate_limiter.throttled(bucket.name, bucket.limit, _pause_seconds(response, throttles))
            return response

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Held during a request, where an API bounds the number of concurrent ones."""
        return nullcontext()

    def renew(self) -> bool:
        """Make the next request read the credentials again. False: these can't be renewed."""
        return False


def _pause_seconds(error: ErrorResponse, throttles: int) -> float:
    """How long the whole fleet waits after a throttle: as the API says, otherwise about 1, 2, 4, ... seconds."""
    if (asked := believed(error.retry_after_seconds)) is not None:
        return asked
    return random.uniform(0.5, 1.0) * float(2**throttles)  # noqa: S311  # jitter, not a secret


def _backoff_seconds(attempts: int) -> float:
    return random.uniform(0, min(MAX_BACKOFF_SECONDS, 0.5 * 2**attempts))  # noqa: S311  # jitter, not a secret


def _fail(action: str, error: ErrorResponse) -> NoReturn:
    raise CallFailed(error.failure, error.action or action, error.reason, code=error.code) from error.cause
