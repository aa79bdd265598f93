"""Password policies: length, complexity, age, history and lockout."""

from __future__ import annotations

from typing import Final

from tasks.okta.policies.policy import OktaPolicy, OktaPolicyRule, policies_with_rules
from tasks.provider import Per, ResourceType, prop

_AGE: Final = "settings.password.age"
_COMPLEXITY: Final = "settings.password.complexity"
_LOCKOUT: Final = "settings.password.lockout"


class OktaPasswordPolicy(OktaPolicy, label="OktaPasswordPolicy", tenant="OktaOrganization"):
    auth_provider: str | None = prop(
        "conditions.authProvider.provider", "Whose passwords it is for: OKTA, ACTIVE_DIRECTORY, LDAP or ANY."
    )
    min_length: int | None = prop(f"{_COMPLEXITY}.minLength")
    min_lower_case: int | None = prop(f"{_COMPLEXITY}.minLowerCase")
    min_upper_case: int | None = prop(f"{_COMPLEXITY}.minUpperCase")
    min_number: int | None = prop(f"{_COMPLEXITY}.minNumber")
    min_symbol: int | None = prop(f"{_COMPLEXITY}.minSymbol")
    exclude_username: bool | None = prop(f"{_COMPLEXITY}.excludeUsername")
    exclude_attributes: list[str] | None = prop(
        f"{_COMPLEXITY}.excludeAttributes", "Attributes of the user, such as firstName, that it must not contain."
    )
    exclude_common: bool | None = prop(
        f"{_COMPLEXITY}.dictionary.common.exclude", "Whether commonly used passwords are rejected."
    )
    history_count: int | None = prop(f"{_AGE}.historyCount", "Earlier passwords that can't be used again. 0: none.")
    min_age_minutes: int | None = prop(f"{_AGE}.minAgeMinutes", "0: it may be changed again at once.")
    max_age_days: int | None = prop(f"{_AGE}.maxAgeDays", "0: it never expires.")
    lockout_max_attempts: int | None = prop(
        f"{_LOCKOUT}.maxAttempts", "Wrong passwords until the account is locked. 0: never."
    )
    lockout_auto_unlock_minutes: int | None = prop(f"{_LOCKOUT}.autoUnlockMinutes", "0: an administrator unlocks it.")


class OktaPasswordPolicyRule(OktaPolicyRule, label="OktaPasswordPolicyRule"):
    password_change: str | None = prop("actions.passwordChange.access", "ALLOW or DENY.")
    self_service_password_reset: str | None = prop("actions.selfServicePasswordReset.access", "ALLOW or DENY.")
    self_service_unlock: str | None = prop("actions.selfServiceUnlock.access", "ALLOW or DENY.")


PASSWORD_POLICIES: Final = ResourceType(
    "okta.policies.password",
    Per.TENANT,
    fetch=policies_with_rules("PASSWORD"),
    yields=(OktaPasswordPolicy, OktaPasswordPolicyRule.each("rules[]")),
)
