"""What somebody has accepted is hidden until its end, and counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from analysis.findings.suppression import Suppression, SuppressionFileError, read, sort

FINDING = {
    "rule": "aws-s3-public-bucket",
    "tenant": "aws/111122223333",
    "resource_key": "arn:aws:s3:::www-shop",
    "resource_name": "www-shop",
}
ACCEPTED = Suppression(rule="aws-s3-*", resource="www-*", until=date(2027, 1, 31), reason="The shop's own pages.")


def test_it_is_hidden_until_its_end_and_then_told_as_expired() -> None:
    last, after = (sort([FINDING], [ACCEPTED], date(2027, month, day)) for month, day in ((1, 31), (2, 1)))
    assert (last.shown, last.suppressed, last.expired) == ([], [(FINDING, ACCEPTED)], [])
    assert (after.shown, after.suppressed, after.expired) == ([FINDING], [], [ACCEPTED])


@pytest.mark.parametrize(("field", "pattern"), [("rule", "aws-ec2-*"), ("resource", "logs-*"), ("tenant", "aws/9999*")])
def test_it_covers_no_other(field: str, pattern: str) -> None:
    values = {"rule": "*", "resource": "*", "until": date.max, "reason": "test"} | {field: pattern}
    assert not Suppression(**values).covers(FINDING)  # type: ignore[arg-type]


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text("- {rule: aws-s3-*, resource: www-*, until: 2027-01-31, reason: The shop's own pages.}")
    assert read(file) == [ACCEPTED]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rule: x", "give a list of entries with rule, resource, until, reason"),
        ("- {rule: a, resource: b, until: 2027-01-31}", "entry 1: reason: is missing"),
        (
            "- {rule: a, resource: b, until: never, reason: c}",
            "entry 1: until: 'never': give the last day, as 2027-01-31",
        ),
        ("- {rule: a, resource: b, until: 2027-01-31, reason: c, tennant: d}", 'did you mean "tenant"?'),
        ("- {rule: 1, resource: b, until: 2027-01-31, reason: c}", "entry 1: rule: 1: give a text"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text(text)
    with pytest.raises(SuppressionFileError) as raised:
        read(file)
    assert message in str(raised.value)
