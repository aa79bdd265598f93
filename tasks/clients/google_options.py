"""The option that all of Google's providers share. Separate from the client, so that help needn't import that."""

from __future__ import annotations

from tasks.clients.base_url import check_base_url
from tasks.options import ProviderOptions, option


class GoogleOptions(ProviderOptions):
    google_api_endpoint: str | None = option(
        "base URL to use instead of each Google service's own: URL/compute/v1/..., URL/storage/v1/..., URL/v1/...",
        default=None,
        check=check_base_url,
        access=True,
        metavar="URL",
    )
