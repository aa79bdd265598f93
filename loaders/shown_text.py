"""Texts from outside, for people: what would control a terminal, or reorder a line, is shown instead."""

from __future__ import annotations

import re
from typing import Final

# Control characters; line and paragraph separators; what changes the direction of writing, invisibly; lone surrogates;
# tags, which are invisible. Those that join letters of Persian or Indian words, and emoji, stay.
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_OF_TEXT: Final = "\n\t"


def shown_line(text: str) -> str:
    r"""On one line: `\x1b[2J` instead of what clears the screen, `\n` instead of a new line."""
    return _CONTROL.sub(_escaped, text)


def shown_text(text: str) -> str:
    """The same, with lines and tabs as they are."""
    return _CONTROL.sub(lambda found: found[0] if found[0] in _OF_TEXT else _escaped(found), text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()
