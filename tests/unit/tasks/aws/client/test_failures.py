"""Classes of AWS error codes: every error in the models of the services that are called."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker

from tasks.aws.client.credentials import service_model
from tasks.aws.client.endpoints import says_no_such_call
from tasks.aws.client.failures import classify
from tasks.engine import registry
from tasks.failures import Failure

SERVICES = sorted({call.partition(":")[0] for type_ in registry.of("aws") for call in type_.fetch.calls})
TOO_OFTEN = re.compile(r"(?i)throttl|slow_?down|too_?many_?requests|rate_?exceeded|request_?limit_?exceeded")
ALREADY_TOO_MANY = re.compile(
    r"RequestLimitExceeded$"
)  # CapacityDecreaseRequestLimitExceeded (elbv2) is not about rates


def error(code: str, *, status: int = 400, message: str = "", operation: str = "DescribeThings") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)  # type: ignore[arg-type]


@pytest.mark.parametrize("service", SERVICES)
def test_every_throttling_error_of_a_model_is_a_throttle(service: str) -> None:
    for shape in service_model(service).error_shapes:
        code = shape.metadata.get("error", {}).get("code") or shape.name
        by_name = TOO_OFTEN.search(code) and not (ALREADY_TOO_MANY.search(code) and code != "RequestLimitExceeded")
        trait = (shape.metadata.get("retryable") or {}).get("throttling")
        if by_name or trait:
            assert classify(error(code), service) is Failure.THROTTLED, code


@pytest.mark.parametrize("service", SERVICES)
def test_every_server_error_of_a_model_is_retried(service: str) -> None:
    for shape in service_model(service).error_shapes:
        details = shape.metadata.get("error", {})
        code = details.get("code") or shape.name
        if shape.metadata.get("fault") or re.search(r"(?i)^(kms)?internal|service_?unavailable", code):
            assert classify(error(code, status=details.get("httpStatusCode", 400)), service) in (
                Failure.TRANSIENT,
                Failure.THROTTLED,
            ), code


def test_every_throttling_code_of_botocore_is_a_throttle() -> None:
    """The codes that its own retries treat as throttling."""
    checker: Any = ThrottledRetryableChecker
    codes = checker._THROTTLED_ERROR_CODES
    assert {"ThrottlingException", "RequestLimitExceeded", "SlowDown"} <= set(codes)
    assert [code for code in codes if classify(error(code)) is not Failure.THROTTLED] == []


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_differ_from_rejected_ones(code: str) -> None:
    assert classify(error(code, status=403), "s3") is Failure.EXPIRED


NOT_HERE = "The functionality you requested is not available in this region."


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidAction", "The action DescribeTransitGateways is not valid for this web service."),
        ("UnknownOperationException", ""),
        ("UnsupportedOperation", NOT_HERE),
        ("InvalidParameterValue", "Aurora Serverless is not supported in this region"),
        ("ValidationException", "This operation isn't supported in the me-central-1 Region"),
        ("InvalidRequestException", "Region ap-south-2 is not supported"),
        ("UnsupportedOperationException", "unsupported region"),
    ],
)
def test_a_call_that_a_region_does_not_support(code: str, message: str) -> None:
    assert says_no_such_call(error(code, message=message), "ap-south-2")
    assert not says_no_such_call(error(code, message=message), "us-east-1"), "that region has everything"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("UnsupportedOperation", "The instance doesn't support it."),
        ("InvalidParameterValue", "Value (x) for parameter region is invalid"),
        ("AccessDenied", NOT_HERE),
        ("Throttling", NOT_HERE),
    ],
)
def test_other_errors_say_nothing_about_the_region(code: str, message: str) -> None:
    assert not says_no_such_call(error(code, message=message), "ap-south-2")
