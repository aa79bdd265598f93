"""AWS credentials: by way of access, in this process alone. And sessions, one per profile, which create clients.

Credentials come from botocore's own chain, which renews them before they expire. A client belongs to no tenant: each
call is signed with the credentials of the tenant that it is made for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeVar

import aioboto3
import botocore.session
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioAssumeRoleCredentialFetcher, AioCredentials, AioDeferredRefreshableCredentials
from aiobotocore.hooks import AioHierarchicalEmitter
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, NoCredentialsError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from loaders.masking import keep_secret
from tasks.aws.client.parsing import ParserFactory, time_or_none
from tasks.aws.client.transport import SharedTrust

K = TypeVar("K")
V = TypeVar("V")

# One attempt, as for every other call: retries are up to the caller.
_STS: Final = AioConfig(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=10,
    read_timeout=30,
    http_session_cls=SharedTrust,
)
HOME_REGION: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
DEFAULT: Final[Mapping[str, str]] = {}  # botocore's default chain

MAX_SESSIONS: Final = 256  # kept: a worker may go through any number of profiles
MAX_ROLES: Final = 10_000  # whose credentials and account are kept

_Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Session:
    """Of a profile, with its own credentials.

    chain    where they come from
    loading  held by the one call that loads them
    """

    boto: aioboto3.Session
    core: AioSession
    chain: Any
    credentials: Any = None
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)


# Least recently used first.
_sessions: dict[str | None, _Session] = {}  # by profile; None: as the environment says
_roles: dict[_Key, AioDeferredRefreshableCredentials] = {}
_accounts: dict[_Key, str] = {}  # which the credentials belong to, once that has been asked

_access_of_call: ContextVar[Mapping[str, str]] = ContextVar("access")


class AsksForMfa(BotoCoreError):
    """A profile that requires an MFA code, which nobody can enter on a worker."""

    fmt = "the profile {profile} has mfa_serial, and nobody can enter an MFA code on a worker: use a profile without it"


@cache
def _loader() -> Loader:
    """Service models take most of a client's memory and start-up time: loaded once, shared by every session."""
    return _core().get_component("data_loader")  # type: ignore[no-any-return]


def _core(profile: str | None = None) -> AioSession:
    return AioSession(profile=profile, event_hooks=copy(_hooks()), include_builtin_handlers=False)


@cache
def _hooks() -> AioHierarchicalEmitter:
    """Botocore's own handlers. To register them takes 19 ms of CPU time, to copy them next to none."""
    hooks = AioHierarchicalEmitter()
    AioSession(event_hooks=hooks)
    return hooks


def session(profile: str | None) -> aioboto3.Session:
    """The session of a profile, or of the environment. Its clients sign as `signing_for` says.

    Raises botocore's ProfileNotFound and ConfigParseError, or AsksForMfa.
    """
    return _session(profile).boto


def _session(profile: str | None) -> _Session:
    kept = _sessions.pop(profile, None)
    if kept is None:
        logging.getLogger("botocore.credentials").setLevel(logging.ERROR)  # scopes report roles that can't be assumed
        core = _core(profile)
        for settings in core.full_config["profiles"].values():
            _remember(settings.get("aws_secret_access_key"), settings.get("aws_session_token"))
        core.register_component("data_loader", _loader())
        parsers = ParserFactory()
        parsers.set_parser_defaults(timestamp_parser=time_or_none)
        core.register_component("response_parser_factory", parsers)
        if asking := asks_for_mfa(core, profile):
            raise AsksForMfa(profile=asking)
        chain = core.get_component("credential_provider")
        core.register_component("credential_provider", _Provider())
        kept = _Session(aioboto3.Session(botocore_session=core), core, chain)
    _keep(_sessions, profile, kept, MAX_SESSIONS)
    return kept


@contextmanager
def signing_for(access: Mapping[str, str]) -> Iterator[None]:
    """Calls within the block are signed with these credentials, whichever client makes them."""
    before = _access_of_call.set(access)
    try:
        yield
    finally:
        _access_of_call.reset(before)


