"""Queries by name: those that come with Chartfleet, and those of a directory of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from analysis.queries.query_file import Query, QueryFileError, queries
from loaders.errors import UsageError
from loaders.nearest import nearest

SHIPPED: Final = Path(__file__).parent


def shipped() -> dict[str, Query]:
    """The sample queries of the documentation."""
    return _by_name(SHIPPED.glob("*.cypher"))


def of_directory(directory: Path) -> dict[str, Query]:
    """Every *.cypher below a directory, hidden ones excepted. Raises QueryFileError."""
    if not directory.is_dir():
        reason = "not a directory" if directory.exists() else "no such directory"
        raise QueryFileError(f"--directory: {directory} is {reason}; name the directory that holds the *.cypher files")
    return _by_name(
        file
        for file in directory.rglob("*.cypher")
        if not any(part.startswith(".") for part in file.relative_to(directory).parts)
    )


def find(name: str, known: Mapping[str, Query]) -> Query:
    """By its name, or by the part after its file's if no other query has the same. Raises UsageError."""
    if name in known:
        return known[name]
    alike = [query for full, query in known.items() if full.endswith(f".{name}")]
    if len(alike) == 1:
        return alike[0]
    meant = [query.name for query in alike] or nearest(name, [*known, *(full.rpartition(".")[2] for full in known)])
    hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
    raise UsageError(f'no query "{name}"{hint} (`chartfleet query --list` lists them; a file has a name in .cypher)')


def _by_name(files: Iterable[Path]) -> dict[str, Query]:
    found: dict[str, Query] = {}
    places: dict[str, Path] = {}
    for file in sorted(files):
        for query in queries(file):
            if query.name in found:
                raise QueryFileError(
                    f"{file}: its query {query.name} is also in {places[query.name]}: rename one of the files"
                )
            found[query.name], places[query.name] = query, file
    return found
