"""When a connection fails: is the service not available in the region, or was it not reached?"""

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
    ids=["in some regions", "dual-stack name", "in another partition only", "served by one region", "global"],
)
def test_a_service_that_exists_elsewhere_is_not_available(host: str, service: str, region: str, partition: str) -> None:
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
        "available",
        "a newer region than botocore",
        "a global service",
        "served by one region",
        "a simulator",
        "a similar host name",
    ],
)
def test_any_other_endpoint_was_not_reached(host: str, service: str, region: str) -> None:
    assert not says_not_there(nothing_at(host), service, region, "aws")


def test_a_slow_endpoint_exists() -> None:
    slow = ConnectTimeoutError(endpoint_url="https://memory-db.af-south-1.amazonaws.com/")
    assert not says_not_there(slow, "memorydb", "af-south-1", "aws")


def test_a_global_service_is_called_in_the_region_that_serves_it() -> None:
    assert region_of("globalaccelerator", "us-east-1", "aws") == "us-west-2"
    assert region_of("globalaccelerator", "cn-north-1", "aws-cn") == "cn-north-1", "not available there"
    assert region_of("ec2", "us-east-1", "aws") == "us-east-1"