async def of(access: Mapping[str, str]) -> Any:
    """The credentials of a tenant's `access`, all of it optional; None if there are none.

    profile       name of a profile, instead of the default chain
    role          ARN of a role to assume with these credentials
    external_id   that the role's trust policy may require. AWS doesn't treat it as a secret

    Raises what `session` raises.
    """
    if "role" in access:
        key = _key(access)
        role = _roles.get(key) or _assumed(access)
        _keep(_roles, key, role, MAX_ROLES)
        return role
    kept = _session(access.get("profile"))
    if kept.credentials is None:
        async with kept.loading:
            if kept.credentials is None:
                kept.credentials = await kept.chain.load_credentials()
    return kept.credentials


class _Provider:
    """Gives clients credentials that are those of whichever tenant a call is for."""

    async def load_credentials(self) -> AioCredentials:
        return _OfTheCall()


class _OfTheCall(AioCredentials):
    """Outside `signing_for`, nothing is signed."""

    def __init__(self) -> None:
        super().__init__("", "", method="of the call")

    async def get_frozen_credentials(self) -> Any:  # type: ignore[override]  # the library's types have it synchronous
        found = await of(_access_of_call.get())
        if found is None:
            raise NoCredentialsError
        return await found.get_frozen_credentials()


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
    """Drop the credentials of an access, and its profile's session: the next call reads this machine's files again."""
    _roles.pop(_key(access), None)
    for known in (access, hub(access)):
        _accounts.pop(_key(known), None)
    _sessions.pop(access.get("profile"), None)


def forget_all() -> None:
    """The same, of every access."""
    _sessions.clear()
    _roles.clear()
    _accounts.clear()


def account(access: Mapping[str, str]) -> str | None:
    """The account that these credentials belong to, if known."""
    return _accounts.get(_key(access))


def remember_account(access: Mapping[str, str], account_id: str) -> None:
    """Remember the account for as long as the credentials."""
    _keep(_accounts, _key(access), account_id, MAX_ROLES)


def partition_of_region(access: Mapping[str, str]) -> str:
    """The partition of the region configured in the profile or the environment."""
    core = _session(access.get("profile")).core
    region = core.get_config_variable("region")
    return str(core.get_partition_for_region(region)) if region else "aws"


def _key(access: Mapping[str, str]) -> _Key:
    return tuple(sorted(access.items()))


def _keep(kept: dict[K, V], key: K, value: V, most: int) -> None:
    """As the most recently used."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > most:
        del kept[next(iter(kept))]


def _assumed(access: Mapping[str, str]) -> AioDeferredRefreshableCredentials:
    """The credentials of a role, which is assumed when they are needed for the first time."""
    region = home_region(access.get("partition", "aws"))
    external_id = {"ExternalId": access["external_id"]} if "external_id" in access else {}

    def sts(service: str, **credentials: Any) -> Any:
        core = _session(access.get("profile")).core
        return core.create_client(service, region_name=region, config=_STS, **credentials)  # type: ignore[call-overload]

    async def fetch() -> dict[str, Any]:
        source = await of(hub(access))
        if source is None:
            raise NoCredentialsError
        fetcher = AioAssumeRoleCredentialFetcher(
            client_creator=sts,
            source_credentials=source,
            role_arn=access["role"],
            extra_args={"RoleSessionName": "chartfleet", **external_id},
        )
        fetched: dict[str, Any] = await fetcher.fetch_credentials()
        _remember(fetched.get("secret_key"), fetched.get("token"))
        return fetched

    return AioDeferredRefreshableCredentials(refresh_using=fetch, method="assume-role")


def profiles() -> list[str]:
    """The named profiles of the machine's configuration except `default`, in order of the file."""
    return [name for name in _core().available_profiles if name != "default"]


def role_of_profile(name: str) -> str | None:
    """ARN of the role that a profile assumes, if it names one."""
    arn = str(_core().full_config["profiles"].get(name, {}).get("role_arn"))
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
