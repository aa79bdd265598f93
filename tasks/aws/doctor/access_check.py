"""What the credentials may do in each account, before a first run: every call of the types is tried once, where it
would be made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

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

ACCOUNTS_AT_A_TIME: Final = 10
REGIONS_AT_A_TIME: Final = 40  # of all accounts together
SOMEWHERE: Final = "-"  # in regions that couldn't be listed
LISTS_REGIONS: Final = "ec2:DescribeRegions"

# Of two calls, or two types, that need the same action in a region: what is worse, and what is known, first.
_WORST_FIRST: Final = (Access.DENIED, Access.FAILED, Access.NOT_ENABLED, Access.ALLOWED, Access.NOT_TRIED)


async def check_access(options: AwsOptions, types: Sequence[ResourceType], rate_limiter: RateLimiter) -> Examination:
    """Every account that a run with these options would cover. Raises NotConfigured."""
    try:
        listed = await tenants.tenants(options, rate_limiter)
    except RetryLater as wait:
        return Examination(failure=wait.reason)
    except CallFailed as error:
        remedies = [Remedy("the policy of the default credentials", allow([error.action]))] if _is_denied(error) else []
        return Examination(failure=str(error), remedies=remedies)
    hub = await _principal(credentials.DEFAULT, rate_limiter) if options.aws_assume_role else None
    check = _Check(
        options, types, rate_limiter, hub, asyncio.Semaphore(ACCOUNTS_AT_A_TIME), asyncio.Semaphore(REGIONS_AT_A_TIME)
    )
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
    hub: str | None  # who assumes the role of the options
    few_accounts: asyncio.Semaphore
    few_regions: asyncio.Semaphore

    async def account(self, tenant: Tenant) -> Examined:
        async with self.few_accounts:
            examined = Examined(tenant=tenant.id, name=tenant.name)
            try:
                home = await tenants.connect(tenant, GLOBAL, self.rate_limiter)
                examined.identity = (await home.call("sts:GetCallerIdentity"))["Arn"]
                await self._actions(home, examined)
            except RetryLater as wait:
                examined.reached, examined.reason = Reached.NO, wait.reason
            except CallFailed as error:
                skipped = error.failure is Failure.NOT_ENABLED
                examined.reached = Reached.SKIPPED if skipped else Reached.NO
                examined.reason = error.reason if skipped else str(error)
                examined.remedies += self._ways_in(tenant, error)
            return examined

    async def _actions(self, home: AwsApi, examined: Examined) -> None:
        """Try the calls everywhere, then ask the simulation about those that could be tried nowhere."""
        regions, planning = await self._regions(home)
        trials = [self._trial(home, GLOBAL, Per.TENANT), *(self._trial(home, region, Per.REGION) for region in regions)]
        matrix = _Matrix()
        for probe in await asyncio.gather(*trials):
            examined.calls += probe.plain.calls
            for call, finding in probe.found.items():
                matrix.add(call, probe.region, finding)
        for call, finding in planning.items():
            matrix.add(call, GLOBAL, finding)
        if not regions:
            for call in {call for type_ in self._per(Per.REGION) for call in type_.fetch.calls}:
                matrix.add(call, SOMEWHERE, Finding(Access.NOT_TRIED, reason="its regions are not known"))
        principal = await principal_of(home, examined.identity)
        matrix.complete(await simulated(home, principal, matrix.untried()))
        examined.actions = matrix.sorted()
        examined.calls += home.calls
        if missing := sorted({action for action, _, _ in examined.found(Access.DENIED)}):
            examined.remedies.append(Remedy(f"the policy of {principal or examined.identity}", allow(missing)))

    async def _regions(self, home: AwsApi) -> tuple[Sequence[str], dict[str, Finding]]:
        """Those of the account, and what was found by asking for them."""
        if not self._per(Per.REGION):
            return (), {}
        asked = not self.options.aws_regions
        try:
            listed: Listed[str] = await tenants.regions(home, self.options)
        except CallFailed as error:
            access = Access.DENIED if _is_denied(error) else Access.FAILED
            return (), {LISTS_REGIONS: Finding(access, How.CALL, error.reason)}
        return listed.found, {LISTS_REGIONS: Finding(Access.ALLOWED, How.CALL)} if asked else {}

    async def _trial(self, home: AwsApi, region: str, per: Per) -> Probe:
        async with self.few_regions:
            probe = Probe(home.tenant, region, self.rate_limiter, home.partition)
            for type_ in sorted(self._per(per), key=lambda one: -len(one.fetch.calls)):
                await probe.try_type(type_)  # those first that need what others only list
            return probe

    def _per(self, per: Per) -> list[ResourceType]:
        return [type_ for type_ in self.types if type_.per is per]

    def _ways_in(self, tenant: Tenant, error: CallFailed) -> list[Remedy]:
        """Who may assume a role is said at both ends: which of them refused, AWS doesn't tell."""
        access = AwsAccess.from_json(tenant.access)
        role = access.role or (credentials.role_of_profile(access.profile) if access.profile else None)
        if not (_is_denied(error) and error.action == "sts:AssumeRole" and role):
            return []
        hub = self.hub or "<who assumes it>"
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
            return  # no policy has to allow it
        regions = self._findings.setdefault(permission(call), {})
        worst = min((finding, regions.get(region, finding)), key=lambda one: _WORST_FIRST.index(one.access))
        regions[region] = worst

    def untried(self) -> list[str]:
        """Actions that are tried nowhere, as nothing was there to try them on."""
        return [
            action
            for action, regions in self._findings.items()
            if all(one.access is Access.NOT_TRIED for one in regions.values())
            and any(one.reason != NOT_CALLED for one in regions.values())
        ]

    def complete(self, told: Mapping[str, Finding]) -> None:
        for action, finding in told.items():
            self._findings[action] = dict.fromkeys(self._findings[action], finding)

    def sorted(self) -> dict[str, dict[str, Finding]]:
        return {action: dict(sorted(regions.items())) for action, regions in sorted(self._findings.items())}


def allow(actions: Iterable[str], resource: str = "*") -> dict[str, Any]:
    """A statement of a policy."""
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}


async def _principal(access: Mapping[str, str], rate_limiter: RateLimiter) -> str | None:
    """Who has these credentials, as a policy names them."""
    try:
        home = AwsApi(
            Tenant(provider="aws", id="-", access=access), GLOBAL, rate_limiter, credentials.partition_of_region(access)
        )
        identity: str = (await home.call("sts:GetCallerIdentity"))["Arn"]
    except (CallFailed, RetryLater):
        return None
    return await principal_of(home, identity) or identity


def _is_denied(error: CallFailed) -> bool:
    return error.failure is Failure.DENIED
