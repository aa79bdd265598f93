"""What CRXcavator knows of the company: everyone has one extension, every fourth person a risky one as well."""

from __future__ import annotations

from typing import Any, Final

from tests.servers.company.people import People
from tests.servers.json_api import Asked, Reply, Route
from tests.servers.windows import Taken, Window

KEY: Final = "crxcavator-key-not-a-secret"
RISKY: Final = "bbcdefghijklmnopabcdefghijklmnop"
COMMON: Final = "aapbdbdomjkkjkaonfhkkikfgjllcleb"


def guard(asked: Asked) -> Reply | None:
    return None if asked.headers.get("api-key") == KEY else Reply({"error": "unknown key"}, 401)


def refused(window: Window, taken: Taken) -> Reply:
    return Reply({"error": "too many requests"}, 429, {"Retry-After": "1", "X-Seconds": "1"})


def routes(people: People) -> dict[str, Route]:
    emails = [person.email for person in people]
    installed = {
        COMMON: {"2.0.7": {"name": "Translate", "users": [*emails, None]}},
        RISKY: {"1.0": {"name": "Page Saver", "users": [*emails[::4], "guest@elsewhere.example"]}},
    }

    def report(asked: Asked) -> Reply:
        risk = 455 if asked.parameters["extension"] == RISKY else 20
        found: dict[str, Any] = {
            "risk": {"total": risk, "permissions": {"total": risk}},
            "webstore": {"name": "Page Saver" if risk > 200 else "Translate", "permission_warnings": []},
        }
        return Reply({"data": found})

    return {
        "GET /group/users/extensions": lambda asked: Reply(installed),
        "GET /report/{extension}/{version}": report,
    }
