"""How a GitHub organization is reached."""

from __future__ import annotations

from tasks.provider import TenantAccess


class GithubAccess(TenantAccess):
    """`config_variable`: the variable that holds the configuration with its token."""

    config_variable: str
