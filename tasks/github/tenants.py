"""A tenant per organization of the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tasks.failures import CallFailed, Failure, NotConfigured
from tasks.github import configuration
from tasks.resource import Listed, Options, Tenant

_OFF: Final = "github_config_env_var enables it: the NAME of the variable that holds organizations and tokens"


async def tenants(options: Options, rate_limiter: Any) -> Listed[Tenant]:
    """Raises NotConfigured; CallFailed where this machine can't read the configuration."""
    variable = options.get("github_config_env_var")
    if not variable:
        raise NotConfigured(_OFF)
    try:
        found = configuration.read(variable)
    except ValueError as error:
        raise CallFailed(Failure.DENIED, f"variable {variable}", str(error), code="NotUsable") from None
    return Listed(
        [
            Tenant(provider="github", id=one.tenant, name=one.login, access={"config_variable": variable})
            for one in found
        ]
    )


async def regions(api: Any, options: Options) -> Listed[str]:
    return Listed()


def missing(options: Options) -> Iterable[str]:
    variable = options.get("github_config_env_var")
    if not variable:
        raise NotConfigured(_OFF)
    try:
        configuration.read(variable)
    except ValueError as error:
        yield f"github_config_env_var: the variable {variable}: {error}"
