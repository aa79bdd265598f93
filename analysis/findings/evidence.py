"""What was seen of the types that rules rest on, by tenant and region: a rule is judged only where they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from loaders.scope import GLOBAL, provider_of, regions_type, tenants_type

if TYPE_CHECKING:
    from loaders.graph import Graph

MAX_REASONS: Final = 20  # gaps that one rule's record names; it counts all

_SEEN: Final = """
MATCH (scope:SyncScope)
WHERE scope.type IN $types AND NOT scope.status IN ['skipped', 'retired']
WITH scope.provider + '/' + scope.tenant AS tenant, scope.type AS type, scope,
     scope.status = 'complete' AND scope.lastupdated = $tag AS now
WITH tenant, type, count(scope.complete_at) AS ever,
     collect(CASE WHEN NOT now THEN scope {.region, .reason, .status, .complete_at} END) AS gaps
RETURN tenant, type, ever, gaps
"""
_TENANTS: Final = """
MATCH (scope:SyncScope) WHERE scope.type STARTS WITH $prefix AND NOT scope.status IN ['skipped', 'retired']
  AND NOT scope.type IN $planners
RETURN DISTINCT scope.provider + '/' + scope.tenant AS tenant
"""
_PLANNING: Final = """
MATCH (scope:SyncScope)
WHERE scope.type IN $planners AND scope.status IN ['denied', 'failed', 'quarantined']
RETURN scope.provider AS provider, scope.tenant AS tenant, scope.type AS type, scope.status AS status,
       scope.reason AS reason
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A scope, or a type of a tenant, that this run did not see.

    since  when it was last seen completely, in milliseconds since 1970; None: never
    """

    tenant: str  # with its provider: aws/111122223333
    type: str
    region: str
    reason: str
    since: int | None

    def __str__(self) -> str:
        _, _, tenant = self.tenant.partition("/")
        place = tenant if self.region == GLOBAL else f"{self.region} of {tenant}"
        return f"{self.type} in {place}" + (f" ({self.reason})" if self.reason else "")

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("tenant", "type", "region", "reason", "since")}


class Evidence:
    """The coverage that a run left, of the types of some rules."""

    def __init__(
        self, tenants: Mapping[str, Collection[str]], ever: Collection[tuple[str, str]], gaps: Iterable[Gap]
    ) -> None:
        self._tenants = tenants  # by provider
        self._ever = set(ever)  # (tenant, type) of which a scope was complete once
        self._gaps: dict[tuple[str, str], list[Gap]] = defaultdict(list)
        for gap in gaps:
            self._gaps[gap.tenant, gap.type].append(gap)

    @classmethod
    def read(cls, graph: Graph, types: Collection[str], tag: int) -> Evidence:
        """Of the run with this tag."""
        providers = sorted(set(map(provider_of, types)))
        planners = [of(provider) for provider in providers for of in (tenants_type, regions_type)]
        tenants = {
            provider: [
                str(row["tenant"]) for row in graph.rows(_TENANTS, {"prefix": f"{provider}.", "planners": planners})
            ]
            for provider in providers
        }
        ever: list[tuple[str, str]] = []
        gaps: list[Gap] = []
        for row in graph.stream(_SEEN, {"types": sorted(types), "tag": tag}):
            if row["ever"]:
                ever.append((row["tenant"], row["type"]))
            gaps += [_gap(row["tenant"], row["type"], scope) for scope in row["gaps"]]
        # A tenant whose planning failed has no scope of any type: its plan is what was not seen.
        for row in graph.rows(_PLANNING, {"planners": planners}):
            tenant = f"{row['provider']}/{row['tenant']}"
            if tenant not in tenants[row["provider"]]:
                tenants[row["provider"]].append(tenant)
            gaps.append(_gap(tenant, row["type"], row))
        return cls(tenants, ever, gaps)

    def tenants(self, types: Iterable[str]) -> list[str]:
        """Of the providers of these types."""
        return sorted({tenant for provider in set(map(provider_of, types)) for tenant in self._tenants[provider]})

    def never_seen(self, tenant: str, types: Iterable[str]) -> list[Gap]:
        """The types of which this tenant's scopes were never complete; those of other providers don't count."""
        provider = tenant.partition("/")[0]
        return [
            self._never(tenant, type_)
            for type_ in types
            if provider_of(type_) == provider and (tenant, type_) not in self._ever
        ]

    def not_seen(self, tenant: str, types: Iterable[str], region: str = GLOBAL) -> list[Gap]:
        """What this run did not see of what a tenant has in one region, or of all that it has."""
        gaps = [gap for type_ in types for gap in self._gaps.get((tenant, type_), ())]
        return [gap for gap in gaps if region == GLOBAL or gap.region in (GLOBAL, region)]

    def knows(self, tenant: str) -> bool:
        """Whether the graph still has any coverage of the tenant."""
        return tenant in self._tenants.get(tenant.partition("/")[0], ())

    def _never(self, tenant: str, type_: str) -> Gap:
        provider = provider_of(type_)
        places = [(tenant, name) for name in (type_, regions_type(provider), tenants_type(provider))]
        reasons = (gap.reason for place in places for gap in self._gaps.get(place, ()))
        reason = next(reasons, "never requested")
        return Gap(tenant=tenant, type=type_, region=GLOBAL, reason=reason, since=None)


def _gap(tenant: str, type_: str, scope: Mapping[str, Any]) -> Gap:
    complete = scope["status"] == "complete"
    return Gap(
        tenant=tenant,
        type=type_,
        region=scope.get("region") or GLOBAL,
        reason="as an earlier run saw it" if complete else str(scope["reason"] or scope["status"]),
        since=scope.get("complete_at"),
    )
