"""AWS sessions: one per way of access in a process, all with one loader of service models.

Credentials come from botocore's own chain, are renewed by it before they expire, and never leave this process.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import aioboto3
import botocore.session
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioAssumeRoleCredentialFetcher, AioDeferredRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, NoCredentialsError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tasks.aws.client.parsing import ParserFactory, time_or_none
from tasks.aws.client.transport import SharedTrust

# As with every other call: what is throttled, or isn't responding, is for whoever made the call to judge.
_STS: Final = AioConfig(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=10,
    read_timeout=30,
    http_session_cls=SharedTrust,
)
HOME_REGION: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
DEFAULT: Final[Mapping[str, str]] = {}  # the access of botocore's default chain

MAX_CLIENTS: Final = 256  # sessions that are kept: a worker goes through any number of accounts

_Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Session:
    core: AioSession
    of_boto: aioboto3.Session
    account: str | None = None  # whose credentials they are, once that was asked


_sessions: dict[_Key, _Session] = {}  # the one used longest ago first


class AsksForMfa(BotoCoreError):
    """A profile that wants a code typed in: on a worker, nobody is there."""

    fmt = "the profile {profile} has mfa_serial, and nobody can type its code on a worker: use one without it"


@cache
def _loader() -> Loader:
    """Service models are the most of a client's memory and time: parsed once, shared by every session."""
    return AioSession().get_component("data_loader")  # type: ignore[no-any-return]


def session(access: Mapping[str, str]) -> aioboto3.Session:
    """The session for a tenant's `access`, all of it optional.

    profile       name of a profile, instead of the default chain
    role          ARN of a role to assume with these credentials
    external_id   what the role's trust policy may ask for. AWS doesn't treat it as a secret

    Raises botocore's ProfileNotFound and ConfigParseError, or AsksForMfa.
    """
    return _session(access).of_boto


def _session(access: Mapping[str, str]) -> _Session:
    key = _key(access)
    found = _sessions.pop(key, None)
    if found is None:
        logging.getLogger("botocore.credentials").setLevel(logging.ERROR)  # a refused role is told by its scope
        core = AioSession(profile=access.get("profile"))
        core.register_component("data_loader", _loader())
        parsers = ParserFactory()
        parsers.set_parser_defaults(timestamp_parser=time_or_none)
        core.register_component("response_parser_factory", parsers)
        if profile := asks_for_mfa(core, access.get("profile")):
            raise AsksForMfa(profile=profile)
        if "role" in access:
            core.register_component("credential_provider", _AssumedRole(session(hub(access)), core, access))
        found = _Session(core, aioboto3.Session(botocore_session=core))
    _sessions[key] = found  # last in line
    while len(_sessions) > MAX_CLIENTS:
        del _sessions[next(iter(_sessions))]
    return found


def asks_for_mfa(core: botocore.session.Session, profile: str | None) -> str | None:
    """The profile by which botocore would ask for a code: one that assumes a role with a device."""
    if profile is None and {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= os.environ.keys():
        return None  # keys of the environment go before the profile that AWS_PROFILE names
    known = core.full_config["profiles"]
    asking = (
        name for name in _profiles_used(core, profile) if {"role_arn", "mfa_serial"} <= known.get(name, {}).keys()
    )
    return next(asking, None)


def hub(access: Mapping[str, str]) -> dict[str, str]:
    """The access by whose credentials the role of this one is assumed."""
    return {name: value for name, value in access.items() if name not in ("role", "external_id")}


def forget(access: Mapping[str, str]) -> None:
    """Drop a session, and the one that it assumes its role with: the next one reads this machine's chain anew."""
    _sessions.pop(_key(access), None)
    _sessions.pop(_key(hub(access)), None)


def forget_all() -> None:
    """Every session: what comes next reads the configuration of this machine anew."""
    _sessions.clear()


def account(access: Mapping[str, str]) -> str | None:
    """The account that the credentials of an access are known to be of."""
    found = _sessions.get(_key(access))
    return found.account if found else None


def remember_account(access: Mapping[str, str], account_id: str) -> None:
    """Keep whose account it is for as long as the session."""
    _session(access).account = account_id


def partition_of_region(access: Mapping[str, str]) -> str:
    """The partition of the region that the access's profile, or the environment, names."""
    core = _session(access).core
    region = core.get_config_variable("region")
    return str(core.get_partition_for_region(region)) if region else "aws"


def _key(access: Mapping[str, str]) -> _Key:
    return tuple(sorted(access.items()))


class _AssumedRole:
    """What gives a session the credentials of a role, in the place of botocore's own chain."""

    def __init__(self, hub: aioboto3.Session, core: AioSession, access: Mapping[str, str]) -> None:
        self._hub = hub
        self._core = core
        self._access = access

    async def load_credentials(self) -> AioDeferredRefreshableCredentials:
        source = await self._hub.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"ExternalId": self._access["external_id"]} if "external_id" in self._access else {}
        fetcher = AioAssumeRoleCredentialFetcher(
            client_creator=self._sts,
            source_credentials=source,
            role_arn=self._access["role"],
            extra_args={"RoleSessionName": "chartfleet", **extra},
        )
        return AioDeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")

    def _sts(self, service: str, **credentials: Any) -> Any:
        region = home_region(self._access.get("partition", "aws"))
        return self._core.create_client(service, region_name=region, config=_STS, **credentials)  # type: ignore[call-overload]


def profiles() -> list[str]:
    """The named profiles of this machine's configuration, except `default`, in its order."""
    return [name for name in AioSession().available_profiles if name != "default"]


def role_of_profile(name: str) -> str | None:
    """ARN of the role that a profile assumes, if it names one."""
    arn = str(AioSession().full_config["profiles"].get(name, {}).get("role_arn"))
    return arn if re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", arn) else None


def _profiles_used(core: botocore.session.Session, profile: str | None) -> Iterator[str]:
    """A profile and those by whose credentials it assumes its role."""
    found: set[str] = set()
    name = profile or core.get_config_variable("profile") or "default"
    while name and name not in found:
        found.add(name)
        yield name
        name = core.full_config["profiles"].get(name, {}).get("source_profile")


def home_region(partition: str) -> str:
    """Where the partition's global services (IAM, the list of regions) are signed for."""
    return HOME_REGION.get(partition, "us-east-1")


def partition_of(arn: str) -> str:
    return arn.split(":")[1]


def account_of(arn: str) -> str:
    return arn.split(":")[4]


def service_model(name: str) -> ServiceModel:
    """Botocore's own model of a service: what the contract test checks declarations against."""
    return ServiceModel(_loader().load_service_model(name, "service-2"), name)


@cache
def paginators(service: str) -> Mapping[str, Any]:
    """What botocore says of how the operations of a service page, by their names."""
    try:
        found: Mapping[str, Any] = _loader().load_service_model(service, "paginators-1")["pagination"]
    except UnknownServiceError:
        return {}
    return found
