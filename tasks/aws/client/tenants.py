"""Which AWS accounts a run covers, in which regions, and whether this machine can reach them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from loaders.scope import GLOBAL
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi, reason_of
from tasks.aws.client.failures import code_of
from tasks.aws.vocabulary.arn import account_of, partition_of
from tasks.clients.rate_limiter import RateLimiter
from tasks.failures import CallFailed, Failure, NotConfigured, RetryLater
from tasks.resource import Listed, Options, Tenant

ACCOUNTS_AT_A_TIME: Final = 20  # of those that are asked who they are


async def tenants(options: Options, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """The accounts that the options select. Raises NotConfigured, CallFailed.

    aws_assume_role         those of the organization, by a role of that name in each; the list is whole
    aws_sync_all_profiles   those of the named profiles of this machine's AWS configuration
    neither                 that of the default credentials

    An account that can't be reached is listed all the same: planning its scopes says why.
    """
    if options.get("aws_assume_role"):
        return await _accounts_of_organization(options, rate_limiter)
    if options.get("aws_sync_all_profiles"):
        return await _accounts_of_profiles(options, rate_limiter)
    hub = await _hub(rate_limiter)
    name = credentials.session(credentials.DEFAULT).profile_name
    own = Tenant(provider="aws", id=hub.account, name=name, access={"partition": hub.partition})
    return Listed(_telling(await _named([own], options, rate_limiter), options))


async def _hub(rate_limiter: RateLimiter) -> _Identity:
    """Whose the default credentials are. Raises NotConfigured where there are none."""
    try:
        there = await credentials.session(credentials.DEFAULT).get_credentials() is not None
    except BotoCoreError:
        there = True  # something is configured; what is wrong with it, the call says
    if not there:
        raise NotConfigured(_NO_CREDENTIALS)
    return await _identity(credentials.DEFAULT, rate_limiter)


async def _accounts_of_organization(options: Options, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Every account that Organizations lists, asked once by the default credentials: the hub's.

    The hub's own account is reached by these credentials, each other one by the role.
    """
    hub = await _hub(rate_limiter)
    access = {"partition": hub.partition}
    api = AwsApi(Tenant(provider="aws", id=hub.account, access=access), GLOBAL, rate_limiter, hub.partition)
    external_id = {"external_id": options["aws_external_id"]} if options.get("aws_external_id") else {}
    found, owner = [], ""
    async for account in _accounts(api):
        owner = account["Arn"].split("/")[1]  # arn:aws:organizations::<hub>:account/<organization>/<account>
        way = dict(access)
        if account["Id"] != hub.account:
            way |= {
                "role": f"arn:{hub.partition}:iam::{account['Id']}:role/{options['aws_assume_role']}",
                **external_id,
            }
        state = account.get("State") or account.get("Status")  # AWS gives the first since 2025, and drops the second
        if state not in (None, "ACTIVE"):
            way |= {"state": state}
        found.append(Tenant(provider="aws", id=account["Id"], name=account.get("Name") or "", access=way))
    return Listed(_telling(found, options), complete=True, owner=owner)


