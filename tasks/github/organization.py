"""The organization itself."""

from __future__ import annotations

from typing import Final

from tasks.github.api import RATE_LIMIT
from tasks.provider import Document, Node, Per, ResourceType, SingleObject, key, prop, scope_tenant

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
    tenant: str = prop(scope_tenant, "Its login in lower case, by which memberships name it.", index=True)
    name: str | None = prop("name")
    is_verified: bool | None = prop("isVerified", "Whether GitHub has verified its domain.")
    two_factor_requirement_enabled: bool | None = prop(
        "requiresTwoFactorAuthentication", "None: only visible to owners."
    )


# Members have edges to its node: selecting them selects it as well.
ORGANIZATION: Final = ResourceType(
    "github.organization",
    Per.TENANT,
    fetch=SingleObject(_ORGANIZATION, "organization"),
    yields=(GitHubOrganization,),
    aliases=("users",),
)
