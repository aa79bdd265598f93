"""AWS as a provider: how its tenants are found and its API is reached."""

from __future__ import annotations

from typing import Final

from tasks.aws.client import calls, client, tenants
from tasks.aws.doctor import access_check
from tasks.aws.options import OPTIONS
from tasks.aws.vocabulary.legacy_words import OTHER_WORDS
from tasks.resource import Provider

PROVIDER: Final = Provider(
    name="aws",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=tenants.connect,
    problems=tenants.missing,
    check_tenant=tenants.check_tenant,
    close=client.close,
    calls=calls.of,
    check_access=access_check.check_access,
    other_words=OTHER_WORDS,
    options=OPTIONS,
)
