"""Amazon Web Services: tenants are accounts."""

from __future__ import annotations

from typing import Final

from tasks.aws.client import calls, client, name_server, tenants
from tasks.aws.doctor import access_check
from tasks.aws.vocabulary.legacy_words import OTHER_WORDS
from tasks.resource import Option, Provider

PROVIDER: Final = Provider(
    name="aws",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=tenants.connect,
    problems=tenants.missing,
    conflicts=tenants.conflicts,
    close=client.close,
    calls=calls.of,
    check_access=access_check.check_access,
    other_words=OTHER_WORDS,
    options=(
        Option(
            name="aws_regions",
            meaning="regions to fetch, instead of all that are enabled",
            many=True,
            check=tenants.check_region,
        ),
        Option(
            name="aws_sync_all_profiles",
            meaning="the accounts of all named AWS profiles but `default`, instead of that of the default credentials",
            switch=True,
        ),
        Option(
            name="aws_assume_role",
            meaning="role (by name) in every account of the organization: the default credentials list and assume it",
            check=tenants.check_role,
        ),
        Option(name="aws_external_id", meaning="external id that the role of aws_assume_role asks for"),
        Option(
            name="aws_organization_account_ids",
            meaning="accounts that are asked for the organization, instead of each",
            many=True,
            check=tenants.check_accounts,
        ),
        Option(
            name="aws_name_server",
            meaning="name server that the workers ask for the addresses of search domains (10.0.0.2, 10.0.0.2:5353), "
            "instead of the machine's own; `none`: nobody is asked",
            check=name_server.check,
        ),
        Option(
            name="aws_best_effort_mode",
            meaning="accepted, and changes nothing: an account that fails never stops the others",
            switch=True,
            note="always on: an account that fails is reported, and never stops the others",
        ),
    ),
)
