"""The permission that the token's owner needs, by call. Okta's responses don't name it; its API description does, as
the OAuth scope that allows an application the same call.
"""

from __future__ import annotations

from typing import Final

_READER: Final = "Read-Only Administrator"
_SUPER: Final = "Super Administrator"
_RESOURCES: Final = {"api-tokens": "apiTokens", "org": "orgs", "zones": "networkZones"}  # others as in the path


def scope(action: str) -> str:
    """The permission: `okta.users.read`."""
    words = action.partition("/api/v1/")[2].split("/")
    if words[0] == "iam" or words[-1] == "roles":
        return "okta.roles.read"
    return f"okta.{_RESOURCES.get(words[0], words[0])}.read"


def role(action: str) -> str:
    """The least privileged of the standard administrator roles that has it."""
    return _SUPER if scope(action) == "okta.roles.read" else _READER


def needed(action: str) -> str:
    return f"needs {scope(action)}, as the role {role(action)} has"
