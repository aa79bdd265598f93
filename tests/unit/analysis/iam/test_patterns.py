"""How the patterns of policies match texts, and each other."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.iam.patterns import covers, expression, goes_beyond, overlaps

TEXTS = ["".join(text) for length in range(8) for text in product("ab", repeat=length)]
PATTERNS = st.text("ab*?", max_size=4)


def matched(word: str) -> set[str]:
    """Of file names' patterns IAM has all but the sets in brackets."""
    return {text for text in TEXTS if fnmatchcase(text, word)}


@given(PATTERNS)
def test_a_pattern_matches_texts_as_that_of_a_file_name_does(word: str) -> None:
    assert {text for text in TEXTS if expression(word).fullmatch(text)} == matched(word)


@given(PATTERNS, PATTERNS)
def test_two_patterns_overlap_where_a_text_matches_both(one: str, other: str) -> None:
    assert overlaps(one, other) == bool(matched(one) & matched(other))


@given(PATTERNS, PATTERNS)
def test_a_pattern_covers_nothing_that_it_does_not_match(one: str, other: str) -> None:
    if covers(one, other):
        assert matched(other) <= matched(one)


@pytest.mark.parametrize(
    ("word", "other", "is_covered"),
    [
        ("redshift:*", "redshift:*", True),
        ("*", "redshift:*", True),
        ("redshift:*User", "redshift:*", False),
        ("redshift:?", "redshift:*", False),
        ("redshift:?*", "redshift:*?", True),
        ("redshift:?*", "redshift:??", True),
        ("redshift:??*", "redshift:?*", False),
        ("b/*", "b/?*", True),
        ("b/*/x", "b/?*", False),
        ("b/${*}", "b/*", False),
    ],
)
def test_covers(word: str, other: str, is_covered: bool) -> None:
    assert covers(word, other) is is_covered


@given(PATTERNS, st.text("ab", max_size=2))
def test_a_pattern_goes_beyond_a_text_where_it_matches_a_longer_one(word: str, start: str) -> None:
    assert goes_beyond(word, start) == any(text.startswith(start) and text != start for text in matched(word))


@given(PATTERNS, st.text("ab", max_size=2))
def test_it_may_go_on_with_some_characters_only(word: str, start: str) -> None:
    longer = {text for text in matched(word) if text.startswith(start) and text != start}
    assert goes_beyond(word, start, frozenset("a")) == any(set(text.removeprefix(start)) == {"a"} for text in longer)


def test_none_takes_long() -> None:
    start = time.monotonic()
    assert not overlaps("*a" * 1_500, "redshift:?")
    assert not covers("*a" * 1_500 + "b", "a" * 3_000 + "*")
    assert time.monotonic() - start < 2
