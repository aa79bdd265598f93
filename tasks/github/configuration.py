"""What the variable holds: base64 of `{"organization": [{"token": ..., "url": ..., "name": ...}, ...]}`.

`url` is where GraphQL is served: https://api.github.com/graphql, or https://<server>/api/graphql.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loaders.masking import keep_secret
from tasks.clients.base_url import host_of
from tasks.clients.variables import check_allowed
from tasks.provider import check_base_url

_PATH: Final = "/graphql"
_PUBLIC: Final = "api.github.com"
_EXAMPLE: Final = (
    'base64 of {"organization": [{"token": "...", "url": "https://api.github.com/graphql", "name": "..."}]}'
)


@dataclass(frozen=True, slots=True)
class Organization:
    """`credentials`: names the token without revealing it; several organizations may share one."""

    login: str
    base_url: str
    credentials: str
    token: str = field(repr=False)

    @property
    def tenant(self) -> str:
        """Its login in lower case, as GitHub ignores case. With the host for an Enterprise Server, as two servers may
        have organizations of the same name.
        """
        host, login = host_of(self.base_url).lower(), self.login.lower()
        return login if host == _PUBLIC else f"{login}@{host}"


def read(variable: str) -> list[Organization]:
    """Raises ValueError, whose message has nothing of what the variable holds; CallFailed if it is not to be read."""
    check_allowed(variable)
    text = "".join(os.environ.get(variable, "").split())  # the command `base64` breaks lines
    keep_secret(text)
    if not text:
        raise ValueError("isn't set, or empty: export it where the workers run")
    try:
        document = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"must be {_EXAMPLE}") from None
    entries = document.get("organization") if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"has no list `organization`; it must be {_EXAMPLE}")
    tokens: list[str] = []
    organizations: dict[str, Organization] = {}
    for number, entry in enumerate(entries, start=1):
        _check(entry, number)
        token = entry["token"].strip()
        keep_secret(token)
        if token not in tokens:
            tokens.append(token)
        url = entry["url"].removesuffix("/").removesuffix(_PATH)
        credentials = f"{host_of(url)}#{tokens.index(token) + 1}"
        organization = Organization(entry["name"], url, credentials, token)
        if organization.tenant in organizations:
            raise ValueError(f"has {organization.tenant} twice, again as organization {number}: remove one")
        organizations[organization.tenant] = organization
    return list(organizations.values())


def _check(entry: Any, number: int) -> None:
    where = f"organization {number}"
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where} is not an object with token, url and name")  # noqa: TRY004  # as for every mistake
    for name in ("token", "url", "name"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise ValueError(f"{where} has no {name}")
    if problem := check_base_url(entry["url"]):
        raise ValueError(f"{where}: its url {problem}")
    if not entry["url"].removesuffix("/").endswith(_PATH):
        raise ValueError(f"{where}: its url must end in {_PATH}: https://api.github.com/graphql")
    if "/" in entry["name"] or "@" in entry["name"]:
        raise ValueError(f"{where}: its name must be the organization's login, as in github.com/<login>")
