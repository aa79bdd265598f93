"""The tenants: the organizations of the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tasks.github import configuration
from tasks.github.access import GithubAccess
from tasks.github.options import GithubOptions
from tasks.provider import Api, CallFailed, Failure, Listed, NotConfigured, RateLimiter, Tenant

_OFF: Final = "github_config_env_var enables it: the NAME of the variable that holds organizations and tokens"


async def tenants(options: GithubOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Raises NotConfigured; CallFailed if this machine can't read the configuration."""
    variable = options.github_config_env_var
    if not variable:
        raise NotConfigured(_OFF)
    try:
        organizations = configuration.read(variable)
    except ValueError as error:
        raise CallFailed(Failure.DENIED, f"variable {variable}", str(error), code="NotUsable") from None
    access = GithubAccess(config_variable=variable).as_json()
    return Listed([Tenant(provider="github", id=org.tenant, name=org.login, access=access) for org in organizations])


def check_tenant(options: GithubOptions, tenant: Tenant) -> str:
    """Addresses and tokens are in the variable: no other variable is read for them."""
    variable = GithubAccess.from_json(tenant.access).config_variable
    return f"tokens are in the variable {variable}" if variable != options.github_config_env_var else ""


async def regions(api: Api, options: GithubOptions) -> Listed[str]:
    return Listed()


def missing(options: GithubOptions) -> Iterable[str]:
    variable = options.github_config_env_var
    if not variable:
        raise NotConfigured(_OFF)
    try:
        configuration.read(variable)
    except ValueError as error:
        yield f"github_config_env_var: the variable {variable}: {error}"
