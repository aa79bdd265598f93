"""The options of CRXcavator."""

from __future__ import annotations

from typing import Final

from tasks.provider import ProviderOptions, check_base_url, option


class CrxcavatorOptions(ProviderOptions):
    crxcavator_api_base_uri: str = option(
        "base URL of the CRXcavator API",
        default="https://api.crxcavator.io/v1",
        check=check_base_url,
        access=True,
        metavar="URL",
        aliases=("crxcavator_api_base_url",),
    )
    crxcavator_api_key_env_var: str | None = option(
        "NAME of the variable that holds the API key; enables CRXcavator",
        default=None,
        names_variable=True,
    )


OPTIONS: Final = CrxcavatorOptions
