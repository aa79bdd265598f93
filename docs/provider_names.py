"""The names of tasks.provider with the first paragraph of each docstring, for docs/provider-api.md."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from typing import Final

from tasks import provider

_WIDTH: Final = 100
# Of what can't have a docstring of its own.
_SENTENCES: Final = {
    "NOT_SEEN": "Stands in an item for a detail that could not be read; any use of it raises NotSeen.",
    "NextPage": "What a paginator returns: a URL, or the parameters that change; None after the last page.",
}


def names() -> str:
    """A section per subject, an entry per name."""
    return "\n\n".join(_section(subject) for subject in provider.SUBJECTS)


def _section(subject: str) -> str:
    return "\n".join((f"## {subject}", "", *_entries(subject)))


def _entries(subject: str) -> Iterator[str]:
    for module_names in provider.SUBJECTS[subject].values():
        for name in module_names:
            entry = f"- `{name}`: {paragraph(name)}"
            yield textwrap.fill(entry, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def paragraph(name: str) -> str:
    """The first paragraph of its docstring. Raises LookupError if it has no docstring."""
    if name in _SENTENCES:
        return _SENTENCES[name]
    doc = inspect.getdoc(getattr(provider, name))
    if not doc:
        raise LookupError(f"tasks.provider.{name} has no docstring")
    return " ".join(doc.partition("\n\n")[0].split())
