"""Users, by their primary e-mail address in lower case, which is all that other sources know of them."""

from __future__ import annotations

from typing import Final

from tasks.provider import Node, Per, ResourceType, Source, key, link_through, listing, prop


def email(user: Source) -> str | None:
    address: str | None = user.item.get("primaryEmail")
    return address.lower() if address else None


class GSuiteUser(Node, label="GSuiteUser"):
    email: str = key(email, "The primary address, in lower case.")
    id: str = prop("id", "Google's own id. None: only another source names the user.", index=True)
    user_id: str = prop("id")
    primary_email: str = prop("primaryEmail", "As Google spells it.")
    name: str | None = prop("name.fullName")
    given_name: str | None = prop("name.givenName")
    family_name: str | None = prop("name.familyName")
    customer_id: str | None = prop("customerId")
    org_unit_path: str | None = prop("orgUnitPath")
    is_admin: bool | None = prop("isAdmin", "Whether the user is a super administrator.")
    is_delegated_admin: bool | None = prop("isDelegatedAdmin")
    is_enrolled_in_2_sv: bool | None = prop("isEnrolledIn2Sv", "Whether the user has a second factor.")
    is_enforced_in_2_sv: bool | None = prop("isEnforcedIn2Sv", "Whether the user must use a second factor.")
    suspended: bool | None = prop("suspended")
    archived: bool | None = prop("archived")
    agreed_to_terms: bool | None = prop("agreedToTerms")
    change_password_at_next_login: bool | None = prop("changePasswordAtNextLogin")
    creation_time: str | None = prop("creationTime")
    last_login_time: str | None = prop("lastLoginTime", "1970-01-01: never signed in.")
    include_in_global_address_list: bool | None = prop("includeInGlobalAddressList")
    ip_whitelisted: bool | None = prop("ipWhitelisted")
    is_mailbox_setup: bool | None = prop("isMailboxSetup")
    thumbnail_photo_etag: str | None = prop("thumbnailPhotoEtag")
    thumbnail_photo_url: str | None = prop("thumbnailPhotoUrl")
    etag: str | None = prop("etag")
    kind: str | None = prop("kind")
    relationships = (
        link_through("SyncGCPGrant", "_BY", "HAS_ALLOW_POLICY", "GCPPolicyBinding", on={"email": "email"}),
    )


USERS: Final = ResourceType(
    "gsuite.users",
    Per.TENANT,
    fetch=listing("directory:users.list", maxResults=500, orderBy="email"),
    yields=(GSuiteUser,),
    aliases=("users",),
)
