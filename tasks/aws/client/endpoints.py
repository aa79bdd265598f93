"""Which services AWS has in which regions, as botocore knows it.

It is never asked before a call: AWS may have opened a service since. Only where nothing answers does it tell a service
that isn't in the region, and has nothing there, from a network that doesn't work.
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

# Of the query protocols, and of the JSON ones.
_NO_SUCH_CALL: Final = frozenset({"InvalidAction", "UnknownOperationException"})
# EC2 says `The functionality you requested is not available in this region.`
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
_WORDS: Final = r"[\w ',-]*"
_NOT_THERE: Final = rf"(?:\bnot|n't)\b{_WORDS}\b(?:available|enabled|offered|support|supported)\b"
_NOT_IN_REGION: Final = re.compile(
    rf"(?i){_NOT_THERE}{_WORDS}\bregion\b|\bregion\b{_WORDS}{_NOT_THERE}|\bunsupported region\b"
)

# Global services of which botocore names no region: the one that serves them, and the partitions that have them.
# https://docs.aws.amazon.com/general/latest/gr/global_accelerator.html
_SERVED_IN: Final = {"globalaccelerator": "us-west-2"}
_PARTITIONS: Final = {"globalaccelerator": frozenset({"aws"}), "cloudfront": frozenset({"aws", "aws-cn"})}


def region_of(service: str, region: str, partition: str) -> str:
    """The region whose endpoint serves a service: the one that it is asked for, but for a few global ones."""
    return _SERVED_IN.get(service, region) if partition == "aws" else region


def says_not_there(error: Exception, service: str, region: str, partition: str) -> bool:
    """Whether a call failed as the service has no endpoint in the region.

    Not where the endpoint is one of our own configuration: that one is away. Nor where botocore doesn't know the
    region, or of no region whether the service is there, as with global ones.
    """
    if not isinstance(error, EndpointConnectionError):
        return False
    host = urlsplit(str(error.kwargs.get("endpoint_url", ""))).hostname or ""
    of_aws = any(host.endswith(f".{suffix}") for suffix in _suffixes())
    return of_aws and region in _regions("ec2", partition) and _is_missing(service, region, partition)


def says_no_such_call(error: Exception, region: str) -> bool:
    """Whether a service that is in the region refused a call as one that it hasn't got there, yet.

    What we call is in botocore's model, so it exists: in the region where AWS has everything, such a refusal is our own
    mistake, or the end of an API, and a failure. So one that meets every region shows there. Codes that have other
    reasons as well count only where the message names the region.
    """
    code = code_of(error)
    if region == HAS_EVERYTHING or not isinstance(error, ClientError):
        return False
    message = str(error.response.get("Error", {}).get("Message", ""))
    return code in _NO_SUCH_CALL or (code in _MAYBE_NO_SUCH_CALL and bool(_NOT_IN_REGION.search(message)))


def _is_missing(service: str, region: str, partition: str) -> bool:
    if service in _PARTITIONS:
        return partition not in _PARTITIONS[service]
    somewhere = any(_regions(service, one) for one in _session().get_available_partitions())
    return somewhere and region not in _regions(service, partition)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _regions(service: str, partition: str) -> frozenset[str]:
    return frozenset(_session().get_available_regions(service, partition))


@cache
def _suffixes() -> frozenset[str]:
    """What the names of AWS's own endpoints end with."""
    found = set()
    for partition in _session().get_component("data_loader").load_data("endpoints")["partitions"]:
        variants = partition["defaults"].get("variants", ())
        found |= {partition["dnsSuffix"], *(one["dnsSuffix"] for one in variants if "dnsSuffix" in one)}
    return frozenset(found)
