"""Calls to an API within the fleet's budget, tried again by the class of their failure: the same for every provider."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.clients.rate_limiter import Budget, Limit
from tasks.engine.listing import CALLS_IN_FLIGHT
from tasks.failures import CallFailed, Failure, Later
from tasks.resource import Tenant

MOST_TRIES: Final = 5
MOST_THROTTLES: Final = 6  # of one call in a row: then the scope waits, and not its worker
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers`: names in lower case; `body`: as JSON says it; `links`: those of the header, by rel;
    `path`: what was asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    links: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer, or why it isn't what was asked for. `code`: the API's own word for it."""

    failure: Failure
    code: str
    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an API takes and how it refuses, the same for all its tenants.

    limit      of an action: the name of its rate bucket within the credentials', and how many calls that takes
    in_flight  calls that are taken at the same time of the same credentials
    refusal    why an answer isn't what was asked for; None where it is
    exhausted  seconds for which nothing is left of the bucket, as a good answer says it
    needs      what a refused action lacks, where the API itself doesn't name it; "" where that isn't known either
    """

    limit: Callable[[str], tuple[str, Limit]]
    in_flight: int
    refusal: Callable[[Answer], Refusal | None]
    exhausted: Callable[[Answer], float] = lambda answer: 0.0
    needs: Callable[[str, Refusal], str] = lambda action, refusal: ""


@dataclass(kw_only=True)
class BudgetedApi:
    """A provider's API for one tenant. `calls` counts the requests sent.

    credentials   whose budget the calls count against, where that isn't the tenant's own
    """

    tenant: Tenant
    terms: Terms
    budget: Budget
    credentials: str = ""
    partition: str = ""
    calls: int = 0

    async def answer(self, action: str, send: Callable[[], Answer | Refusal]) -> Answer:
        """A good answer to the request that `send` makes in a thread. Raises CallFailed; Later where it must wait."""
        name, limit = self.terms.limit(action)
        bucket = f"{self._whose}:{name}"
        tries, throttles = 0, 0
        while True:
            # Where the API doesn't say how long: about 1, 2, 4, ... seconds, for the whole fleet.
            pause = random.uniform(0.5, 1.0) * 2**throttles  # noqa: S311  # jitter, no secret
            found = await self._try(send, bucket, limit, pause)
            if isinstance(found, Answer):
                return found
            tries += 1
            if found.failure is Failure.THROTTLED:
                throttles += 1
                if throttles == MOST_THROTTLES:
                    raise Later(f"{action}: throttled {throttles} times", after_seconds=60)
            elif found.failure in (Failure.TRANSIENT, Failure.BAD_ANSWER) and tries < MOST_TRIES:
                await asyncio.sleep(random.uniform(0, min(20, 0.5 * 2**tries)))  # noqa: S311  # jitter, no secret
            else:
                needs = self.terms.needs(action, found)
                named = f"{action} ({needs})" if needs else action
                raise CallFailed(found.failure, named, found.reason, code=found.code)

    @property
    def at_a_time(self) -> int:
        """Details that one scope asks for at the same time."""
        return min(CALLS_IN_FLIGHT, self.terms.in_flight)

    @property
    def _whose(self) -> str:
        return f"{self.tenant.provider}:{self.credentials or self.tenant.id}"

    async def _try(
        self, send: Callable[[], Answer | Refusal], bucket: str, limit: Limit, pause: float
    ) -> Answer | Refusal:
        """One request. What it says of the bucket is told to the fleet while it still counts as in flight.

        A scope that waits for its turn gives its worker back before its first call only: later, the calls that it made
        would have to be made again, and where many wait, most would never come to their end.
        """
        async with self.budget.flight(self._whose, self.terms.in_flight, patient=lambda: self.calls > 0):
            await self.budget.take(bucket, limit)
            self.calls += 1
            found = await asyncio.to_thread(send)
            refusal = found if isinstance(found, Refusal) else self.terms.refusal(found)
            if refusal is not None and refusal.failure is Failure.THROTTLED:
                told = refusal.retry_after_seconds
                await self.budget.throttled(bucket, limit, pause if told is None else told)
            elif isinstance(found, Answer) and (seconds := self.terms.exhausted(found)):
                await self.budget.hold(bucket, limit, seconds)
            return refusal or found
