"""The Directory API, asked by a service account in the name of an administrator (domain-wide delegation)."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from google.auth.credentials import Credentials
from google.oauth2 import service_account

from tasks import google_api
from tasks.failures import CallFailed, Failure
from tasks.google_api import GoogleApi
from tasks.rate_budget import Budget, Limit
from tasks.resource import Tenant

FILE: Final = "GSUITE_GOOGLE_APPLICATION_CREDENTIALS"  # names of variables, as of 2020
ADMIN: Final = "GSUITE_DELEGATED_ADMIN"
CUSTOMER: Final = "my_customer"  # Google's word for the one that the administrator belongs to

_SCOPE: Final = "https://www.googleapis.com/auth/admin.directory."
SCOPES: Final = {"users": f"{_SCOPE}user.readonly", "groups": f"{_SCOPE}group.readonly"}  # of members too
# Google counts 2,400 queries a minute of one user; as many at a time as its own clients make.
TERMS: Final = google_api.terms({"directory": Limit(initial=20, highest=40)}, in_flight=20)


def oauth_scope(action: str) -> str:
    """What must be delegated to the service account for an action."""
    return SCOPES["users" if action.startswith("directory:users.") else "groups"]


async def connect(tenant: Tenant, region: str, budget: Budget) -> GoogleApi:
    return GoogleApi(
        tenant=tenant,
        terms=TERMS,
        budget=budget,
        identity=_identity(*read()),
        endpoint=tenant.access.get("endpoint", ""),
        fixed={"customer": CUSTOMER},
    )


async def close() -> None:
    _identity.cache_clear()


def read() -> tuple[str, str]:
    """The file of the service account, and the administrator, as the variables say. Raises CallFailed."""
    for name in (FILE, ADMIN):
        if not os.environ.get(name):
            raise CallFailed(Failure.DENIED, f"variable {name}", "isn't set on this worker", code="NotSet")
    return os.environ[FILE], os.environ[ADMIN]


@cache
def _identity(file: str, admin: str) -> Credentials:
    try:
        found = service_account.Credentials.from_service_account_file(file, scopes=sorted(SCOPES.values()))  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise CallFailed(Failure.DENIED, f"file {file}", wrong_with(error), code="Unreadable") from None
    identity: Credentials = found.with_subject(admin)
    return identity


def wrong_with(error: Exception) -> str:
    """Why the file can't be used; of what it holds, nothing."""
    return (error.strerror or "can't be read") if isinstance(error, OSError) else "is no key of a service account"
