"""Google's services for an organization or a project. Of a project's, only those are called that are enabled in it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from tasks import google_api
from tasks.failures import CallFailed, Failure
from tasks.gcp import identity
from tasks.google_api import GoogleApi
from tasks.rate_budget import Budget, Limit
from tasks.resource import Tenant

ORGANIZATION: Final = "organization"  # kinds of tenants
PROJECT: Final = "project"

# What is asked of a project only where it is enabled; what lists projects and their policies is the credentials' own.
ENABLED: Final = {
    "compute": "compute.googleapis.com",
    "container": "container.googleapis.com",
    "dns": "dns.googleapis.com",
    "iam": "iam.googleapis.com",
    "storage": "storage.googleapis.com",
}
SERVICES: Final = "serviceusage:services.list"

_KNOWN_SECONDS: Final = 600.0
_SLOW: Final = Limit(initial=4, highest=8)
TERMS: Final = google_api.terms(
    {
        "compute": Limit(initial=10, highest=20),
        "container": Limit(initial=10, highest=20),
        "dns": Limit(initial=10, highest=20),
        "iam": Limit(initial=10, highest=40),
        "resourcemanager": _SLOW,
        "serviceusage": _SLOW,
        "storage": Limit(initial=20, highest=50),
    },
    in_flight=20,
)

_enabled: Final[dict[tuple[str, str], tuple[float, frozenset[str] | None]]] = {}  # of this process: when, and which


async def connect(tenant: Tenant, region: str, budget: Budget) -> GcpApi:
    """Raises CallFailed where this machine has no credentials that can be used."""
    credentials = identity.found()
    return GcpApi(
        tenant=tenant,
        terms=TERMS,
        budget=budget,
        identity=credentials,
        credentials=identity.name(credentials),
        endpoint=tenant.access.get("endpoint", ""),
        fixed={tenant.kind: tenant.id} if tenant.kind else {},
    )


@dataclass(kw_only=True)
class GcpApi(GoogleApi):
    """As any of Google's; a service that isn't enabled in the project is no failure, and isn't called."""

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        service = action.partition(":")[0]
        if self.tenant.kind == PROJECT and service in ENABLED:
            enabled = await self._enabled()
            if enabled is not None and ENABLED[service] not in enabled:
                name = ENABLED[service]
                raise CallFailed(Failure.NOT_ENABLED, action, f"{name} is not enabled", code="SERVICE_DISABLED")
        try:
            async for page in super().pages(action, **parameters):
                yield page
        except CallFailed as error:
            # The project has it, so it is the project of the credentials that hasn't: nothing was seen.
            if error.failure is Failure.NOT_ENABLED:
                told = f"{error.reason}; enable it in the project that the credentials belong to"
                raise CallFailed(Failure.DENIED, action, told, code=error.code) from None
            raise

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
                yield service["name"].rpartition("/")[2]


def forget() -> None:
    """What is enabled is asked anew."""
    _enabled.clear()
