"""The scopes that a classic token needs, by the fields that documents ask for.

GitHub publishes no list of them. It names them where one is missing: "The 'email' field requires one of the following
scopes: ['user:email', 'read:user']". And it says in general that what belongs to an organization and its teams needs
`read:org`, and a private repository `repo` (https://docs.github.com/apps/oauth-apps/building-oauth-apps/
scopes-for-oauth-apps).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# What reads a field, any one of them: the least first. Fields that aren't here need none of their own.
OF_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    # User
    "email": ("user:email", "read:user"),
    # Organization
    "organization": ("read:org",),
    "membersWithRole": ("read:org",),
    "hasTwoFactorEnabled": ("read:org",),
    "requiresTwoFactorAuthentication": ("read:org",),
    "repositories": ("repo",),
    "teams": ("read:org",),
    # Team
    "members": ("read:org",),
    "parentTeam": ("read:org",),
    "privacy": ("read:org",),
    # Repository, private ones as well
    "nameWithOwner": ("repo",),
    "languages": ("repo",),
    "collaborators": ("repo",),
    "branchProtectionRules": ("repo",),
    "dependencyGraphManifests": ("repo",),
    "dependencies": ("repo",),
}
_WORD: Final = re.compile(r"\w+")


def least(text: str) -> tuple[str, ...]:
    """The scopes that suffice for a document, sorted. What contains a repository also says whose it is."""
    fields = set(_WORD.findall(text))
    return tuple(sorted({scopes[0] for field, scopes in OF_FIELDS.items() if field in fields}))
