"""CRXcavator: which Chrome extensions are installed, by whom, and how risky each version is.

The public service, crxcavator.io, is gone; what serves its API can be named in its place.
"""

from __future__ import annotations

from typing import Final

from tasks.clients.base_url import check_base_url
from tasks.clients.http import http_calls
from tasks.clients.http_requests import close_http
from tasks.crxcavator import api, tenants
from tasks.resource import Option, Provider

PROVIDER: Final = Provider(
    name="crxcavator",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    close=close_http,
    calls=http_calls,
    options=(
        Option(
            name="crxcavator_api_base_uri",
            meaning="where the API of CRXcavator is served",
            default="https://api.crxcavator.io/v1",
            aliases=("crxcavator_api_base_url",),
            check=check_base_url,
        ),
        Option(
            name="crxcavator_api_key_env_var",
            meaning="NAME of the variable that holds the key of CRXcavator's API; turns the module on",
            names_variable=True,
        ),
    ),
)
