"""How an AWS account is reached."""

from __future__ import annotations

from tasks.tenant_access import TenantAccess


class AwsAccess(TenantAccess):
    """All fields are optional: without a profile, the default credentials are used.

    profile                 name of the profile, instead of the default credentials
    role                    ARN of the role to assume with these credentials
    external_id             external ID that the role requires; AWS doesn't treat it as a secret
    partition               aws, aws-cn or aws-us-gov
    state                   why the account can't be called: its state if that is not ACTIVE
    asked_for_organization  accounts from which the organization is read, comma-separated
    name_server             name server for the names of search domains
    """

    profile: str = ""
    role: str = ""
    external_id: str = ""
    partition: str = ""
    state: str = ""
    asked_for_organization: str = ""
    name_server: str = ""
