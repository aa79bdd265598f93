"""What IAM says of an account as a whole: the credentials of its root user, its totals, and its password policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Per, ResourceType, Source, at, constant, key, listing, named, prop

root_arn = arn_at("iam", constant("root"))


def account_id(account: Source) -> str | None:
    """The account number. Without a summary, None: that is no response."""
    return account.scope.tenant if account.item.get("SummaryMap") else None


def entry(name: str) -> Callable[[Source], int | None]:
    """A number of the summary, which is a map by name."""

    @named(f"SummaryMap.{name}")
    def value(account: Source) -> int | None:
        number: int | None = at(f"SummaryMap.{name}", account.item)
        return number

    return value


def root_virtual_mfa(account: Source) -> bool | None:
    """Whether the root user has a virtual device. Hardware devices and security keys aren't listed."""
    response = account.item["ListVirtualMFADevices"]
    if response is None:
        return None
    devices = response.get("VirtualMFADevices") or ()
    return any((device.get("User") or {}).get("Arn") == root_arn(account) for device in devices)


class AccountSummary(AWSNode, label="AWSAccount", shared=True):
    """None where the summary has never been read."""

    id: str = key(account_id, "12 digits.")
    account_mfa_enabled: int | None = prop(entry("AccountMFAEnabled"), "1 if the root user has a second factor, or 0.")
    account_access_keys_present: int | None = prop(
        entry("AccountAccessKeysPresent"), "1 if the root user has access keys, or 0."
    )
    account_password_present: int | None = prop(
        entry("AccountPasswordPresent"),
        "1 if the root user has a password, or 0: root credentials of member accounts may be removed.",
    )
    account_signing_certificates_present: int | None = prop(
        entry("AccountSigningCertificatesPresent"), "1 if the root user has signing certificates, or 0."
    )
    account_virtual_mfa_enabled: bool | None = prop(
        root_virtual_mfa, "Whether a second factor of the root user is a virtual device. None: could not be read."
    )
    users: int | None = prop(entry("Users"))
    groups: int | None = prop(entry("Groups"))
    roles: int | None = prop(entry("Roles"))
    policies: int | None = prop(entry("Policies"), "Managed by the account.")
    policy_versions_in_use: int | None = prop(entry("PolicyVersionsInUse"))
    instance_profiles: int | None = prop(entry("InstanceProfiles"))
    providers: int | None = prop(entry("Providers"), "Identity providers.")
    server_certificates: int | None = prop(entry("ServerCertificates"))
    mfa_devices: int | None = prop(entry("MFADevices"))
    mfa_devices_in_use: int | None = prop(entry("MFADevicesInUse"))


_POLICY: Final = "GetAccountPasswordPolicy.PasswordPolicy"


def is_set(account: Source) -> bool | None:
    response = account.item["GetAccountPasswordPolicy"]
    return None if response is None else bool(response)


class AWSPasswordPolicy(AWSNode, label="AWSPasswordPolicy", tenant="AWSAccount"):
    """The rules for passwords of IAM users. An account that sets none has this node all the same, without rules; the
    default of AWS then applies: at least 8 characters, of three kinds.
    """

    id: str = key(account_id, "The account number.")
    is_set: bool | None = prop(is_set, "Whether the account has a policy of its own. None: could not be read.")
    minimum_password_length: int | None = prop(f"{_POLICY}.MinimumPasswordLength")
    require_symbols: bool | None = prop(f"{_POLICY}.RequireSymbols")
    require_numbers: bool | None = prop(f"{_POLICY}.RequireNumbers")
    require_uppercase_characters: bool | None = prop(f"{_POLICY}.RequireUppercaseCharacters")
    require_lowercase_characters: bool | None = prop(f"{_POLICY}.RequireLowercaseCharacters")
    allow_users_to_change_password: bool | None = prop(f"{_POLICY}.AllowUsersToChangePassword")
    expire_passwords: bool | None = prop(f"{_POLICY}.ExpirePasswords")
    max_password_age: int | None = prop(f"{_POLICY}.MaxPasswordAge", "In days. Also None if passwords don't expire.")
    password_reuse_prevention: int | None = prop(
        f"{_POLICY}.PasswordReusePrevention", "How many previous passwords can't be used again. None: any can."
    )
    hard_expiry: bool | None = prop(f"{_POLICY}.HardExpiry", "Whether only an administrator can reset expired ones.")


ACCOUNT_SUMMARY: Final = ResourceType(
    "aws.iam.account_summary",
    Per.TENANT,
    fetch=listing("iam:GetAccountSummary", items_path="")
    .detail("iam:GetAccountPasswordPolicy", absent_codes="NoSuchEntity", gap=True)
    .detail("iam:ListVirtualMFADevices", constants={"AssignmentStatus": "Assigned"}, gap=True),
    yields=(AccountSummary, AWSPasswordPolicy),
)
