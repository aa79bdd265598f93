"""AWS sessions: one per process and way of access, all sharing one loader of service models.

Credentials come from botocore's own chain, which renews them before they expire. They never leave this process.
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

from loaders.masking import keep_secret
from tasks.aws.client.parsing import ParserFactory, time_or_none
from tasks.aws.client.transport import SharedTrust

# One attempt, as for every other call: retries are up to the caller.
_STS: Final = AioConfig(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=10,
    read_timeout=30,
    http_session_cls=SharedTrust,
)
HOME_REGION: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
DEFAULT: Final[Mapping[str, str]] = {}  # botocore's default chain

MAX_CLIENTS: Final = 256  # sessions kept: a worker may go through any number of accounts

_Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Session:
    core: AioSession
    boto: aioboto3.Session
    account: str | None = None  # which the credentials belong to, once that has been asked


_sessions: dict[_Key, _Session] = {}  # least recently used first


class AsksForMfa(BotoCoreError):
    """A profile that requires an MFA code, which nobody can enter on a worker."""

    fmt = "the profile {profile} has mfa_serial, and nobody can enter an MFA code on a worker: use a profile without it"


@cache
def _loader() -> Loader:
    """Service models take most of a client's memory and start-up time: loaded once, shared by every session."""
    return AioSession().get_component("data_loader")  # type: ignore[no-any-return]


def session(access: Mapping[str, str]) -> aioboto3.Session:
    """The session for a tenant's `access`, all of it optional.

    profile       name of a profile, instead of the default chain
    role          ARN of a role to assume with these credentials
    external_id   that the role's trust policy may require. AWS doesn't treat it as a secret

    Raises botocore's ProfileNotFound and ConfigParseError, or AsksForMfa.
    """
    return _session(access).boto


def _session(access: Mapping[str, str]) -> _Session:
    key = _key(access)
    kept = _sessions.pop(key, None)
    if kept is None:
        logging.getLogger("botocore.credentials").setLevel(logging.ERROR)  # scopes report roles that can't be assumed
        core = AioSession(profile=access.get("profile"))
        for profile in core.full_config["profiles"].values():
            _remember(profile.get("aws_secret_access_key"), profile.get("aws_session_token"))
        core.register_component("data_loader", _loader())
        parsers = ParserFactory()
        parsers.set_parser_defaults(timestamp_parser=time_or_none)
        core.register_component("response_parser_factory", parsers)
        if profile := asks_for_mfa(core, access.get("profile")):
            raise AsksForMfa(profile=profile)
        if "role" in access:
            core.register_component("credential_provider", _AssumedRole(session(hub(access)), core, access))
        kept = _Session(core, aioboto3.Session(botocore_session=core))
    _sessions[key] = kept  # most recently used
    while len(_sessions) > MAX_CLIENTS:
        del _sessions[next(iter(_sessions))]
    return kept


def _remember(*secrets: object) -> None:
    for secret in secrets:
        keep_secret(secret if isinstance(secret, str) else None)


def asks_for_mfa(core: botocore.session.Session, profile: str | None) -> str | None:
    """The profile for which botocore would ask for an MFA code: one that assumes a role with a device."""
    if profile is None and {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= os.environ.keys():
        return None  # keys in the environment take precedence over AWS_PROFILE
    known = core.full_config["profiles"]
    with_device = (
        name for name in _profiles_used(core, profile) if {"role_arn", "mfa_serial"} <= known.get(name, {}).keys()
    )
    return next(with_device, None)


def hub(access: Mapping[str, str]) -> dict[str, str]:
    """The access whose credentials assume this one's role."""
    return {name: value for name, value in access.items() if name not in ("role", "external_id")}


def forget(access: Mapping[str, str]) -> None:
    """Drop a session and that of its hub: the next ones read the machine's configuration again."""
    _sessions.pop(_key(access), None)
    _sessions.pop(_key(hub(access)), None)


def forget_all() -> None:
    """Drop every session: the next ones read the machine's configuration again."""
    _sessions.clear()


def account(access: Mapping[str, str]) -> str | None:
    """The account that these credentials belong to, if known."""
    kept = _sessions.get(_key(access))
    return kept.account if kept else None


def remember_account(access: Mapping[str, str], account_id: str) -> None:
    """Remember the account for as long as the session."""
    _session(access).account = account_id


def partition_of_region(access: Mapping[str, str]) -> str:
    """The partition of the region configured in the profile or the environment."""
    core = _session(access).core
    region = core.get_config_variable("region")
    return str(core.get_partition_for_region(region)) if region else "aws"


def _key(access: Mapping[str, str]) -> _Key:
    return tuple(sorted(access.items()))


class _AssumedRole:
    """A credential provider that assumes a role, in place of botocore's own chain."""

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

        async def fetch() -> dict[str, Any]:
            fetched: dict[str, Any] = await fetcher.fetch_credentials()
            _remember(fetched.get("secret_key"), fetched.get("token"))
            return fetched

        return AioDeferredRefreshableCredentials(refresh_using=fetch, method="assume-role")

    def _sts(self, service: str, **credentials: Any) -> Any:
        region = home_region(self._access.get("partition", "aws"))
        return self._core.create_client(service, region_name=region, config=_STS, **credentials)  # type: ignore[call-overload]


def profiles() -> list[str]:
    """The named profiles of the machine's configuration except `default`, in order of the file."""
    return [name for name in AioSession().available_profiles if name != "default"]


def role_of_profile(name: str) -> str | None:
    """ARN of the role that a profile assumes, if it names one."""
    arn = str(AioSession().full_config["profiles"].get(name, {}).get("role_arn"))
    return arn if re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", arn) else None


def _profiles_used(core: botocore.session.Session, profile: str | None) -> Iterator[str]:
    """A profile, and the source profiles it assumes its role with."""
    seen: set[str] = set()
    name = profile or core.get_config_variable("profile") or "default"
    while name and name not in seen:
        seen.add(name)
        yield name
        name = core.full_config["profiles"].get(name, {}).get("source_profile")


def home_region(partition: str) -> str:
    """The region that the partition's global services (IAM, the list of regions) are signed for."""
    return HOME_REGION.get(partition, "us-east-1")


def service_model(name: str) -> ServiceModel:
    """Botocore's own model of a service."""
    return ServiceModel(_loader().load_service_model(name, "service-2"), name)


@cache
def paginators(service: str) -> Mapping[str, Any]:
    """Botocore's paginators of a service, by operation."""
    try:
        by_operation: Mapping[str, Any] = _loader().load_service_model(service, "paginators-1")["pagination"]
    except UnknownServiceError:
        return {}
    return by_operation
