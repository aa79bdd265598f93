"""AWS sessions: one per way of access in a process, all with one loader of service models.

Credentials come from botocore's own chain, are renewed by it before they expire, and never leave this process.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import aioboto3
from aiobotocore.session import AioSession
from botocore.loaders import Loader
from botocore.model import ServiceModel

HOME_REGION: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

_sessions: dict[tuple[tuple[str, str], ...], aioboto3.Session] = {}


@cache
def _loader() -> Loader:
    """Service models are the most of a client's memory and time: parsed once, shared by every session."""
    return AioSession().get_component("data_loader")  # type: ignore[no-any-return]


def session(access: Mapping[str, str]) -> aioboto3.Session:
    """The session for a tenant's `access`: {"profile": name}, or the default chain."""
    key = tuple(sorted(access.items()))
    if key not in _sessions:
        core = AioSession(profile=access.get("profile"))
        core.register_component("data_loader", _loader())
        _sessions[key] = aioboto3.Session(botocore_session=core)
    return _sessions[key]


def forget(access: Mapping[str, str]) -> None:
    """Drop a session whose credentials expired: the next one reads the chain anew."""
    _sessions.pop(tuple(sorted(access.items())), None)


def home_region(partition: str) -> str:
    """Where the partition's global services (IAM, the list of regions) are signed for."""
    return HOME_REGION.get(partition, "us-east-1")


def partition_of(arn: str) -> str:
    return arn.split(":")[1]


def service_model(name: str) -> ServiceModel:
    """Botocore's own model of a service: what the contract test checks declarations against."""
    return ServiceModel(_loader().load_service_model(name, "service-2"), name)
