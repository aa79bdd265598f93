"""Which services AWS has in which regions, as botocore knows it.

It is never asked before a call: AWS may have opened a service since. Only where nothing answers does it tell a service
that isn't in the region, and has nothing there, from a network that doesn't work.
"""

from __future__ import annotations

from functools import cache
from typing import Final
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import EndpointConnectionError

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
