"""The company's Okta: everyone has an account, every second one a second factor; group n holds every n-th person."""

from __future__ import annotations

import time
from typing import Any, Final

from tests.servers.company.organization import Organization
from tests.servers.company.people import People, Person
from tests.servers.json_api import Asked, Reply, Route, pages_of
from tests.servers.windows import Taken, Window

TOKEN: Final = "okta-token-not-a-secret"
AWS_GROUP: Final = "aws#shop#engineer#123456789012"  # of person 0
_TIME: Final = "2023-06-24T16:39:18.000Z"
_LARGEST_PAGE: Final = {
    "/api/v1/users": 200,
    "/api/v1/groups": 1000,
    "/api/v1/apps": 200,
    "/api/v1/trustedOrigins": 200,
}

_NONE: Final = ("api-tokens", "authenticators", "logStreams", "zones")  # of these it has none


def guard(asked: Asked) -> Reply | None:
    if asked.headers.get("authorization") == f"SSWS {TOKEN}":
        return None
    return Reply({"errorCode": "E0000011", "errorSummary": "Invalid token provided"}, 401)


def limits(window: Window, taken: Taken) -> dict[str, str]:
    return {
        "X-Rate-Limit-Limit": str(window.limit),
        "X-Rate-Limit-Remaining": str(taken.remaining),
        "X-Rate-Limit-Reset": str(int(taken.reset) + 1),
    }


def refused(window: Window, taken: Taken) -> Reply:
    wait = max(0.0, taken.reset - time.time())
    said = {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests."}
    return Reply(said, 429, {**limits(window, taken), "X-Seconds": f"{wait:.3f}"})


def user_id(person: Person) -> str:
    return f"00u{person.works_at.number}{person.number:016}"


def group_id(organization: Organization, number: int) -> str:
    return f"00g{organization.number}{number:016}"


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": user_id(person),
        "status": "ACTIVE",
        "created": _TIME,
        "activated": _TIME,
        "statusChanged": _TIME,
        "lastLogin": _TIME,
        "lastUpdated": _TIME,
        "passwordChanged": _TIME,
        "profile": {"firstName": person.first, "lastName": person.last, "login": person.email, "email": person.email},
    }


def _group(organization: Organization, number: int) -> dict[str, Any]:
    name = AWS_GROUP if number == 0 else f"Group {number}"
    return {"id": group_id(organization, number), "type": "OKTA_GROUP", "profile": {"name": name, "description": None}}


def members_of(group: int, people: People) -> list[Person]:
    return [people[0]] if group == 0 else [person for person in people if person.number % (group + 1) == 0]


def _application(organization: Organization) -> dict[str, Any]:
    return {
        "id": f"0oa{organization.number}0000000000000001",
        "name": "amazon_aws",
        "label": "AWS Account Federation",
        "status": "ACTIVE",
        "created": _TIME,
        "activated": _TIME,
        "lastUpdated": _TIME,
        "features": [],
        "signOnMode": "SAML_2_0",
        "settings": {"oauthClient": {"redirect_uris": [f"https://signin.{organization.domain}/saml"]}},
    }


def _origin(organization: Organization) -> dict[str, Any]:
    return {
        "id": f"tos{organization.number}0000000000000001",
        "name": "Portal",
        "origin": f"https://portal.{organization.domain}",
        "scopes": [{"type": "CORS"}],
        "status": "ACTIVE",
        "created": _TIME,
        "createdBy": "00u1",
        "lastUpdated": _TIME,
        "lastUpdatedBy": "00u1",
    }


_SESSION: Final = {"maxSessionIdleMinutes": 120, "maxSessionLifetimeMinutes": 0, "usePersistentCookie": False}
_PASSWORD: Final = {
    "complexity": {"minLength": 8, "minLowerCase": 1, "minUpperCase": 1, "minNumber": 1, "minSymbol": 0},
    "age": {"maxAgeDays": 0, "minAgeMinutes": 0, "historyCount": 4},
    "lockout": {"maxAttempts": 10, "autoUnlockMinutes": 0},
}
_AUTHENTICATORS: Final = [{"key": "okta_verify", "enroll": {"self": "OPTIONAL"}}]
_VERIFICATION: Final = {"type": "ASSURANCE", "factorMode": "1FA", "reauthenticateIn": "PT12H", "constraints": []}
# By type: the settings of the default policy, and what its default rule does.
_POLICIES: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "OKTA_SIGN_ON": ({}, {"signon": {"access": "ALLOW", "requireFactor": False, "session": _SESSION}}),
    "PASSWORD": ({"password": _PASSWORD}, {"passwordChange": {"access": "ALLOW"}}),
    "MFA_ENROLL": ({"authenticators": _AUTHENTICATORS}, {"enroll": {"self": "CHALLENGE"}}),
    "ACCESS_POLICY": ({}, {"appSignOn": {"access": "ALLOW", "verificationMethod": _VERIFICATION}}),
}


