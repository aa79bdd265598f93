"""The scopes that a classic token needs, by what documents ask for.

GitHub publishes no list of them. It names them where one is missing: "The 'email' field requires one of the following
scopes: ['user:email', 'read:user']". And it says in general that what belongs to an organization and its teams needs
`read:org`, and a private repository `repo` (https://docs.github.com/apps/oauth-apps/building-oauth-apps/
scopes-for-oauth-apps).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# What reads a field, or a type, any one of them: the least first. What isn't here needs none of its own.
OF_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("user:email", "read:user"),
    "organization": ("read:org",),
    "Team": ("read:org",),
    "repositories": ("repo",),
    "Repository": ("repo",),  # a private one as well
    "DependencyGraphManifest": ("repo",),
}
_WORD: Final = re.compile(r"\w+")


def least(text: str) -> tuple[str, ...]:
    """The scopes that suffice for a document, sorted."""
    words = set(_WORD.findall(text))
    return tuple(sorted({scopes[0] for word, scopes in OF_WORDS.items() if word in words}))
