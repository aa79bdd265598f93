"""The organization itself."""

from __future__ import annotations

from typing import Final

from loaders.model import Node, key, prop, scope_tenant
from tasks.clients.graphql import SingleObject
from tasks.clients.graphql_api import Document
from tasks.github.api import RATE_LIMIT
from tasks.resource import Per, ResourceType

_ORGANIZATION: Final = Document(
    f"""query Organization($login: String!) {{
      organization(login: $login) {{ url login name isVerified requiresTwoFactorAuthentication }}
      {RATE_LIMIT}
    }}""",
    optional=("requiresTwoFactorAuthentication",),
)


class GitHubOrganization(Node, label="GitHubOrganization"):
    id: str = key("url")
    username: str = prop("login", "As GitHub spells it.", index=True)
    tenant: str = prop(scope_tenant, "What its members name it by: its login in lower case.", index=True)
    name: str | None = prop("name")
    is_verified: bool | None = prop("isVerified", "Its domain is its own.")
    two_factor_requirement_enabled: bool | None = prop("requiresTwoFactorAuthentication", "None: only owners are told.")


# Members hang on its node: whoever selects them needs it.
ORGANIZATION: Final = ResourceType(
    "github.organization",
    Per.TENANT,
    fetch=SingleObject(_ORGANIZATION, "organization"),
    yields=(GitHubOrganization,),
    aliases=("users",),
)
