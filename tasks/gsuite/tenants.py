"""The tenant: the customer that the administrator belongs to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from google.oauth2 import service_account

from tasks.clients.google_access import GoogleAccess
from tasks.clients.google_options import GoogleOptions
from tasks.gsuite import api
from tasks.provider import Api, CallFailed, Failure, Listed, NotConfigured, RateLimiter, Tenant

_OFF: Final = (
    f"the variables {api.FILE} and {api.ADMIN} enable it: the key file of a service account with domain-wide "
    "delegation, and the e-mail of the administrator that it acts for"
)
_FIRST: Final = "directory:users.list"


async def tenants(options: GoogleOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """The customer, by the id that its users carry. Raises NotConfigured, CallFailed."""
    if not os.environ.get(api.FILE):
        raise NotConfigured(_OFF)
    access = GoogleAccess(endpoint=options.google_api_endpoint or "").as_json()
    unknown = Tenant(provider="gsuite", id=api.CUSTOMER, access=access)
    connection = await api.connect(unknown, "", rate_limiter)
    async for page in connection.pages(_FIRST, maxResults=1):
        for user in page["users"]:
            if not user or not user.get("customerId"):
                raise CallFailed(Failure.INVALID_RESPONSE, _FIRST, "a user has no customerId")
            _, admin = api.read()
            return Listed([Tenant(provider="gsuite", id=user["customerId"], name=_domain(admin), access=access)])
        break
    raise CallFailed(Failure.INVALID_RESPONSE, _FIRST, "the response has no users, not even the administrator")


def _domain(email: str) -> str:
    return email.rpartition("@")[2]


async def regions(api: Api, options: GoogleOptions) -> Listed[str]:
    return Listed()


def missing(options: GoogleOptions) -> Iterable[str]:
    """Raises NotConfigured if neither variable is set."""
    file, admin = os.environ.get(api.FILE), os.environ.get(api.ADMIN)
    if not file and not admin:
        raise NotConfigured(_OFF)
    if not file:
        yield f"{api.FILE} isn't set, but {api.ADMIN} is: name the key file of the service account"
    elif not admin or "@" not in admin:
        yield f"{api.ADMIN} must be the e-mail of the administrator for whom {api.FILE} acts"
    else:
        try:
            service_account.Credentials.from_service_account_file(file)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            yield f"{api.FILE}: {file}: {api.file_problem(error)}"