def _default_policies(organization: Organization, type_: str) -> list[dict[str, Any]]:
    number = list(_POLICIES).index(type_)
    policy = {"id": f"00p{organization.number}{number:016}", "name": "Default Policy", "type": type_, "priority": 1}
    return [{**policy, "status": "ACTIVE", "system": True, "settings": _POLICIES[type_][0]}]


def _default_rules(policy_id: str) -> list[dict[str, Any]]:
    type_ = list(_POLICIES)[int(policy_id[4:])]
    rule = {"id": f"0pr{policy_id[3:]}", "name": "Default Rule", "type": type_.removeprefix("OKTA_"), "priority": 1}
    return [{**rule, "status": "ACTIVE", "system": True, "actions": _POLICIES[type_][1]}]


_SUPER_ADMIN: Final = {"id": "ra1", "label": "Super Administrator", "type": "SUPER_ADMIN", "status": "ACTIVE"}


def routes(people: People, groups: int, page: int) -> dict[str, Route]:
    """`page`: the most items of one."""
    whose = people.organization
    application = _application(whose)

    def paged(items: list[Any], asked: Asked) -> Reply:
        size = min(page, int(asked.query.get("limit", 200)), _LARGEST_PAGE.get(asked.path, 1000))
        return pages_of(items, size, asked)

    def members(asked: Asked) -> Reply:
        return paged([_user(one) for one in members_of(_number(asked), people)], asked)

    def factors(asked: Asked) -> Reply:
        number = _number(asked)
        factor = {
            "id": f"ufs{whose.number}{number:016}",
            "factorType": "webauthn" if number else "sms",
            "provider": "FIDO",
            "status": "ACTIVE",
            "created": _TIME,
            "lastUpdated": _TIME,
            "profile": {"phoneNumber": "+1-555-0100"},
        }
        return Reply([factor] if number % 2 == 0 else [])

    organization = {
        "id": f"00o{whose.number + 1}",
        "subdomain": whose.name,
        "companyName": f"{whose.name.title()} Inc.",
        "status": "ACTIVE",
    }
    return {
        "GET /api/v1/org": lambda asked: Reply(organization),
        "GET /api/v1/users": lambda asked: paged([_user(person) for person in people], asked),
        "GET /api/v1/users/{id}/factors": factors,
        "GET /api/v1/users/{id}/roles": lambda asked: Reply([_SUPER_ADMIN]),
        "GET /api/v1/iam/assignees/users": lambda asked: Reply({"value": [{"id": user_id(people[0])}], "_links": {}}),
        "GET /api/v1/groups": lambda asked: paged([_group(whose, number) for number in range(groups)], asked),
        "GET /api/v1/groups/{id}": lambda asked: Reply(_group(whose, _number(asked))),
        "GET /api/v1/groups/{id}/users": members,
        "GET /api/v1/groups/{id}/roles": lambda asked: Reply([]),
        "GET /api/v1/apps": lambda asked: paged([application], asked),
        "GET /api/v1/apps/{id}": lambda asked: Reply(application),
        "GET /api/v1/apps/{id}/users": lambda asked: paged([{"id": user_id(people[0])}], asked),
        "GET /api/v1/apps/{id}/groups": lambda asked: paged([{"id": group_id(whose, 0)}], asked),
        **{
            f"GET /api/v1/{name}": lambda asked: Reply([])
            for name in ("api-tokens", "authenticators", "logStreams", "zones")
        },
        **{f"GET /api/v1/{name}": lambda asked: Reply([]) for name in _NONE},
        "GET /api/v1/policies": lambda asked: paged(_default_policies(whose, asked.query["type"]), asked),
        "GET /api/v1/policies/{id}/rules": lambda asked: Reply(_default_rules(asked.parameters["id"])),
        "GET /api/v1/trustedOrigins": lambda asked: paged([_origin(whose)], asked),
    }


def _number(asked: Asked) -> int:
    return int(asked.parameters["id"][4:])
