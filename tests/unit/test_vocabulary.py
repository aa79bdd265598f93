"""The code and the pages use the field's terms: what a stranger would grep for is what it is called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    file
    for folder in ("workers", "tasks", "loaders", "analysis", "docs")
    for file in sorted((ROOT / folder).rglob("*"))
    if file.suffix in (".py", ".lua", ".md")
] + [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

# Where former names are listed as aliases, or explained.
ALIASES = {
    ROOT / "docs" / "compatibility.md",
    ROOT / "tasks" / "engine" / "legacy" / "names.py",
    ROOT / "workers" / "settings" / "declarations.py",
}

FORMER = {
    "answer": "response, or result",
    "Refusal": "ErrorResponse",
    "BadItem": "InvalidRecord",
    "kept aside": "rejected",
    "in_parts": "partition",
    "items_at": "items_path",
    "owner_at": "owner_path",
    "none_if": "absent_codes",
    "gone_if": "not_found_codes",
    "next_link": "LinkHeader",
    "RateBudget": "RateLimiter",
    "OwnBudget": "LocalRateLimiter",
    "patience_seconds": "redelivery_grace_seconds",
    "most_deaths": "max_crashes",
    r"MOST_\w+": "MAX_...",
    "unneeded": "delete_orphans",
    r"signs? of life": "heartbeat",
    "former_flags": "legacy_flags",
    "old_cypher": "cypher35",
    "turns? it on": "enables it",
    "(?<!there )is no (?:file|number|region|list|object)": "is not a ...",
}


@pytest.mark.parametrize(("former", "term"), FORMER.items())
def test_a_former_term_is_only_an_alias(former: str, term: str) -> None:
    pattern = re.compile(rf"\b(?:{former})\b", re.IGNORECASE)
    left = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in SOURCES
        if file not in ALIASES
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not left, f"say {term}"


def test_the_aliases_are_there() -> None:
    assert all(file.exists() for file in ALIASES)
