"""The one tenant: the organization that the options name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from tasks.clients.variables import unset_variables
from tasks.failures import NotConfigured
from tasks.resource import Listed, Options, Tenant

_OFF: Final = "okta_org_id and okta_api_key_env_var turn it on: the organization, and the NAME of its token's variable"


async def tenants(options: Options, rate_limiter: Any) -> Listed[Tenant]:
    """Raises NotConfigured where no organization is named."""
    org, variable = options.get("okta_org_id"), options.get("okta_api_key_env_var")
    if not org or not variable:
        raise NotConfigured(_OFF)
    access = {
        "base_url": options.get("okta_base_url") or f"https://{org}.okta.com",
        "api_key_variable": variable,
        "saml_role_regex": options["okta_saml_role_regex"],
    }
    return Listed([Tenant(provider="okta", id=org, access=access)])


async def regions(api: Any, options: Options) -> Listed[str]:
    return Listed()


def missing(options: Options) -> Iterable[str]:
    """Raises NotConfigured where neither organization nor token is named."""
    if not options.get("okta_org_id"):
        raise NotConfigured(_OFF)
    yield from unset_variables(options, "okta_api_key_env_var")


def conflicts(options: Options) -> tuple[str, str] | None:
    """One of organization and token without the other, and what is missing; None if both are named, or none."""
    org, variable = options.get("okta_org_id"), options.get("okta_api_key_env_var")
    if org and not variable:
        return "okta_org_id", "without okta_api_key_env_var: give the NAME of the variable that holds its token"
    if variable and not org:
        return "okta_api_key_env_var", "without okta_org_id: name the organization whose token that is"
    return None


def check_org(value: Any) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", value):
        return None
    return "must be one word, as example of example.okta.com; a custom domain is okta_base_url"
