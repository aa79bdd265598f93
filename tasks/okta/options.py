"""The options of Okta."""

from __future__ import annotations

import re
from typing import Final

from tasks.okta import saml
from tasks.provider import ProviderOptions, check_base_url, option


def check_org(value: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", value):
        return None
    return "must be one word, such as `example` for example.okta.com; a custom domain goes into okta_base_url"


class OktaOptions(ProviderOptions):
    okta_org_id: str | None = option(
        "the organization: the first word of <org>.okta.com; with okta_api_key_env_var, enables Okta",
        default=None,
        check=check_org,
        access=True,
        metavar="ORG",
    )
    okta_api_key_env_var: str | None = option(
        "NAME of the variable that holds the organization's API token",
        default=None,
        names_variable=True,
    )
    okta_base_url: str | None = option(
        "URL of the organization if it is not https://<org>.okta.com: a custom domain",
        default=None,
        check=check_base_url,
        access=True,
        metavar="URL",
    )
    okta_saml_role_regex: str = option(
        "which groups stand for AWS roles, by name: {{role}} and {{accountid}} mark the role and the account",
        default=saml.DEFAULT,
        check=saml.check,
        metavar="REGEX",
    )

    def conflicts(self) -> tuple[str, str] | None:
        """Organization and token are only given together."""
        if self.okta_org_id and not self.okta_api_key_env_var:
            return "okta_org_id", "needs okta_api_key_env_var: give the NAME of the variable that holds its token"
        if self.okta_api_key_env_var and not self.okta_org_id:
            return "okta_api_key_env_var", "needs okta_org_id: name the organization that the token belongs to"
        return None


OPTIONS: Final = OktaOptions
