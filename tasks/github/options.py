"""The options of GitHub."""

from __future__ import annotations

from typing import Final

from tasks.provider import ProviderOptions, option


class GithubOptions(ProviderOptions):
    github_config_env_var: str | None = option(
        "NAME of the variable that holds the organizations and their tokens (JSON in base64); enables GitHub",
        default=None,
        names_variable=True,
    )


OPTIONS: Final = GithubOptions
