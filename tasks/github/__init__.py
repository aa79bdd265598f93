"""GitHub, public or an Enterprise Server: organizations with their people, teams, repositories and what guards them."""

from __future__ import annotations

from typing import Final

from tasks.clients.http_requests import close_http
from tasks.github import api, tenants
from tasks.resource import Option, Provider

PROVIDER: Final = Provider(
    name="github",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    close=close_http,
    options=(
        Option(
            name="github_config_env_var",
            meaning="NAME of the variable that holds the organizations and their tokens, JSON in base64; "
            "turns GitHub on",
            names_variable=True,
        ),
    ),
    calls=api.described,
)
