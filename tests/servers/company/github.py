"""The company's GitHub: everyone is a member, person 0 owns it; a repository has a protected branch and a manifest."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, Final

from tests.servers.company import github_scopes
from tests.servers.company.people import People, Person
from tests.servers.json_api import Asked, Reply, Route
from tests.servers.windows import Taken, Window

TOKEN: Final = "ghp_not-a-secret"
TOKEN_WITHOUT_EMAIL: Final = "ghp_not-a-secret-either"
# What each token may, as the documentation asks for it; and as it is often made.
TOKENS: Final = {
    TOKEN: frozenset({"repo", "read:org", "user:email"}),
    TOKEN_WITHOUT_EMAIL: frozenset({"repo", "read:org"}),
}
_SITE: Final = "https://github.com"
_LARGEST_PAGE: Final = 100


def guard(asked: Asked) -> Reply | None:
    scopes = TOKENS.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
    if scopes is None:
        return Reply({"message": "Bad credentials"}, 401)
    refused = github_scopes.refused(json.loads(asked.body)["query"], scopes)
    return Reply(refused) if refused else None


def refused(window: Window, taken: Taken) -> Reply:
    wait = max(0.0, taken.reset - time.time())
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(taken.reset) + 1), "X-Seconds": f"{wait:.3f}"}
    return Reply({"message": "API rate limit exceeded"}, 403, headers)


def with_points(reply: Reply, window: Window, taken: Taken) -> Reply:
    reset = datetime.fromtimestamp(int(taken.reset) + 1, UTC).isoformat().replace("+00:00", "Z")
    points = {"cost": 1, "limit": window.limit, "remaining": taken.remaining, "resetAt": reset}
    return Reply({**reply.body, "data": {**reply.body["data"], "rateLimit": points}}, reply.status, reply.headers)


def _user(person: Person) -> dict[str, Any]:
    name, url = f"{person.first} {person.last}", f"{_SITE}/{person.login}"
    found = {"url": url, "login": person.login, "name": name, "email": person.email}
    return {**found, "company": None, "isSiteAdmin": False}


def _connection(items: list[Any], name: str = "nodes") -> dict[str, Any]:
    return {name: items, "pageInfo": {"endCursor": None, "hasNextPage": False}}


def _page(items: list[Any], variables: dict[str, Any], name: str, most: int) -> dict[str, Any]:
    start = int(variables.get("cursor") or 0)
    end = start + min(_LARGEST_PAGE, most)
    more = end < len(items)
    return {name: items[start:end], "pageInfo": {"endCursor": str(end) if more else None, "hasNextPage": more}}


def routes(people: People, repositories: int, page: int) -> dict[str, Route]:
    """`page`: the most items of one."""
    name = people.organization.name
    ids_of = f"{people.organization.number}_"
    everyone = [_user(person) for person in people]
    home, team = f"{_SITE}/{name}", f"{_SITE}/orgs/{name}/teams/everyone"

    def repository(id_: str) -> dict[str, Any]:
        number = int(id_.rpartition("_")[2])
        full_name = f"{name}/repository-{number}"
        return {
            "id": id_,
            "url": f"{_SITE}/{full_name}",
            "name": f"repository-{number}",
            "nameWithOwner": full_name,
            "description": None,
            "homepageUrl": None,
            "sshUrl": f"git@github.com:{full_name}.git",
            "createdAt": "2023-01-02T03:04:05Z",
            "updatedAt": "2023-01-02T03:04:05Z",
            "visibility": "PRIVATE" if number else "PUBLIC",
            "isPrivate": bool(number),
            "isArchived": False,
            "isDisabled": False,
            "isLocked": False,
            "isFork": False,
            "primaryLanguage": {"name": "Python"},
            "defaultBranchRef": {"id": f"REF_{ids_of}{number}", "name": "main"},
            "owner": {"__typename": "Organization", "url": home, "login": name},
            "languages": _connection([{"name": "Python"}, {"name": "Shell"}]),
            "branchProtectionRules": _connection(
                [{"id": f"BPR_{ids_of}{number}", "pattern": "main", "isAdminEnforced": False}]
            ),
            "direct": _connection([{"permission": "ADMIN", "node": everyone[0]}], "edges"),
            "outside": _connection([], "edges"),
            "dependencyGraphManifests": _connection(
                [
                    {
                        "id": f"DGM_{ids_of}{number}",
                        "filename": "requirements.txt",
                        "blobPath": f"/{full_name}/blob/main/requirements.txt",
                        "dependenciesCount": 1,
                        "parseable": True,
                        "exceedsMaxSize": False,
                        "dependencies": _connection(
                            [{"packageName": "requests", "requirements": f"= 2.{number % 10}", "packageManager": "PIP"}]
                        ),
                    }
                ]
            ),
        }

    of_everyone = [{"role": "MEMBER", "node": user} for user in everyone]

    def of_team(id_: str) -> dict[str, Any]:
        return {
            "id": id_,
            "url": team,
            "name": "Everyone",
            "slug": "everyone",
            "description": None,
            "privacy": "VISIBLE",
            "organization": {"url": home},
            "parentTeam": None,
            "members": _page(of_everyone, {}, "edges", page),
            "repositories": _connection([{"permission": "READ", "node": {"url": f"{home}/repository-0"}}], "edges"),
        }

    def more_members(asked: Asked) -> Reply:
        return _data({"node": {"members": _page(of_everyone, _variables(asked), "edges", page)}})

    organization = {"url": home, "login": name, "name": f"{name.title()} Inc.", "isVerified": True}
    members = [
        {"hasTwoFactorEnabled": n % 2 == 0, "role": "ADMIN" if n == 0 else "MEMBER", "node": user}
        for n, user in enumerate(everyone)
    ]
    ids = [{"id": f"R_{ids_of}{number}"} for number in range(repositories)]

    def of_organization(name: str, items: list[Any], kind: str = "nodes") -> Route:
        return lambda asked: _data({"organization": {name: _page(items, _variables(asked), kind, page)}})

    def by_ids(one: Any) -> Route:
        return lambda asked: _data({"nodes": [one(id_) for id_ in _variables(asked)["ids"]]})

    operations: dict[str, Route] = {
        "Organization": lambda asked: _data({"organization": organization}),
        "Members": of_organization("membersWithRole", members, "edges"),
        "RepositoryIds": of_organization("repositories", ids),
        "TeamIds": of_organization("teams", [{"id": f"T_{ids_of}0"}]),
        "Teams": by_ids(of_team),
        "MoreTeamMembers": more_members,
        **dict.fromkeys(("Repositories", "BranchProtectionRules", "Collaborators", "Manifests"), by_ids(repository)),
    }
    return {f"POST /graphql {name}": _asked_for(route) for name, route in operations.items()}


def _asked_for(route: Route) -> Route:
    """What the query asks for, of what the route has."""

    def answered(asked: Asked) -> Reply:
        reply = route(asked)
        return Reply({"data": github_scopes.projected(json.loads(asked.body)["query"], reply.body["data"])})

    return answered


def _variables(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked.body)["variables"]
    return found


def _data(data: dict[str, Any]) -> Reply:
    points = {"cost": 1, "limit": 5000, "remaining": 4900, "resetAt": "2030-01-01T00:00:00Z"}
    return Reply({"data": {**data, "rateLimit": points}})
