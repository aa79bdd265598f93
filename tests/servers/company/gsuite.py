"""The company's GSuite: everyone is a user; group n holds every n-th, and group 0 is in group 1."""

from __future__ import annotations

from typing import Any, Final

from tests.servers.company.people import People, Person
from tests.servers.json_api import Asked, Reply, Route
from tests.servers.windows import Taken, Window

CUSTOMER: Final = "C01abcdef"
_FOLDER: Final = "/admin/directory/v1"


def refused(window: Window, taken: Taken) -> Reply:
    """As Google's APIs refuse: with 403, the reason in the body, and no word of how long."""
    errors = [{"domain": "usageLimits", "reason": "userRateLimitExceeded", "message": "User Rate Limit Exceeded"}]
    return Reply({"error": {"code": 403, "message": "User Rate Limit Exceeded", "errors": errors}}, 403)


def _user(person: Person) -> dict[str, Any]:
    return {
        "kind": "admin#directory#user",
        "id": f"1{person.number:020}",
        "primaryEmail": person.email,
        "name": {"givenName": person.first, "familyName": person.last, "fullName": f"{person.first} {person.last}"},
        "isAdmin": person.number == 0,
        "isDelegatedAdmin": False,
        "suspended": False,
        "isEnrolledIn2Sv": person.number % 2 == 0,
        "customerId": CUSTOMER,
        "orgUnitPath": "/",
    }


def _group(number: int) -> dict[str, Any]:
    email = f"group{number}@{People.DOMAIN}"
    return {"kind": "admin#directory#group", "id": f"g{number}", "email": email, "name": f"Group {number}"}


def routes(people: People, groups: int) -> dict[str, Route]:
    def members(asked: Asked) -> Reply:
        number = int(asked.parameters["group"].removeprefix("g"))
        found: list[dict[str, Any]] = [
            {"id": _user(person)["id"], "email": person.email, "type": "USER", "role": "MEMBER"}
            for person in people
            if person.number % (number + 1) == 0
        ]
        if number == 1:
            found.append({"id": "g0", "email": _group(0)["email"], "type": "GROUP", "role": "MEMBER"})
        return paged("members", found, asked)

    return {
        f"GET {_FOLDER}/users": lambda asked: paged("users", [_user(person) for person in people], asked),
        f"GET {_FOLDER}/groups": lambda asked: paged("groups", [_group(number) for number in range(groups)], asked),
        f"GET {_FOLDER}/groups/{{group}}": lambda asked: Reply(_group(int(asked.parameters["group"][1:]))),
        f"GET {_FOLDER}/groups/{{group}}/members": members,
    }


def paged(name: str, items: list[Any], asked: Asked) -> Reply:
    """A page as Google's APIs have it; without the list where nothing is in it."""
    size = int(asked.query.get("maxResults") or asked.query.get("pageSize") or 100)
    start = int(asked.query.get("pageToken", 0))
    page: dict[str, Any] = {name: items[start : start + size]} if items else {}
    return Reply(page | ({"nextPageToken": str(start + size)} if start + size < len(items) else {}))
