"""Titles, tables and indented blocks of the report, as wide as the console. No line ends in blanks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


def table(*names: str) -> Table:
    columns = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    for name in names:
        columns.add_column(name, overflow="fold")
    return columns


def title(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def indented(console: Console, what: RenderableType, by: int = 2) -> None:
    """Print without markup, without trailing blanks, and wrapped only at the console's width."""
    options = console.options.update(width=max(console.width - by, 1), highlight=False, markup=False)
    for segments in console.render_lines(what, options, pad=False):
        line = Text(" " * by)
        for segment in segments:
            line.append(segment.text, segment.style)
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False)


def counts(statuses: Mapping[str, int]) -> str:
    """`4 complete, 1 denied`"""
    return ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()) if count) or "none yet"


def shortened(words: Iterable[str], limit: int, thing: str) -> str:
    """The first words, and how many more there are."""
    all_words = list(words)
    rest = len(all_words) - limit
    more = f", and {rest} more {thing}{'s' if rest > 1 else ''}" if rest > 0 else ""
    return ", ".join(all_words[:limit]) + more
