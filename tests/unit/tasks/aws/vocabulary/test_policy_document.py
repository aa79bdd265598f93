"""Sids in ids of statements: unchanged unless they are too long for an index."""

from __future__ import annotations

from tasks.aws.vocabulary.policy_document import MAX_SID_LENGTH, sid_in_id


def test_a_sid_is_part_of_an_id_unchanged() -> None:
    assert sid_in_id("AllowListing") == "AllowListing"
    assert sid_in_id("a" * MAX_SID_LENGTH) == "a" * MAX_SID_LENGTH


def test_a_very_long_sid_is_shortened_and_stays_unique() -> None:
    """A policy of 20 kB may consist of a single Sid: too long for an index."""
    first, second = sid_in_id("a" * 19_000 + "1"), sid_in_id("a" * 19_000 + "2")
    assert first != second
    assert max(len(first), len(second)) < 200
