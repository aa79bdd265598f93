"""Google's services for an organization or a project: what is called of it, and on whose account."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from tasks.clients.google import GoogleApi, google_policy
from tasks.clients.google_access import GoogleAccess
from tasks.clients.google_documents import method_of
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.failures import CallFailed, Failure
from tasks.gcp import identity, states
from tasks.resource import Tenant

ORGANIZATION: Final = "organization"  # kinds of tenants
PROJECT: Final = "project"

# What is asked of a project only where it is enabled in it, by any of these names: Cloud Storage has had three. What
# lists projects and their policies is the credentials' own, and so is IAM: every project has service accounts.
ENABLED: Final = {
    "compute": ("compute.googleapis.com",),
    "container": ("container.googleapis.com",),
    "dns": ("dns.googleapis.com",),
    "storage": ("storage.googleapis.com", "storage-api.googleapis.com", "storage-component.googleapis.com"),
}
SERVICES: Final = "serviceusage:services.list"

_KNOWN_SECONDS: Final = 600.0
_NOBODY_PAYS: Final = "required"  # a bucket whose reader pays: of a parameter that is missing, and no other is
_SLOW: Final = RateLimit(initial=4, maximum=8)
POLICY: Final = google_policy(
    {
        "compute": RateLimit(initial=10, maximum=20),
        "container": RateLimit(initial=10, maximum=20),
        "dns": RateLimit(initial=10, maximum=20),
        "iam": RateLimit(initial=10, maximum=40),
        "resourcemanager": _SLOW,
        "serviceusage": _SLOW,
        "storage": RateLimit(initial=20, maximum=50),
    },
    in_flight=20,
)

_enabled: Final[dict[tuple[str, str], tuple[float, frozenset[str] | None]]] = {}  # of this process: when, and which


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> GcpApi:
    """Raises CallFailed where this machine has no credentials that can be used."""
    credentials = identity.found()
    return GcpApi(
        tenant=tenant,
        policy=POLICY,
        rate_limiter=rate_limiter,
        identity=credentials,
        credentials=identity.name(credentials),
        endpoint=GoogleAccess.from_json(tenant.access).endpoint,
        fixed={tenant.kind: tenant.id} if tenant.kind else {},
    )


@dataclass(kw_only=True)
class GcpApi(GoogleApi):
    """As any of Google's. What isn't enabled in the project is no failure, and isn't called; nor is a project that is
    to be deleted, but for what it is itself.
    """

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        telling = action == states.TELLING.get(self.tenant.kind)
        try:
            if not telling:
                await self._check_callable(action)
            async for page in self._pages_called(action, parameters):
                if telling:
                    states.remember(self.endpoint, self.tenant.id, states.of(page))
                yield page
        except CallFailed as error:
            # How a project that is to be deleted is refused, each service says in its own way.
            if not telling and error.failure in (Failure.NOT_FOUND, Failure.DENIED):
                self._check_state(action, await self._state())
            raise

    async def _pages_called(self, action: str, parameters: Mapping[str, Any]) -> AsyncIterator[Any]:
        """The pages; what the owner of a bucket lets the reader pay for, once more on the project's account."""
        pages = 0
        try:
            async for page in super().pages(action, **parameters):
                pages += 1
                yield page
        except CallFailed as error:
            # The project has it, so it is the project of the credentials that hasn't: nothing was seen.
            if error.failure is Failure.NOT_ENABLED:
                told = f"{error.reason}; enable it in the project that the credentials belong to"
                raise CallFailed(Failure.DENIED, action, told, code=error.code) from None
            if pages or error.code != _NOBODY_PAYS or self.tenant.kind != PROJECT or not _takes_payer(action):
                raise
            async for page in super().pages(action, **parameters, userProject=self.tenant.id):
                yield page

    async def _check_callable(self, action: str) -> None:
        """Raises CallFailed where the project doesn't take such calls."""
        self._check_state(action, GoogleAccess.from_json(self.tenant.access).state)
        service = action.partition(":")[0]
        if self.tenant.kind == PROJECT and service in ENABLED:
            enabled = await self._enabled()
            if enabled is not None and not enabled & {*ENABLED[service]}:
                told = f"{ENABLED[service][0]} is not enabled"
                raise CallFailed(Failure.NOT_ENABLED, action, told, code="SERVICE_DISABLED")

    def _check_state(self, action: str, state: str) -> None:
        if state:
            raise CallFailed(Failure.NOT_ENABLED, action, f"the {self.tenant.kind} is {state}", code=state)

    async def _state(self) -> str:
        """The state of the tenant, where it can be read."""
        if (known := states.remembered(self.endpoint, self.tenant.id)) is not None:
            return known
        state = ""
        if telling := states.TELLING.get(self.tenant.kind):
            with suppress(CallFailed):
                async for page in GoogleApi.pages(self, telling, name=f"{self.tenant.kind}s/{self.tenant.id}"):
                    state = states.of(page)
        states.remember(self.endpoint, self.tenant.id, state)
        return state

    async def _enabled(self) -> frozenset[str] | None:
        """The services that are enabled; None where that can't be read, and each is tried."""
        which = (self.endpoint, self.tenant.id)
        read_at, known = _enabled.get(which, (0.0, None))
        if which in _enabled and time.monotonic() - read_at < _KNOWN_SECONDS:
            return known
        try:
            known = frozenset([service async for service in self._services()])
        except CallFailed as error:
            if error.failure not in (Failure.DENIED, Failure.NOT_ENABLED):
                raise
            known = None
        _enabled[which] = (time.monotonic(), known)
        return known

    async def _services(self) -> AsyncIterator[str]:
        where = {"parent": "projects/{project}", "filter": "state:ENABLED", "pageSize": 200}
        async for page in super().pages(SERVICES, **where):
            for service in page["services"]:
                yield str((service or {}).get("name")).rpartition("/")[2]


def forget() -> None:
    """What is enabled, and which state projects are in, is asked anew."""
    _enabled.clear()
    states.forget()


def _takes_payer(action: str) -> bool:
    return "userProject" in method_of(action).get("parameters", {})
