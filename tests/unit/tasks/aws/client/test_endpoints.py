"""Where nothing answers: is the service not in the region, or wasn't it reached?"""

from __future__ import annotations

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from tasks.aws.client.endpoints import region_of, says_not_there


def nothing_at(host: str) -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url=f"https://{host}/")


@pytest.mark.parametrize(
    ("host", "service", "region", "partition"),
    [
        ("memory-db.af-south-1.amazonaws.com", "memorydb", "af-south-1", "aws"),
        ("memory-db.af-south-1.api.aws", "memorydb", "af-south-1", "aws"),
        ("apprunner.us-gov-east-1.amazonaws.com", "apprunner", "us-gov-east-1", "aws-us-gov"),
        ("globalaccelerator.cn-north-1.amazonaws.com.cn", "globalaccelerator", "cn-north-1", "aws-cn"),
        ("cloudfront.us-gov-west-1.amazonaws.com", "cloudfront", "us-gov-west-1", "aws-us-gov"),
    ],
    ids=["of some regions", "by its dual-stack name", "of another partition only", "served in one region", "global"],
)
def test_a_service_that_is_elsewhere_is_not_there(host: str, service: str, region: str, partition: str) -> None:
    assert says_not_there(nothing_at(host), service, region, partition)


@pytest.mark.parametrize(
    ("host", "service", "region"),
    [
        ("memory-db.eu-west-1.amazonaws.com", "memorydb", "eu-west-1"),
        ("memory-db.xx-new-1.amazonaws.com", "memorydb", "xx-new-1"),
        ("iam.amazonaws.com", "iam", "af-south-1"),
        ("globalaccelerator.us-west-2.amazonaws.com", "globalaccelerator", "us-east-1"),
        ("localhost:4566", "memorydb", "af-south-1"),
        ("amazonaws.com.example.org", "memorydb", "af-south-1"),
    ],
    ids=[
        "it is there",
        "a newer region than botocore",
        "a global service",
        "served in one region",
        "a simulator",
        "a host named alike",
    ],
)
def test_otherwise_it_was_not_reached(host: str, service: str, region: str) -> None:
    assert not says_not_there(nothing_at(host), service, region, "aws")


def test_an_endpoint_that_is_slow_is_there() -> None:
    slow = ConnectTimeoutError(endpoint_url="https://memory-db.af-south-1.amazonaws.com/")
    assert not says_not_there(slow, "memorydb", "af-south-1", "aws")


def test_a_global_service_that_one_region_serves_is_asked_there() -> None:
    assert region_of("globalaccelerator", "us-east-1", "aws") == "us-west-2"
    assert region_of("globalaccelerator", "cn-north-1", "aws-cn") == "cn-north-1", "where it isn't"
    assert region_of("ec2", "us-east-1", "aws") == "us-east-1"
