"""Ids of statements: whole where people write their Sids, bounded where a program did."""

from __future__ import annotations

from tasks.aws.vocabulary.policy_document import MAX_SID_LENGTH, sid_in_id


def test_a_sid_stands_in_an_id_as_it_is() -> None:
    assert sid_in_id("AllowListing") == "AllowListing"
    assert sid_in_id("a" * MAX_SID_LENGTH) == "a" * LONGEST_SID


def test_a_sid_without_a_bound_is_shortened_and_stays_its_own() -> None:
    """A policy may be 20 kB long, and all of it one Sid: more than an index takes."""
    first, second = sid_in_id("a" * 19_000 + "1"), sid_in_id("a" * 19_000 + "2")
    assert first != second
    assert max(len(first), len(second)) < 200
