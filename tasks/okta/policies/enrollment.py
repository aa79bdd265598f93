"""Enrollment policies: which authenticators users must, may or can't set up, and when they are asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tasks.okta.policies.policy import OktaPolicy, OktaPolicyRule, policies_with_rules
from tasks.provider import Per, ResourceType, Source, at, elements, named, prop


def authenticators(enrollment: str) -> Callable[[Source], list[str] | None]:
    """The keys of the authenticators with this enrollment; None if the policy lists factors in their place."""

    @named(f"authenticators({enrollment!r})", f"`settings.authenticators[].key`, where `enroll.self` is {enrollment}.")
    def found(policy: Source) -> list[str] | None:
        listed = at("settings.authenticators", policy.item)
        if listed is None:
            return None
        keys = [one.get("key") for one in elements(listed) if one and at("enroll.self", one) == enrollment]
        return sorted(key for key in keys if key)

    return found


class OktaMfaEnrollPolicy(OktaPolicy, label="OktaMfaEnrollPolicy", tenant="OktaOrganization"):
    required_authenticators: list[str] | None = prop(
        authenticators("REQUIRED"), "okta_verify, webauthn, ... None: an organization of the Classic Engine."
    )
    optional_authenticators: list[str] | None = prop(authenticators("OPTIONAL"))


class OktaMfaEnrollPolicyRule(OktaPolicyRule, label="OktaMfaEnrollPolicyRule"):
    enroll: str | None = prop(
        "actions.enroll.self", "When users are asked to: LOGIN, CHALLENGE: once a second factor is needed, or NEVER."
    )


MFA_ENROLL_POLICIES: Final = ResourceType(
    "okta.policies.mfa_enroll",
    Per.TENANT,
    fetch=policies_with_rules("MFA_ENROLL"),
    yields=(OktaMfaEnrollPolicy, OktaMfaEnrollPolicyRule.each("rules[]")),
)
