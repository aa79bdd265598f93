"""Which AWS accounts a run covers, in which regions, and whether this machine can reach them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from analysis.iam.arn import account_of, partition_of
from loaders.scope import GLOBAL
from tasks.aws.client import credentials
from tasks.aws.client.access import AwsAccess
from tasks.aws.client.client import AwsApi, reason_of
from tasks.aws.client.failures import code_of
from tasks.aws.options import AwsOptions
from tasks.clients.rate_limiter import RateLimiter
from tasks.failures import CallFailed, Failure, NotConfigured, RetryLater
from tasks.resource import Listed, Tenant

ACCOUNTS_AT_A_TIME: Final = 20  # whose identity is requested
_checks: Final[dict[tuple[object, ...], asyncio.Future[_Identity]]] = {}  # under way, by event loop and access


async def tenants(options: AwsOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """The accounts that the options select. Raises NotConfigured, CallFailed.

    aws_assume_role         those of the organization, through a role of that name in each; the list is complete
    aws_sync_all_profiles   those of the named profiles of this machine's AWS configuration
    neither                 the one of the default credentials

    An account that can't be reached is listed as well: planning its scopes reports why.
    """
    if options.aws_assume_role:
        return await _accounts_of_organization(options, rate_limiter)
    if options.aws_sync_all_profiles:
        return await _accounts_of_profiles(options, rate_limiter)
    hub = await _hub(rate_limiter)
    name = credentials.session(None).profile_name
    access = AwsAccess(partition=hub.partition).as_json()
    own = Tenant(provider="aws", id=hub.account, name=name, access=access, principal=hub.arn)
    return Listed(_with_options(await _named([own], options, rate_limiter), options))


async def _hub(rate_limiter: RateLimiter) -> _Identity:
    """The account of the default credentials. Raises NotConfigured where there are none."""
    try:
        configured = await credentials.of(credentials.DEFAULT) is not None
    except BotoCoreError:
        configured = True  # something is configured; the call reports what is wrong with it
    if not configured:
        raise NotConfigured(_NO_CREDENTIALS)
    return await _identity(credentials.DEFAULT, rate_limiter)


async def _accounts_of_organization(options: AwsOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Every account that Organizations lists to the default credentials, those of the hub.

    The hub's own account is reached with these credentials, every other one through the role.
    """
    hub = await _hub(rate_limiter)
    own = AwsAccess(partition=hub.partition)
    api = AwsApi(Tenant(provider="aws", id=hub.account, access=own.as_json()), GLOBAL, rate_limiter, hub.partition)
    accounts, owner = [], ""
    async for account in _accounts(api):
        owner = account["Arn"].split("/")[1]  # arn:aws:organizations::<hub>:account/<organization>/<account>
        access = own
        if account["Id"] != hub.account:
            role = f"arn:{hub.partition}:iam::{account['Id']}:role/{options.aws_assume_role}"
            access = replace(own, role=role, external_id=options.aws_external_id or "")
        # AWS gives State since 2025, and drops Status.
        state = account.get("State") or account.get("Status") or "ACTIVE"
        access = replace(access, state="" if state == "ACTIVE" else state)
        name = account.get("Name") or ""
        principal = access.role or hub.arn
        tenant = Tenant(provider="aws", id=account["Id"], name=name, access=access.as_json(), principal=principal)
        accounts.append(tenant)
    return Listed(_with_options(accounts, options), complete=True, owner=owner)