async def _accounts_of_profiles(options: Options, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """An account per named profile. The list isn't whole: a profile that is gone doesn't mean that its account is.

    A profile that doesn't work is an account not seen, if its role says which; else the list says what it lacks, and a
    resumed run tries it again.
    """
    names = credentials.profiles()
    if not names:
        raise NotConfigured(_NO_PROFILES)
    few = asyncio.Semaphore(ACCOUNTS_AT_A_TIME)

    async def account(profile: str) -> _Identity | str:
        """Whose account a profile leads to, or why that isn't known."""
        async with few:
            try:
                return await _identity({"profile": profile}, rate_limiter)
            except CallFailed as error:
                return f"profile {profile}: {error.code or error.failure} {error.action}: {error.reason}"
            except RetryLater as wait:
                return f"profile {profile}: {wait.reason}"

    tried = dict(zip(names, await asyncio.gather(*(account(name) for name in names)), strict=True))
    found: dict[str, Tenant] = {}
    notes, unknown = [], []
    # Of two profiles of one account, one that works: those that failed come last.
    for profile, identity in sorted(tried.items(), key=lambda pair: isinstance(pair[1], str)):
        told = credentials.role_of_profile(profile) if isinstance(identity, str) else None
        if isinstance(identity, str) and told is None:
            unknown.append(identity)
            continue
        of = _Identity.of(told) if told else identity
        assert isinstance(of, _Identity)
        access = {"profile": profile, "partition": of.partition}
        tenant = Tenant(provider="aws", id=of.account, name=profile, access=access)
        if (first := found.setdefault(tenant.id, tenant)) is not tenant:
            both = f"profiles {first.name} and {profile} are both account {tenant.id}"
            notes.append(f"{both}: it is fetched once, by {first.name}")
    seen = [tenant for tenant in found.values() if isinstance(tried[tenant.name], _Identity)]
    unseen = [tenant for tenant in found.values() if tenant not in seen]
    accounts = _telling([*await _named(seen, options, rate_limiter), *unseen], options)
    return Listed(accounts, notes=tuple(notes), incomplete_reason="; ".join(unknown))


async def _named(found: list[Tenant], options: Options, rate_limiter: RateLimiter) -> list[Tenant]:
    """The accounts with the names that Organizations has for them, where one of them may list it.

    A profile's name stays for the others. Who may list it isn't known: the management account, or a delegated one.
    """
    asked = options.get("aws_organization_account_ids") or [tenant.id for tenant in found]
    few = asyncio.Semaphore(ACCOUNTS_AT_A_TIME)

    async def names(tenant: Tenant) -> dict[str, str]:
        async with few:
            with suppress(CallFailed, RetryLater):
                api = AwsApi(tenant, GLOBAL, rate_limiter, tenant.access.get("partition", "aws"))
                return {account["Id"]: account.get("Name") or "" async for account in _accounts(api)}
        return {}

    known: dict[str, str] = {}
    for listed in await asyncio.gather(*(names(tenant) for tenant in found if tenant.id in asked)):
        known |= listed
    return [replace(tenant, name=known.get(tenant.id) or tenant.name) for tenant in found]


def _telling(found: list[Tenant], options: Options) -> list[Tenant]:
    """The accounts, each with what else the options say for its scopes.

    asked_for_organization   which accounts tell the organization's tree
    name_server              who is asked for the addresses of search domains
    """
    told = {}
    if asked := options.get("aws_organization_account_ids"):
        told["asked_for_organization"] = ",".join(asked)
    if server := options.get("aws_name_server"):
        told["name_server"] = server
    return [replace(tenant, access={**tenant.access, **told}) for tenant in found]


async def _accounts(api: AwsApi) -> AsyncIterator[Mapping[str, Any]]:
    async for page in api.pages("organizations:ListAccounts"):
        for account in page["Accounts"]:
            yield account


@dataclass(frozen=True, slots=True)
class _Identity:
    account: str
    partition: str

    @classmethod
    def of(cls, arn: str) -> _Identity:
        return cls(account_of(arn), partition_of(arn))


async def _identity(access: Mapping[str, str], rate_limiter: RateLimiter) -> _Identity:
    """Whose credentials these are. Raises CallFailed; the next attempt then reads this machine's configuration anew."""
    try:
        partition = access.get("partition") or credentials.partition_of_region(access)
    except BotoCoreError:
        partition = "aws"  # what is wrong, the call says
    api = AwsApi(Tenant(provider="aws", id="-", access=access), GLOBAL, rate_limiter, partition)
    try:
        response = await api.call("sts:GetCallerIdentity")
    except CallFailed:
        api.renew()
        raise
    return _Identity(response["Account"], partition_of(response["Arn"]))


async def regions(api: AwsApi, options: Options) -> Listed[str]:
    """The regions asked for, else all that are enabled in the account."""
    if options.get("aws_regions"):
        return Listed(options["aws_regions"])
    response = await api.call("ec2:DescribeRegions")
    return Listed(sorted(region["RegionName"] for region in response["Regions"]), complete=True)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> AwsApi:
    """The API of an account in a region. Raises CallFailed where its credentials don't work, or are another account's.

    Asked once per way of access in a process: what is fetched for an account must not be of another one, whatever the
    configuration of this machine calls by the profile's name.
    """
    if state := tenant.access.get("state"):
        raise CallFailed(Failure.NOT_ENABLED, "organizations:ListAccounts", f"the account is {state}")
    if credentials.account(tenant.access) is None:
        credentials.remember_account(tenant.access, (await _identity(tenant.access, rate_limiter)).account)
    if (account := credentials.account(tenant.access)) != tenant.id:
        told = f"these credentials are of account {account}, not of {tenant.id}"
        raise CallFailed(Failure.DENIED, "sts:GetCallerIdentity", told, code="OtherAccount")
    return AwsApi(tenant, region, rate_limiter, tenant.access.get("partition", "aws"))


def missing(options: Options) -> Iterable[str]:
    """Whether credentials are there and AWS takes them: one line per lack, none if all is well.

    Raises NotConfigured where there are none and no option wants AWS.
    """
    if options.get("aws_sync_all_profiles"):  # whether each of them works, the run says
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
            if not options.get("aws_assume_role"):
                raise NotConfigured(_NO_CREDENTIALS)
            yield _NO_CREDENTIALS
            return
        region = credentials.home_region(credentials.partition_of_region(credentials.DEFAULT))
        quick = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=10)
        core.create_client("sts", region_name=region, config=quick).get_caller_identity()  # type: ignore[attr-defined]
    except ClientError as error:
        yield f"AWS refuses the default credentials: {code_of(error)}; check with `aws sts get-caller-identity`"
    except (BotoCoreError, OSError, ValueError) as error:  # botocore raises ValueError for an endpoint that is no URL
        yield f"AWS credentials or endpoint don't work: {reason_of(error)}"


def conflicts(options: Options) -> tuple[str, str] | None:
    """An option that doesn't go with another one, and why; None if all do."""
    if options.get("aws_assume_role") and options.get("aws_sync_all_profiles"):
        return "aws_assume_role", "doesn't go with aws_sync_all_profiles: choose one way to find the accounts"
    if options.get("aws_external_id") and not options.get("aws_assume_role"):
        return "aws_external_id", "is for aws_assume_role; a profile has its own external_id in the AWS configuration"
    return None


def check_region(value: Any) -> str | None:
    known = {
        r for p in ("aws", "aws-cn", "aws-us-gov") for r in botocore.session.Session().get_available_regions("ec2", p)
    }
    wrong = [region for region in value if region not in known]
    return f"{wrong[0]!r} is no AWS region" if wrong else None


def check_role(value: Any) -> str | None:
    told = "is a role's name, perhaps with its path (audit/Reader), not an ARN: it is the same in every account"
    return None if re.fullmatch(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", value) else told


def check_accounts(value: Any) -> str | None:
    wrong = [account for account in value if not re.fullmatch(r"\d{12}", account)]
    return f"{wrong[0]!r} is no account number: 12 digits" if wrong else None


_NO_PROFILES = (
    "no named AWS profiles: aws_sync_all_profiles takes every profile but `default` of the AWS configuration, "
    "the file that AWS_CONFIG_FILE names"
)
_NO_CREDENTIALS = (
    "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or run where a role is attached"
)
