"""Global session policies: how long sessions last, and whether a password suffices to start one."""

from __future__ import annotations

from typing import Final

from tasks.okta.policies.policy import OktaPolicy, OktaPolicyRule, policies_with_rules
from tasks.provider import Per, ResourceType, prop


class OktaSignOnPolicy(OktaPolicy, label="OktaSignOnPolicy", tenant="OktaOrganization"):
    pass


class OktaSignOnPolicyRule(OktaPolicyRule, label="OktaSignOnPolicyRule"):
    access: str | None = prop("actions.signon.access", "ALLOW or DENY.")
    max_session_idle_minutes: int | None = prop("actions.signon.session.maxSessionIdleMinutes")
    max_session_lifetime_minutes: int | None = prop(
        "actions.signon.session.maxSessionLifetimeMinutes", "0: without limit."
    )
    use_persistent_cookie: bool | None = prop(
        "actions.signon.session.usePersistentCookie", "Whether a session outlives its browser."
    )
    require_factor: bool | None = prop("actions.signon.requireFactor", "Whether a second factor is needed.")
    primary_factor: str | None = prop(
        "actions.signon.primaryFactor", "PASSWORD_IDP, or PASSWORD_IDP_ANY_FACTOR: any factor suffices."
    )
    factor_prompt_mode: str | None = prop(
        "actions.signon.factorPromptMode", "When the second factor is asked for: ALWAYS, per DEVICE or per SESSION."
    )
    factor_lifetime_minutes: int | None = prop(
        "actions.signon.factorLifetime", "How long the second factor isn't asked for again."
    )


SIGN_ON_POLICIES: Final = ResourceType(
    "okta.policies.sign_on",
    Per.TENANT,
    fetch=policies_with_rules("OKTA_SIGN_ON"),
    yields=(OktaSignOnPolicy, OktaSignOnPolicyRule.each("rules[]")),
)
