"""The Directory API, called by a service account on behalf of an administrator (domain-wide delegation)."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from google.auth.credentials import Credentials
from google.oauth2 import service_account

from tasks.clients.google import GoogleApi, google_policy
from tasks.clients.google_access import GoogleAccess
from tasks.clients.google_documents import scopes_of
from tasks.clients.google_scopes import least_scopes, narrowest
from tasks.engine import registry
from tasks.provider import CallFailed, Failure, RateLimit, RateLimiter, Tenant

FILE: Final = "GSUITE_GOOGLE_APPLICATION_CREDENTIALS"  # the variables' names of 2020
ADMIN: Final = "GSUITE_DELEGATED_ADMIN"
CUSTOMER: Final = "my_customer"  # Google's name for the customer of the administrator

# Google allows 2,400 queries per minute and user; concurrent calls as in its own clients.
POLICY: Final = google_policy({"directory": RateLimit(initial=20, maximum=40)}, in_flight=20)


@cache
def scopes() -> tuple[str, ...]:
    """The scopes to delegate to the service account: the least set that suffices for all calls."""
    return least_scopes(call for type_ in registry.of("gsuite") for call in type_.fetch.calls)


def oauth_scope(action: str) -> str:
    """The one of them that an action needs."""
    return narrowest(scopes_of(action) & {*scopes()})


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> GoogleApi:
    return GoogleApi(
        tenant=tenant,
        policy=POLICY,
        rate_limiter=rate_limiter,
        identity=_identity(*read()),
        endpoint=GoogleAccess.from_json(tenant.access).endpoint,
        fixed={"customer": CUSTOMER},
    )


async def close() -> None:
    _identity.cache_clear()


def read() -> tuple[str, str]:
    """The key file of the service account, and the administrator, from the variables. Raises CallFailed."""
    for name in (FILE, ADMIN):
        if not os.environ.get(name):
            raise CallFailed(Failure.DENIED, f"variable {name}", "isn't set on this worker", code="NotSet")
    return os.environ[FILE], os.environ[ADMIN]


@cache
def _identity(file: str, admin: str) -> Credentials:
    try:
        account = service_account.Credentials.from_service_account_file(file, scopes=scopes())  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise CallFailed(Failure.DENIED, f"file {file}", file_problem(error), code="Unreadable") from None
    identity: Credentials = account.with_subject(admin)
    return identity


def file_problem(error: Exception) -> str:
    """Why the file can't be used, without anything of its contents."""
    return (error.strerror or "can't be read") if isinstance(error, OSError) else "is not the key of a service account"
