"""The explanation that the doctor adds to a denied identity call."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tasks.aws.doctor.access_check import _explained
from tasks.failures import CallFailed, Failure


def failed(action: str, cause: Exception | None) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        raise CallFailed(Failure.DENIED, action, "AccessDenied: not authorized") from cause
    return caught.value


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "GetCallerIdentity")


def test_a_denied_identity_call_names_the_usual_causes() -> None:
    text = _explained(failed("sts:GetCallerIdentity", DENIED))
    assert text.endswith("the cause is usually invalid or expired keys, or a service control policy")


@pytest.mark.parametrize(("action", "cause"), [("sts:AssumeRole", DENIED), ("sts:GetCallerIdentity", None)])
def test_other_errors_are_reported_as_they_are(action: str, cause: Exception | None) -> None:
    assert _explained(failed(action, cause)) == f"{action}: AccessDenied: not authorized"
