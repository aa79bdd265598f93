"""Google's services for an organization or a project: which calls it accepts, and which project is billed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from tasks.clients.google import GoogleApi, google_policy
from tasks.clients.google_access import GoogleAccess
from tasks.clients.google_documents import method_of
from tasks.gcp import identity, states
from tasks.gcp.kinds import PROJECT
from tasks.provider import CallFailed, Failure, RateLimit, RateLimiter, Tenant

# Services that are only called if they are enabled in the project, under any of these names (Cloud Storage has had
# three). Those that list projects and policies count as the credentials' own, and so does IAM.
ENABLED: Final = {
    "bigquery": ("bigquery.googleapis.com",),
    "cloudkms": ("cloudkms.googleapis.com",),
    "compute": ("compute.googleapis.com",),
    "container": ("container.googleapis.com",),
    "dns": ("dns.googleapis.com",),
    "logging": ("logging.googleapis.com",),
    "sqladmin": ("sqladmin.googleapis.com",),
    "storage": ("storage.googleapis.com", "storage-api.googleapis.com", "storage-component.googleapis.com"),
}
SERVICES: Final = "serviceusage:services.list"

_KNOWN_SECONDS: Final = 600.0
_PAYER_REQUIRED: Final = "required"  # the error of a requester-pays bucket: no other parameter is missing
_SLOW: Final = RateLimit(initial=4, maximum=8)
POLICY: Final = google_policy(
    {
        "bigquery": RateLimit(initial=10, maximum=20),
        "cloudkms": RateLimit(initial=5, maximum=10),
        "compute": RateLimit(initial=10, maximum=20),
        "container": RateLimit(initial=10, maximum=20),
        "dns": RateLimit(initial=10, maximum=20),
        "iam": RateLimit(initial=10, maximum=40),
        "logging": RateLimit(initial=1, maximum=1),
        "resourcemanager": _SLOW,
        "serviceusage": _SLOW,
        "sqladmin": RateLimit(initial=5, maximum=10),
        "storage": RateLimit(initial=20, maximum=50),
    },
    in_flight=20,
)

_enabled: Final[dict[tuple[str, str], tuple[float, frozenset[str] | None]]] = {}  # of this process


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> GcpApi:
    """Raises CallFailed if this machine has no usable credentials."""
    credentials = identity.default_credentials()
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
    """Doesn't call services that aren't enabled in the project, which is not a failure. Of a tenant that is to be
    deleted it reads the tenant alone.
    """

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        is_tenant_itself = action == states.READING.get(self.tenant.kind)
        try:
            if not is_tenant_itself:
                await self._check_callable(action)
            async for page in self._pages_called(action, parameters):
                if is_tenant_itself:
                    states.remember(self.endpoint, self.tenant.id, states.of(page))
                yield page
        except CallFailed as error:
            # Each service has its own error for a project that is to be deleted.
            if not is_tenant_itself and error.failure in (Failure.NOT_FOUND, Failure.DENIED):
                self._check_state(action, await self._state())
            raise

    async def _pages_called(self, action: str, parameters: Mapping[str, Any]) -> AsyncIterator[Any]:
        """The pages. A requester-pays bucket is read again at the project's expense."""
        pages = 0
        try:
            async for page in super().pages(action, **parameters):
                pages += 1
                yield page
        except CallFailed as error:
            # It is enabled in the project, so it isn't in the project of the credentials: nothing was seen.
            if error.failure is Failure.NOT_ENABLED:
                reason = f"{error.reason}; enable it in the project that the credentials belong to"
                raise CallFailed(Failure.DENIED, action, reason, code=error.code) from None
            if pages or error.code != _PAYER_REQUIRED or self.tenant.kind != PROJECT or not _takes_payer(action):
                raise
            async for page in super().pages(action, **parameters, userProject=self.tenant.id):
                yield page

    async def _check_callable(self, action: str) -> None:
        """Raises CallFailed if the project doesn't accept such calls."""
        self._check_state(action, GoogleAccess.from_json(self.tenant.access).state)
        service = action.partition(":")[0]
        if self.tenant.kind == PROJECT and service in ENABLED:
            enabled = await self._enabled()
            if enabled is not None and not enabled & {*ENABLED[service]}:
                reason = f"{ENABLED[service][0]} is not enabled"
                raise CallFailed(Failure.NOT_ENABLED, action, reason, code="SERVICE_DISABLED")

    def _check_state(self, action: str, state: str) -> None:
        if state:
            raise CallFailed(Failure.NOT_ENABLED, action, f"the {self.tenant.kind} is {state}", code=state)

    async def _state(self) -> str:
        """The state of the tenant; "" if it can't be read."""
        if (known := states.remembered(self.endpoint, self.tenant.id)) is not None:
            return known
        state = ""
        if reading := states.READING.get(self.tenant.kind):
            with suppress(CallFailed):
                async for page in GoogleApi.pages(self, reading, name=f"{self.tenant.kind}s/{self.tenant.id}"):
                    state = states.of(page)
        states.remember(self.endpoint, self.tenant.id, state)
        return state

    async def _enabled(self) -> frozenset[str] | None:
        """The services that are enabled; None if that can't be read: then each is tried."""
        tenant = (self.endpoint, self.tenant.id)
        read_at, known = _enabled.get(tenant, (0.0, None))
        if tenant in _enabled and time.monotonic() - read_at < _KNOWN_SECONDS:
            return known
        try:
            known = frozenset([service async for service in self._services()])
        except CallFailed as error:
            if error.failure not in (Failure.DENIED, Failure.NOT_ENABLED):
                raise
            known = None
        _enabled[tenant] = (time.monotonic(), known)
        return known

    async def _services(self) -> AsyncIterator[str]:
        parameters = {"parent": "projects/{project}", "filter": "state:ENABLED", "pageSize": 200}
        async for page in super().pages(SERVICES, **parameters):
            for service in page["services"]:
                yield str((service or {}).get("name")).rpartition("/")[2]


def forget() -> None:
    """Read again which services are enabled, and the state of projects."""
    _enabled.clear()
    states.forget()


def _takes_payer(action: str) -> bool:
    return "userProject" in method_of(action).get("parameters", {})
