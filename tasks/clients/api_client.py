"""The client of an API that is described by an `ApiPolicy`: its limits, its errors, its rate-limit headers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.clients.client import Bucket, ErrorResponse, RateLimitedClient
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.failures import Failure
from tasks.resource import Tenant
from tasks.waits import believed


@dataclass(frozen=True, slots=True)
class Response:
    """A response over HTTP.

    headers  names in lower case
    body     the JSON document; None if there is none
    links    the targets of the Link header, by relation
    path     the path that was requested
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    links: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPolicy:
    """How an API limits calls and reports errors, the same for all its tenants.

    limit           action -> the name of its rate bucket, and the rate of that bucket
    in_flight       concurrent calls per credentials
    classify_error  the error that a response reports; None for a good response
    exhausted       seconds for which the bucket is empty, as reported by a response that isn't throttled
    needs           the permission that a failed action lacks, where the API doesn't name it; "" if unknown
    """

    limit: Callable[[str], tuple[str, RateLimit]]
    in_flight: int
    classify_error: Callable[[Response], ErrorResponse | None]
    exhausted: Callable[[Response], float] = lambda response: 0.0
    needs: Callable[[str, ErrorResponse], str] = lambda action, error: ""


@dataclass(kw_only=True)
class ApiClient(RateLimitedClient):
    """A provider's API for one tenant.

    credentials   what the calls count against, if several tenants share it; the tenant by default
    """

    tenant: Tenant
    policy: ApiPolicy
    rate_limiter: RateLimiter
    credentials: str = ""
    partition: str = ""
    calls: int = 0

    async def response(self, action: str, send: Callable[[], Response | ErrorResponse]) -> Response:
        """A good response to the request that `send` makes in a thread. Raises CallFailed, RetryLater."""
        name, limit = self.policy.limit(action)
        bucket = Bucket(f"{self._owner}:{name}", limit)
        return await self.send_with_retries(action, bucket, lambda attempt: self._send(action, bucket, send))

    async def _send(
        self, action: str, bucket: Bucket, send: Callable[[], Response | ErrorResponse]
    ) -> Response | ErrorResponse:
        response = await asyncio.to_thread(send)
        if isinstance(response, ErrorResponse):
            return self._naming_permission(action, response)
        error = self.policy.classify_error(response)
        throttled = error is not None and error.failure is Failure.THROTTLED
        if not throttled and (seconds := believed(self.policy.exhausted(response))):
            await self.rate_limiter.pause(bucket.name, bucket.limit, seconds)
        return self._naming_permission(action, error) if error else response

    @property
    def at_a_time(self) -> int:
        """Details that one scope requests concurrently."""
        return min(CALLS_IN_FLIGHT, self.policy.in_flight)

    @property
    def _owner(self) -> str:
        return f"{self.tenant.provider}:{self.credentials or self.tenant.id}"

    def slot(self) -> AbstractAsyncContextManager[None]:
        """A scope gives its worker back while it waits for its first call only: later, it would have to repeat the
        calls already made, and with many scopes waiting, most would never finish.
        """
        return self.rate_limiter.slot(self._owner, self.policy.in_flight, patient=lambda: self.calls > 0)

    def _naming_permission(self, action: str, error: ErrorResponse) -> ErrorResponse:
        permission = self.policy.needs(action, error)
        return replace(error, action=f"{action} ({permission})") if permission else error
