"""CSV as RFC 4180 has it, whose cells no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from loaders.masking import mask
from loaders.shown_text import shown_text
from workers.fleet.outgoing_text import unguarded

# What a spreadsheet takes for the beginning of a formula, in full width as well.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def print_csv(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """With CR LF, which a guarded stream would show instead: each cell is guarded itself. Lists and maps are JSON."""
    writer = csv.writer(unguarded(sys.stdout), lineterminator="\r\n")
    writer.writerow(map(_text, columns))
    writer.writerows(map(_cell, row) for row in rows)


def _cell(value: Any) -> str:
    """A number is no formula, even if it is negative."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if isinstance(value, int | float) else _text(text)


def _text(text: str) -> str:
    guarded = shown_text(mask(text))
    return f"'{guarded}" if text.startswith(_FORMULA) or guarded.startswith(_FORMULA) else guarded
