"""Users, and the people behind them: one Human per e-mail address, whatever accounts it has elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tasks.okta.api import GONE
from tasks.okta.times import okta_time
from tasks.provider import (
    Node,
    Per,
    ResourceType,
    Source,
    at,
    id_link,
    incoming,
    key,
    link,
    link_through,
    listing,
    parent,
    prop,
)


def human_email(user: Source) -> str | None:
    """In lower case, because GSuite and others may spell it differently."""
    email = at("profile.email", user.item)
    return email.lower() if isinstance(email, str) and email else None


class OktaUser(Node, label="OktaUser", tenant="OktaOrganization"):
    id: str = key("id")
    login: str | None = prop("profile.login", index=True)
    email: str | None = prop("profile.email", index=True)
    second_email: str | None = prop("profile.secondEmail")
    first_name: str | None = prop("profile.firstName")
    last_name: str | None = prop("profile.lastName")
    status: str | None = prop("status", "ACTIVE, SUSPENDED, LOCKED_OUT, ...; deprovisioned users aren't listed.")
    created: str | None = prop(okta_time("created"))
    activated: str | None = prop(okta_time("activated"))
    status_changed: str | None = prop(okta_time("statusChanged"))
    last_login: str | None = prop(okta_time("lastLogin"), "None: never signed in.")
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    password_changed: str | None = prop(okta_time("passwordChanged"))
    transition_to_status: str | None = prop("transitioningToStatus")
    relationships = (
        incoming("IDENTITY_OKTA", "Human", human_email),
        link_through("SyncOktaRole", "_ROLE", "MEMBER_OF_OKTA_ROLE", "OktaAdministrationRole", on={"id": "assignee"}),
    )


def with_email(user: Source) -> Iterable[Any]:
    return [user.item] if human_email(user) else []


class Human(Node, label="Human", shared=True):
    email: str = key(human_email, "In lower case.")
    relationships = (link("IDENTITY_GSUITE", "GSuiteUser", on={"email": "email"}),)


USERS: Final = ResourceType(
    "okta.users",
    Per.TENANT,
    fetch=listing("GET /api/v1/users", limit=200),
    yields=(OktaUser, Human.each(with_email)),
    aliases=("users",),
)


class OktaUserFactor(Node, label="OktaUserFactor"):
    """What a user signs in with besides the password. Phone numbers and keys of its profile are not stored."""

    id: str = key("id")
    factor_type: str | None = prop("factorType", "push, sms, token:software:totp, webauthn, ...", index=True)
    provider: str | None = prop("provider")
    status: str | None = prop("status")
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    relationships = (id_link("FACTOR", "OktaUser", parent("id"), incoming=True),)


# One call per user takes an hour for 10,000 users, so it is done in parts.
FACTORS: Final = ResourceType(
    "okta.factors",
    Per.TENANT,
    fetch=listing("GET /api/v1/users", limit=200, not_found_codes=GONE)
    .partition(100, key="id")
    .detail("GET /api/v1/users/{id}/factors", id="id"),
    yields=(OktaUserFactor.each("factors[]"),),
    aliases=("factors",),
)
