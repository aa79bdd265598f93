"""The company's GSuite: everyone is a user; group n holds every n-th, and group 0 is in group 1."""

from __future__ import annotations

from typing import Any, Final

from tests.servers.company.organization import Organization
from tests.servers.company.people import People, Person
from tests.servers.json_api import Asked, Reply, Route
from tests.servers.windows import Taken, Window

_FOLDER: Final = "/admin/directory/v1"


def refused(window: Window, taken: Taken) -> Reply:
    """As Google's APIs refuse: with 403, the reason in the body, and no word of how long."""
    errors = [{"domain": "usageLimits", "reason": "userRateLimitExceeded", "message": "User Rate Limit Exceeded"}]
    return Reply({"error": {"code": 403, "message": "User Rate Limit Exceeded", "errors": errors}}, 403)


def _user(person: Person) -> dict[str, Any]:
    return {
        "kind": "admin#directory#user",
        "id": f"{person.works_at.number + 1}{person.number:020}",
        "primaryEmail": person.email,
        "name": {"givenName": person.first, "familyName": person.last, "fullName": f"{person.first} {person.last}"},
        "isAdmin": person.number == 0,
        "isDelegatedAdmin": False,
        "suspended": False,
        "isEnrolledIn2Sv": person.number % 2 == 0,
        "customerId": f"C0{person.works_at.number + 1}abcdef",
        "orgUnitPath": "/",
    }


def _group(organization: Organization, number: int) -> dict[str, Any]:
    email = f"group{number}@{organization.domain}"
    id_ = f"g{organization.number}{number}"
    return {"kind": "admin#directory#group", "id": id_, "email": email, "name": f"Group {number}"}


def routes(people: People, groups: int, page: int) -> dict[str, Route]:
    """`page`: the most items of one."""
    whose = people.organization

    def group(asked: Asked) -> int:
        return int(asked.parameters["group"][2:])

    def users(asked: Asked) -> Reply:
        return paged("users", [_user(person) for person in people], asked, page)

    def all_groups(asked: Asked) -> Reply:
        return paged("groups", [_group(whose, number) for number in range(groups)], asked, page)

    def members(asked: Asked) -> Reply:
        number = group(asked)
        found: list[dict[str, Any]] = [
            {"id": _user(person)["id"], "email": person.email, "type": "USER", "role": "MEMBER"}
            for person in people
            if person.number % (number + 1) == 0
        ]
        if number == 1:
            inner = _group(whose, 0)
            found.append({"id": inner["id"], "email": inner["email"], "type": "GROUP", "role": "MEMBER"})
        return paged("members", found, asked, page)

    return {
        f"GET {_FOLDER}/users": users,
        f"GET {_FOLDER}/groups": all_groups,
        f"GET {_FOLDER}/groups/{{group}}": lambda asked: Reply(_group(whose, group(asked))),
        f"GET {_FOLDER}/groups/{{group}}/members": members,
    }


def paged(name: str, items: list[Any], asked: Asked, most: int) -> Reply:
    """A page as Google's APIs have it, of so many items at most; without the list where nothing is in it."""
    wanted = int(asked.query.get("maxResults") or asked.query.get("pageSize") or 100)
    size, start = min(wanted, most), int(asked.query.get("pageToken", 0))
    page: dict[str, Any] = {name: items[start : start + size]} if items else {}
    return Reply(page | ({"nextPageToken": str(start + size)} if start + size < len(items) else {}))
