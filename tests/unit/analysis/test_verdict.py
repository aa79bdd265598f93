"""How a verdict reads: the number, and what it could not see."""

from typing import Any

import pytest

from analysis.finding import Finding

DENIED = [(f"eu-south-{n} of 1111", "AccessDenied ec2:DescribeInstances") for n in range(1, 8)]


def finding(**fields: Any) -> Finding:
    return Finding(**{"job": "a job", "title": "exposed instances", "count": 0, "scopes": 51, **fields})


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (finding(), "0 exposed instances"),
        (finding(count=2, unknown=3), "2 exposed instances; 3 not known"),
        (finding(unknown=2, total=2), "exposed instances: not known for 2 of 2"),
        (
            finding(unknown=2, total=9, unknown_examples=[{"instance": "i-1", "why": "its groups were not read"}]),
            "exposed instances: not known for 2 of 9: i-1 (its groups were not read) and 1 more",
        ),
        (
            finding(not_seen=DENIED[:1]),
            "exposed instances: none in what was seen; 1 of 51 scopes not seen: "
            "eu-south-1 of 1111 (AccessDenied ec2:DescribeInstances)",
        ),
        (
            finding(details=[("1111", "s3:GetBucketPolicy: AccessDenied (2 items)")]),
            "exposed instances: none in what was seen; "
            "details not seen: 1111 (s3:GetBucketPolicy: AccessDenied (2 items))",
        ),
        (finding(earlier=1), "0 exposed instances; 1 scope as earlier runs saw them"),
        (finding(earlier=6), "0 exposed instances; 6 scopes as earlier runs saw them"),
        (finding(never_seen=["aws.x", "aws.y"]), "exposed instances not judged: aws.x, aws.y never seen"),
        (finding(never_seen=["aws.x"], count=4), "exposed instances not judged: aws.x never seen; 4 in what was seen"),
    ],
)
def test_text(verdict: Finding, text: str) -> None:
    assert str(verdict) == text


@pytest.mark.parametrize("gap", [{"unknown": 1}, {"not_seen": DENIED[:1]}, {"details": [("1111", "x")]}])
def test_no_verdict_begins_with_nought_where_something_is_not_known(gap: dict[str, Any]) -> None:
    assert not str(finding(**gap)).startswith("0")


def test_a_long_list_of_gaps_is_cut() -> None:
    text = str(finding(not_seen=DENIED))
    assert text.count("AccessDenied") == 5
    assert text.endswith(" and 2 more")