async def _accounts_of_profiles(options: AwsOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """An account per named profile. The list isn't complete: an account may outlive its profile.

    A profile that doesn't work is an account that isn't seen, if its role names the account; if not, the list says
    what it lacks, and a resumed run tries again.
    """
    names = credentials.profiles()
    if not names:
        raise NotConfigured(_NO_PROFILES)
    few = asyncio.Semaphore(ACCOUNTS_AT_A_TIME)

    async def account(profile: str) -> _Identity | str:
        """The account of a profile, or why it isn't known."""
        async with few:
            try:
                return await _identity(AwsAccess(profile=profile).as_json(), rate_limiter)
            except CallFailed as error:
                return f"profile {profile}: {error.code or error.failure} {error.action}: {error.reason}"
            except RetryLater as wait:
                return f"profile {profile}: {wait.reason}"

    tried = dict(zip(names, await asyncio.gather(*(account(name) for name in names)), strict=True))
    accounts: dict[str, Tenant] = {}
    notes, unknown = [], []
    # Of two profiles of the same account, one that works is kept: those that failed come last.
    for profile, identity in sorted(tried.items(), key=lambda pair: isinstance(pair[1], str)):
        role = credentials.role_of_profile(profile) if isinstance(identity, str) else None
        if isinstance(identity, str) and role is None:
            unknown.append(identity)
            continue
        owner = _Identity.of(role) if role else identity
        assert isinstance(owner, _Identity)
        access = AwsAccess(profile=profile, partition=owner.partition)
        tenant = Tenant(provider="aws", id=owner.account, name=profile, access=access.as_json(), principal=owner.arn)
        if (first := accounts.setdefault(tenant.id, tenant)) is not tenant:
            both = f"profiles {first.name} and {profile} are both account {tenant.id}"
            notes.append(f"{both}: it is fetched once, by {first.name}")
    seen = [tenant for tenant in accounts.values() if isinstance(tried[tenant.name], _Identity)]
    unseen = [tenant for tenant in accounts.values() if tenant not in seen]
    tenants_ = _with_options([*await _named(seen, options, rate_limiter), *unseen], options)
    return Listed(tenants_, notes=tuple(notes), incomplete_reason="; ".join(unknown))


async def _named(accounts: list[Tenant], options: AwsOptions, rate_limiter: RateLimiter) -> list[Tenant]:
    """The accounts with the names that Organizations has for them, if one of them may list it.

    The others keep the name of their profile. Which account may list it isn't known: the management account, or one
    with delegated administration.
    """
    asked = options.aws_organization_account_ids or [tenant.id for tenant in accounts]
    few = asyncio.Semaphore(ACCOUNTS_AT_A_TIME)

    async def names(tenant: Tenant) -> dict[str, str]:
        async with few:
            with suppress(CallFailed, RetryLater):
                api = AwsApi(tenant, GLOBAL, rate_limiter, _partition(tenant))
                return {account["Id"]: account.get("Name") or "" async for account in _accounts(api)}
        return {}

    known: dict[str, str] = {}
    for listed in await asyncio.gather(*(names(tenant) for tenant in accounts if tenant.id in asked)):
        known |= listed
    return [replace(tenant, name=known.get(tenant.id) or tenant.name) for tenant in accounts]


def _with_options(accounts: list[Tenant], options: AwsOptions) -> list[Tenant]:
    """The accounts, each with the options that its scopes need."""
    needed = AwsAccess(
        asked_for_organization=",".join(options.aws_organization_account_ids),
        name_server=options.aws_name_server or "",
    )
    return [replace(tenant, access={**tenant.access, **needed.as_json()}) for tenant in accounts]


def _partition(tenant: Tenant) -> str:
    return AwsAccess.from_json(tenant.access).partition or "aws"


async def _accounts(api: AwsApi) -> AsyncIterator[Mapping[str, Any]]:
    async for page in api.pages("organizations:ListAccounts"):
        for account in page["Accounts"]:
            yield account


@dataclass(frozen=True, slots=True)
class _Identity:
    account: str
    partition: str
    arn: str

    @classmethod
    def of(cls, arn: str) -> _Identity:
        return cls(account_of(arn), partition_of(arn), arn)


async def _identity(access: Mapping[str, str], rate_limiter: RateLimiter) -> _Identity:
    """The account of these credentials. Raises CallFailed; the next attempt then reads this machine's config again."""
    try:
        partition = AwsAccess.from_json(access).partition or credentials.partition_of_region(access)
    except BotoCoreError:
        partition = "aws"  # the call reports what is wrong
    api = AwsApi(Tenant(provider="aws", id="-", access=access), GLOBAL, rate_limiter, partition)
    try:
        response = await api.call("sts:GetCallerIdentity")
    except CallFailed:
        api.renew()
        raise
    return _Identity(response["Account"], partition_of(response["Arn"]), response["Arn"])


async def regions(api: AwsApi, options: AwsOptions) -> Listed[str]:
    """The regions of the options, else all that are enabled in the account."""
    if options.aws_regions:
        return Listed(options.aws_regions)
    response = await api.call("ec2:DescribeRegions")
    return Listed(sorted(region["RegionName"] for region in response["Regions"]), complete=True)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> AwsApi:
    """The API of an account in a region. Raises CallFailed where its credentials don't work, or are another account's.

    The account is checked once per access in a process: on this machine, the profile's name may mean another account.
    """
    if state := AwsAccess.from_json(tenant.access).state:
        raise CallFailed(Failure.NOT_ENABLED, "organizations:ListAccounts", f"the account is {state}")
    if (account := await _account(tenant.access, rate_limiter)) != tenant.id:
        reason = f"these credentials are of account {account}, not of {tenant.id}"
        raise CallFailed(Failure.DENIED, "sts:GetCallerIdentity", reason, code="OtherAccount")
    return AwsApi(tenant, region, rate_limiter, _partition(tenant))


async def _account(access: Mapping[str, str], rate_limiter: RateLimiter) -> str:
    """The account that an access leads to. Scopes that begin together ask once."""
    if known := credentials.account(access):
        return known
    key = (id(asyncio.get_running_loop()), *sorted(access.items()))
    check = _checks.get(key)
    if check is None:
        check = _checks[key] = asyncio.ensure_future(_identity(access, rate_limiter))
        check.add_done_callback(lambda _: _checks.pop(key, None))
    account = (await asyncio.shield(check)).account
    credentials.remember_account(access, account)
    return account


def check_tenant(options: AwsOptions, tenant: Tenant) -> str:
    """An account is reached by the default credentials, a named profile, or the role: as this worker's settings say."""
    access = AwsAccess.from_json(tenant.access)
    if access.partition not in ("", *credentials.HOME_REGION):
        return f"the partition is {access.partition}"
    if access.profile and not options.aws_sync_all_profiles:
        return f"the account is reached by the profile {access.profile}"
    role = f"arn:{access.partition or 'aws'}:iam::{tenant.id}:role/{options.aws_assume_role}"
    if access.role and (not options.aws_assume_role or access.role != role):
        return f"the account is reached by the role {access.role}"
    if access.external_id != ((options.aws_external_id or "") if access.role else ""):
        return "the role has another external ID"
    if access.name_server != (options.aws_name_server or ""):
        return f"the name server is {access.name_server or 'the one of the machine'}"
    return ""


def missing(options: AwsOptions) -> Iterable[str]:
    """Whether there are credentials and AWS accepts them: one line per problem.

    Raises NotConfigured where there are none and no option wants AWS.
    """
    if options.aws_sync_all_profiles:  # the run reports whether each of them works
        try:
            if not credentials.profiles():
                yield _NO_PROFILES
        except BotoCoreError as error:
            yield f"the AWS configuration can't be read: {error}"
        return
    try:
        core = botocore.session.Session()
        if profile := credentials.asks_for_mfa(core, None):
            raise credentials.AsksForMfa(profile=profile)
        if core.get_credentials() is None:
            if not options.aws_assume_role:
                raise NotConfigured(_NO_CREDENTIALS)
            yield _NO_CREDENTIALS
            return
        region = credentials.home_region(credentials.partition_of_region(credentials.DEFAULT))
        quick = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=10)
        core.create_client("sts", region_name=region, config=quick).get_caller_identity()  # type: ignore[attr-defined]
    except ClientError as error:
        yield f"AWS refuses the default credentials: {code_of(error)}; check with `aws sts get-caller-identity`"
    except (
        BotoCoreError,
        OSError,
        ValueError,
    ) as error:  # ValueError: an endpoint that is not a URL
        yield f"AWS credentials or endpoint don't work: {reason_of(error)}"


_NO_PROFILES = (
    "no named AWS profiles: aws_sync_all_profiles takes every profile but `default` of the AWS configuration, "
    "the file that AWS_CONFIG_FILE names"
)
_NO_CREDENTIALS = (
    "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or run where a role is attached"
)
