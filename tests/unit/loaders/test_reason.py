from __future__ import annotations

import pytest

from loaders.reason import Reason, counted


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason(failure="denied", code="AccessDenied", action="ec2:DescribeVpcs"), "AccessDenied ec2:DescribeVpcs"),
        (
            Reason(failure="denied", code="NotSet", action="variable OKTA_TOKEN", detail="isn't set on this worker"),
            "NotSet variable OKTA_TOKEN: isn't set on this worker",
        ),
        (Reason(failure="denied", action="toy:Get", items=1), "denied toy:Get for 1 item"),
        (
            Reason(failure="transient", code="503", action="iam:ListUsers", detail="no response"),
            "transient: iam:ListUsers: no response",
        ),
        (Reason(failure="unexpected", code="KeyError", detail="'Name'"), "unexpected KeyError: 'Name'"),
        (Reason(failure="rejected", detail="Thing.id: missing", items=1), "1 item rejected: Thing.id: missing"),
        (
            Reason(failure="rejected", detail="Thing.id: missing", items=2),
            "2 items rejected, the first: Thing.id: missing",
        ),
        (Reason(detail="as an older version wrote it"), "as an older version wrote it"),
    ],
)
def test_a_reason_as_text_and_back_from_json(reason: Reason, text: str) -> None:
    assert str(reason) == text
    assert Reason.parse(reason.to_json()) == reason


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (
            Reason(failure="denied", code="AccessDenied", action="s3:GetBucketPolicy", items=2),
            "s3:GetBucketPolicy: AccessDenied (2 items)",
        ),
        (Reason(failure="transient", action="toy:Get", detail="no response"), "toy:Get: transient: no response"),
        (
            Reason(failure="rejected", detail="Thing.size: 'x' is str", items=1),
            "rejected: Thing.size: 'x' is str (1 item)",
        ),
        (Reason(detail="toy:Get: AccessDenied", items=3), "toy:Get: AccessDenied (3 items)"),
    ],
)
def test_a_gap_as_text(gap: Reason, text: str) -> None:
    assert gap.of_details() == text


@pytest.mark.parametrize(
    "text", ["", "AccessDenied ec2:DescribeVpcs", "{not json", "3 attempts ended", "[1]", '{"b":1']
)
def test_plain_text_of_an_older_version_is_kept(text: str) -> None:
    assert Reason.parse(text) == Reason(detail=text)
    assert str(Reason.parse(text)) == text


def test_what_a_later_version_adds_is_ignored() -> None:
    assert Reason.parse('{"action":"toy:Get","severity":"high"}') == Reason(action="toy:Get")


def test_numbers_have_their_plural() -> None:
    assert [counted(n, thing) for n, thing in ((1, "batch"), (2, "batch"), (1_200, "row"), (0, "scope"))] == [
        "1 batch",
        "2 batches",
        "1,200 rows",
        "0 scopes",
    ]
