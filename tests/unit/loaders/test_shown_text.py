"""A name or a message from outside is shown as it is, and does nothing to the terminal that shows it."""

from __future__ import annotations

import pytest

from loaders.shown_text import shown_line, shown_text

# Names as people write them: with joiners between the parts of an emoji, and of a Persian word.
WORDS = "Grüße, 東京, \U0001f469\u200d\U0001f4bb, \u0645\u06cc\u200c\u062e\u0648"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J\x1b]0;title\x07b", r"a\x1b[2J\x1b]0;title\x07b"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\x08\x7f\x00", r"a\rb\x08\x7f\x00"),
        ("exe.\u202egpj\u2066\u200f", r"exe.\u202egpj\u2066\u200f"),
        ("line\u2028break\ud800", r"line\u2028break\ud800"),
        (WORDS, WORDS),
    ],
)
def test_what_controls_a_terminal_is_shown(text: str, shown: str) -> None:
    assert shown_line(text) == shown
    assert shown_text(text) == shown


def test_lines_stay_where_a_text_has_several() -> None:
    assert shown_text("a\n\tb") == "a\n\tb"
    assert shown_line("a\n\tb") == r"a\n\tb"
