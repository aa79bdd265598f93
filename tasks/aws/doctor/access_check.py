"""Checks what the credentials may do in each account before a first run: tries every call of the types once, in each
region where a run would make it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from loaders.scope import GLOBAL
from tasks.access import Access, Examination, Examined, Finding, How, Reached, Remedy
from tasks.aws.client import credentials, tenants
from tasks.aws.client.access import AwsAccess
from tasks.aws.client.client import AwsApi
from tasks.aws.client.permissions import permission, permissions
from tasks.aws.doctor.policy_simulator import principal_of, simulated
from tasks.aws.doctor.probe import NOT_CALLED, Probe
from tasks.aws.options import AwsOptions
from tasks.clients.rate_limiter import RateLimiter
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import Listed, Per, ResourceType, Tenant

MAX_ACCOUNTS: Final = 10  # at a time
MAX_REGIONS: Final = 40  # at a time, over all accounts
UNKNOWN_REGION: Final = "-"  # the regions could not be listed
LISTS_REGIONS: Final = "ec2:DescribeRegions"
_WHO_AM_I: Final = "sts:GetCallerIdentity"

# If several calls or types require an action in a region: the worst finding counts, and any result before none.
_WORST_FIRST: Final = (Access.DENIED, Access.FAILED, Access.NOT_ENABLED, Access.ALLOWED, Access.NOT_TRIED)


async def check_access(options: AwsOptions, types: Sequence[ResourceType], rate_limiter: RateLimiter) -> Examination:
    """Check every account that a run with these options would cover. Raises NotConfigured."""
    try:
        listed = await tenants.tenants(options, rate_limiter)
    except RetryLater as wait:
        return Examination(failure=wait.reason)
    except CallFailed as error:
        needs_grant = _is_denied(error) and permissions([error.action])
        remedies = [Remedy("the policy of the default credentials", allow([error.action]))] if needs_grant else []
        return Examination(failure=_explained(error), remedies=remedies)
    hub = await _principal(credentials.DEFAULT, rate_limiter) if options.aws_assume_role else None
    check = _Check(options, types, rate_limiter, hub, asyncio.Semaphore(MAX_ACCOUNTS), asyncio.Semaphore(MAX_REGIONS))
    return Examination(
        tenants=list(await asyncio.gather(*(check.account(tenant) for tenant in listed.found))),
        notes=listed.notes,
        unseen=listed.incomplete_reason,
    )


@dataclass(frozen=True, slots=True)
class _Check:
    options: AwsOptions
    types: Sequence[ResourceType]
    rate_limiter: RateLimiter
    hub: str | None  # ARN of the principal that assumes the role
    few_accounts: asyncio.Semaphore
    few_regions: asyncio.Semaphore

    async def account(self, tenant: Tenant) -> Examined:
        async with self.few_accounts:
            examined = Examined(tenant=tenant.id, name=tenant.name)
            try:
                home = await tenants.connect(tenant, GLOBAL, self.rate_limiter)
                examined.identity = (await home.call(_WHO_AM_I))["Arn"]
                await self._actions(home, examined)
            except RetryLater as wait:
                examined.reached, examined.reason = Reached.NO, wait.reason
            except CallFailed as error:
                skipped = error.failure is Failure.NOT_ENABLED
                examined.reached = Reached.SKIPPED if skipped else Reached.NO
                examined.reason = error.reason if skipped else _explained(error)
                examined.remedies += self._ways_in(tenant, error)
            return examined

    async def _actions(self, home: AwsApi, examined: Examined) -> None:
        """Try the calls in every region, then ask the policy simulator about those that couldn't be tried anywhere."""
        regions, planning = await self._regions(home)
        probes = [self._probe(home, GLOBAL, Per.TENANT), *(self._probe(home, region, Per.REGION) for region in regions)]
        matrix = _Matrix()
        for probe in await asyncio.gather(*probes):
            examined.calls += probe.plain.calls
            for call, finding in probe.found.items():
                matrix.add(call, probe.region, finding)
        for call, finding in planning.items():
            matrix.add(call, GLOBAL, finding)
        if not regions:
            for call in {call for type_ in self._per(Per.REGION) for call in type_.fetch.calls}:
                matrix.add(
                    call, UNKNOWN_REGION, Finding(Access.NOT_TRIED, reason="the regions of the account are not known")
                )
        principal = await principal_of(home, examined.identity)
        matrix.complete(await simulated(home, principal, matrix.untried()))
        examined.actions = matrix.sorted()
        examined.calls += home.calls
        if missing := sorted({action for action, _, _ in examined.found(Access.DENIED)}):
            examined.remedies.append(Remedy(f"the policy of {principal or examined.identity}", allow(missing)))

    async def _regions(self, home: AwsApi) -> tuple[Sequence[str], dict[str, Finding]]:
        """The regions of the account, and the findings of listing them."""
        if not self._per(Per.REGION):
            return (), {}
        asked = not self.options.aws_regions
        try:
            listed: Listed[str] = await tenants.regions(home, self.options)
        except CallFailed as error:
            access = Access.DENIED if _is_denied(error) else Access.FAILED
            return (), {LISTS_REGIONS: Finding(access, How.CALL, error.reason)}
        return listed.found, {LISTS_REGIONS: Finding(Access.ALLOWED, How.CALL)} if asked else {}

    async def _probe(self, home: AwsApi, region: str, per: Per) -> Probe:
        async with self.few_regions:
            probe = Probe(home.tenant, region, self.rate_limiter, home.partition)
            for type_ in sorted(self._per(per), key=lambda type_: -len(type_.fetch.calls)):
                await probe.try_type(type_)  # first those whose details need what other types only list
            return probe

    def _per(self, per: Per) -> list[ResourceType]:
        return [type_ for type_ in self.types if type_.per is per]

    def _ways_in(self, tenant: Tenant, error: CallFailed) -> list[Remedy]:
        """Both ends have to allow a role to be assumed, and AWS doesn't say which one denied it."""
        access = AwsAccess.from_json(tenant.access)
        role = access.role or (credentials.role_of_profile(access.profile) if access.profile else None)
        if not (_is_denied(error) and error.action == "sts:AssumeRole" and role):
            return []
        hub = self.hub or "<the principal that assumes it>"
        trust: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": hub}, "Action": error.action}
        if external_id := access.external_id:
            trust["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
        return [
            Remedy(f"the trust policy of {role}", trust),
            Remedy(f"the policy of {hub}", allow([error.action], role)),
        ]


class _Matrix:
    """Findings by action and region."""

    def __init__(self) -> None:
        self._findings: dict[str, dict[str, Finding]] = {}

    def add(self, call: str, region: str, finding: Finding) -> None:
        if not permissions([call]):
            return  # needs no permission
        regions = self._findings.setdefault(permission(call), {})
        worst = min((finding, regions.get(region, finding)), key=lambda either: _WORST_FIRST.index(either.access))
        regions[region] = worst

    def untried(self) -> list[str]:
        """Actions that were tried nowhere, because no item exists to try them on."""
        return [
            action
            for action, regions in self._findings.items()
            if all(finding.access is Access.NOT_TRIED for finding in regions.values())
            and any(finding.reason != NOT_CALLED for finding in regions.values())
        ]

    def complete(self, simulated: Mapping[str, Finding]) -> None:
        for action, finding in simulated.items():
            self._findings[action] = dict.fromkeys(self._findings[action], finding)

    def sorted(self) -> dict[str, dict[str, Finding]]:
        return {action: dict(sorted(regions.items())) for action, regions in sorted(self._findings.items())}


def allow(actions: Iterable[str], resource: str = "*") -> dict[str, Any]:
    """An Allow statement of a policy."""
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}


async def _principal(access: Mapping[str, str], rate_limiter: RateLimiter) -> str | None:
    """The principal of these credentials, as policies name it."""
    try:
        home = AwsApi(
            Tenant(provider="aws", id="-", access=access), GLOBAL, rate_limiter, credentials.partition_of_region(access)
        )
        identity: str = (await home.call(_WHO_AM_I))["Arn"]
    except (CallFailed, RetryLater):
        return None
    return await principal_of(home, identity) or identity


def _explained(error: CallFailed) -> str:
    """The error, with the likely cause where AWS denies a call that requires no permission."""
    if error.action == _WHO_AM_I and isinstance(error.__cause__, ClientError):
        return f"{error}; the cause is usually invalid or expired keys, or a service control policy"
    return str(error)


def _is_denied(error: CallFailed) -> bool:
    return error.failure is Failure.DENIED
