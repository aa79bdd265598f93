"""What each operator of a condition says, as AWS's tables have it."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.iam.condition_operators import RequestValue, entries, entry

DAY = "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("operator", "values", "found", "holds"),
    [
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["x", "y"], "y", True),
        ("StringEqualsIgnoreCase", "Ab", "aB", True),
        ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
        ("StringLike", "a?c*", "abc", True),
        ("StringLike", "a?c*", "ac", False),
        ("StringNotLike", ["x*", "y*"], "yes", False),
        ("ArnLike", "arn:aws:s3:::*/a", "arn:aws:s3:::b/a", True),
        ("ArnLike", "arn:aws:*:a", "arn:aws:s3:::a", None),
        ("ArnLike", "arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
        ("ArnLike", "arn:aws:*:role/x:::", "arn:aws:iam::1:role/x", False),
        ("ArnEquals", "arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
        ("ArnNotEquals", "arn:aws:iam::1:*", "arn:aws:iam::1:role/x", False),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericNotEquals", "10", "10.0", False),
        ("NumericEquals", "ten", "10", None),
        ("DateGreaterThan", DAY, "2026-03-01T00:00:01Z", True),
        ("DateLessThanEquals", DAY, "2026-03-01T01:00:00+01:00", True),
        ("DateEquals", DAY, "1772323200", True),
        ("DateEquals", "yesterday", DAY, None),
        ("Bool", True, "true", True),
        ("Bool", "False", "false", True),
        ("IpAddress", "198.51.100.0/24", "198.51.100.7", True),
        ("IpAddress", "198.51.100.7", "198.51.100.7", True),
        ("IpAddress", "0.0.0.0/0", "2600::1", False),
        ("NotIpAddress", "::/0", "2600::1", False),
        ("IpAddress", "here", "198.51.100.7", None),
        ("stringequals", "x", "x", True),
        ("StringIs", "x", "x", None),
    ],
)
def test_a_value(operator: str, values: Any, found: str, holds: bool | None) -> None:
    assert entry(operator, "aws:any", values).holds((found,)) is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("IpAddress", False),
        ("NotIpAddress", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
    ],
)
def test_a_key_that_the_request_has_not(operator: str, holds: bool) -> None:
    assert entry(operator, "aws:any", "x").holds(None) is holds


@pytest.mark.parametrize(
    ("operator", "found", "holds"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "z"), False),
        ("ForAnyValue:StringEquals", ("a", "z"), True),
        ("ForAnyValue:StringEquals", ("y", "z"), False),
        ("ForAllValues:StringNotEquals", ("y", "z"), True),
        ("ForAllValues:StringNotEquals", ("a", "z"), False),
        ("ForAnyValue:StringNotEquals", ("a", "z"), True),
        ("ForAnyValue:StringNotLike", ("a", "b"), False),
    ],
)
def test_a_key_with_several_values(operator: str, found: RequestValue, holds: bool) -> None:
    assert entry(operator, "aws:any", ["a", "b"]).holds(found) is holds


def test_null_asks_whether_the_key_is_there() -> None:
    assert [entry("Null", "k", "true").holds(found) for found in (None, ("x",))] == [True, False]
    assert [entry("Null", "k", False).holds(found) for found in (None, ("x",))] == [False, True]


def test_every_key_of_a_condition_is_asked_and_case_makes_no_difference() -> None:
    found = entries(
        {"StringEquals": {"aws:SourceVpc": "a", "AWS:sourcevpce": ["b", 1]}, "Bool": {"aws:SecureTransport": True}}
    )
    assert [(one.key, one.values) for one in found] == [
        ("aws:sourcevpc", ("a",)), ("aws:sourcevpce", ("b", "1")), ("aws:securetransport", ("true",))
    ]  # fmt: skip
    assert entries(None) == ()
    with pytest.raises(ValueError, match="Condition"):
        entries({"StringEquals": "x"})
