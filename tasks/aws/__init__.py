"""Amazon Web Services: tenants are accounts."""

from __future__ import annotations

from typing import Final

from tasks.aws import api, tenants
from tasks.resource import Option, Provider

PROVIDER: Final = Provider(
    name="aws",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=tenants.connect,
    missing=tenants.missing,
    close=api.close,
    options=(
        Option(
            name="aws_regions",
            meaning="regions to fetch, instead of all that are enabled",
            many=True,
            check=tenants.check_region,
        ),
    ),
)
