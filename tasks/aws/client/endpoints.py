"""The regions in which services are available, as far as botocore knows.

Never consulted before a call, because AWS may have added a service since. Only after a failed connection does it
distinguish a service that is not available in the region, and so has nothing there, from a network problem.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import ClientError, EndpointConnectionError

from tasks.aws.client.failures import code_of

HAS_EVERYTHING: Final = "us-east-1"

# Of the query protocols, and of the JSON protocols.
_NO_SUCH_CALL: Final = frozenset({"InvalidAction", "UnknownOperationException"})
# EC2's message: `The functionality you requested is not available in this region.`
_MAYBE_NO_SUCH_CALL: Final = frozenset(
    {
        "BadRequestException",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "InvalidRequest",
        "InvalidRequestException",
        "OperationNotSupportedException",
        "Unsupported",
        "UnsupportedOperation",
        "UnsupportedOperationException",
        "ValidationError",
        "ValidationException",
    }
)
_MAX_MESSAGE: Final = 500  # characters that are looked at: the time to search grows with their cube
_WORDS: Final = r"[\w ',-]*"
_NOT_THERE: Final = rf"(?:\bnot|n't)\b{_WORDS}\b(?:available|enabled|offered|support|supported)\b"
_NOT_IN_REGION: Final = re.compile(
    rf"(?i){_NOT_THERE}{_WORDS}\bregion\b|\bregion\b{_WORDS}{_NOT_THERE}|\bunsupported region\b"
)

# Global services for which botocore lists no regions: the region that serves them, and the partitions that have them.
# https://docs.aws.amazon.com/general/latest/gr/global_accelerator.html
_SERVED_IN: Final = {"globalaccelerator": "us-west-2"}
_PARTITIONS: Final = {"globalaccelerator": frozenset({"aws"}), "cloudfront": frozenset({"aws", "aws-cn"})}


def region_of(service: str, region: str, partition: str) -> str:
    """The region whose endpoint serves a service: the given one, except for a few global services."""
    return _SERVED_IN.get(service, region) if partition == "aws" else region


def says_not_there(error: Exception, service: str, region: str, partition: str) -> bool:
    """Whether a call failed because the service has no endpoint in the region.

    False for a configured endpoint (AWS_ENDPOINT_URL), which is down; for a region that botocore doesn't know; and for
    services without known regions, as global ones.
    """
    if not isinstance(error, EndpointConnectionError):
        return False
    host = urlsplit(str(error.kwargs.get("endpoint_url", ""))).hostname or ""
    is_aws = any(host.endswith(f".{suffix}") for suffix in _suffixes())
    return is_aws and region in _regions("ec2", partition) and _is_missing(service, region, partition)


def says_no_such_call(error: Exception, region: str) -> bool:
    """Whether a service that is available in the region doesn't support the call there (yet).

    Every call is in botocore's model, so it exists: in the region where AWS has everything, such an error is our own
    mistake or the end of an API, and counts as a failure. So an error in every region is still reported once. Codes
    that have other causes as well only count if the message mentions the region.
    """
    code = code_of(error)
    if region == HAS_EVERYTHING or not isinstance(error, ClientError):
        return False
    message = str(error.response.get("Error", {}).get("Message", ""))[:_MAX_MESSAGE]
    return code in _NO_SUCH_CALL or (code in _MAYBE_NO_SUCH_CALL and bool(_NOT_IN_REGION.search(message)))


def _is_missing(service: str, region: str, partition: str) -> bool:
    if service in _PARTITIONS:
        return partition not in _PARTITIONS[service]
    somewhere = any(_regions(service, other) for other in _session().get_available_partitions())
    return somewhere and region not in _regions(service, partition)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _regions(service: str, partition: str) -> frozenset[str]:
    return frozenset(_session().get_available_regions(service, partition))


@cache
def _suffixes() -> frozenset[str]:
    """The domains of AWS's own endpoints."""
    suffixes = set()
    for partition in _session().get_component("data_loader").load_data("endpoints")["partitions"]:
        variants = partition["defaults"].get("variants", ())
        suffixes |= {partition["dnsSuffix"], *(v["dnsSuffix"] for v in variants if "dnsSuffix" in v)}
    return frozenset(suffixes)
