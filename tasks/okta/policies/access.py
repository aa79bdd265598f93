"""App sign-in policies: what it takes to open an application, be it Okta's own dashboard or Admin Console."""

from __future__ import annotations

from typing import Final

from tasks.okta.policies.policy import OktaPolicy, OktaPolicyRule, policies_with_rules
from tasks.provider import Per, ResourceType, Source, at, elements, prop

_METHOD: Final = "actions.appSignOn.verificationMethod"


def phishing_resistant(rule: Source) -> bool | None:
    """Whether each of the alternatives that it accepts is; None if it names a chain of methods in their place."""
    if at(f"{_METHOD}.type", rule.item) != "ASSURANCE":
        return None
    alternatives = elements(at(f"{_METHOD}.constraints", rule.item))
    required = [at("possession.phishingResistant", one or {}) == "REQUIRED" for one in alternatives]
    return bool(required) and all(required)


class OktaAccessPolicy(OktaPolicy, label="OktaAccessPolicy", tenant="OktaOrganization"):
    pass


class OktaAccessPolicyRule(OktaPolicyRule, label="OktaAccessPolicyRule"):
    access: str | None = prop("actions.appSignOn.access", "ALLOW or DENY.")
    verification_type: str | None = prop(
        f"{_METHOD}.type", "ASSURANCE, or AUTH_METHOD_CHAIN: certain methods one after another."
    )
    factor_mode: str | None = prop(f"{_METHOD}.factorMode", "1FA or 2FA.")
    reauthenticate_in: str | None = prop(
        f"{_METHOD}.reauthenticateIn", "How long it isn't asked for again: PT2H. PT0S: each time."
    )
    phishing_resistant: bool | None = prop(
        phishing_resistant, "Whether it only accepts phishing-resistant authenticators. None: by a chain of methods."
    )


ACCESS_POLICIES: Final = ResourceType(
    "okta.policies.access",
    Per.TENANT,
    fetch=policies_with_rules("ACCESS_POLICY"),
    yields=(OktaAccessPolicy, OktaAccessPolicyRule.each("rules[]")),
)
