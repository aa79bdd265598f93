"""The scopes that a classic token needs, by the fields of documents.

GitHub publishes no list. An error names the scopes of a field: "The 'email' field requires one of the following scopes:
['user:email', 'read:user']". In general, organizations and their teams need `read:org`, and private repositories `repo`
(https://docs.github.com/apps/oauth-apps/building-oauth-apps/
scopes-for-oauth-apps).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Scopes for a field or a type; any one suffices, the narrowest first. Whatever isn't here needs none.
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
