"""Files of queries: each below a comment with its name and the question that it asks, up to a semicolon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loaders.errors import UsageError

MAX_BYTES: Final = 1_000_000  # of a file: what is longer is not a query
_END: Final = re.compile(r";[ \t]*(?:\r?\n|$)")
_NAMED: Final = re.compile(r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*): +(?P<question>.+)", re.DOTALL)


class QueryFileError(UsageError, ValueError):
    """A file of queries, or the directory of them, that can't be used. The message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Query:
    """`name`: that of its file first, `aws.s3.public-buckets`."""

    name: str
    question: str
    text: str


def queries(file: Path) -> list[Query]:
    """The queries of a file. One that has no name in its comment has that of its file. Raises QueryFileError.

    `// public-buckets: Which buckets can anybody use`, the query, and a semicolon at the end of a line.
    """
    found = list(queries_of_text(file.stem, text_of(file)))
    names = [query.name for query in found]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise QueryFileError(
            f"{file}: {names.count(repeated)} queries are called {repeated}: "
            "begin the comment above each with a name of its own, `// public-buckets: which buckets ...`"
        )
    return found


def text_of(file: Path) -> str:
    """Raises QueryFileError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFileError(f"{file}: can't be read: {error}; make it a readable UTF-8 file of Cypher") from None
    if len(data) > MAX_BYTES:
        raise QueryFileError(f"{file}: is longer than {MAX_BYTES:,} bytes; give a file of Cypher queries")
    return text


def queries_of_text(stem: str, text: str) -> Iterator[Query]:
    """`stem`: what their names begin with, and the name of one that has none."""
    for block in _END.split(text):
        lines = block.strip().splitlines()
        first = next((number for number, line in enumerate(lines) if not line.startswith("//")), len(lines))
        comment = " ".join(line.removeprefix("//").strip() for line in lines[:first])
        if query := "\n".join(lines[first:]).strip():
            named = _NAMED.fullmatch(comment)
            yield Query(f"{stem}.{named['name']}", named["question"], query) if named else Query(stem, comment, query)
