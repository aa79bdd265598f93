"""What was seen of some resource types: for the verdict of a job, and for the result of a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from analysis.finding import LISTED, Cause, unseen_notes
from loaders.scope import GLOBAL, provider_of, regions_type, tenants_type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from loaders.graph import Graph

_SCOPES_BY_TYPE: Final = """
MATCH (scope:SyncScope) WHERE scope.type IN $types
RETURN scope.type AS type, count(CASE WHEN NOT scope.status IN ['skipped', 'retired'] THEN 1 END) AS scopes,
       count(CASE WHEN scope.lastupdated < $tag THEN scope.complete_at END) AS earlier,
       count(scope.complete_at) > 0 AS ever_complete
"""

_SCOPES_NOT_SEEN: Final = """
MATCH (scope:SyncScope)
WHERE scope.type IN $types AND scope.status IN ['denied', 'failed', 'quarantined', 'held back']
RETURN scope.tenant AS tenant, scope.region AS region, scope.type AS type,
       scope.status AS status, scope.reason AS reason,
       scope.failure AS failure, scope.code AS code, scope.action AS action, scope.complete_at AS complete_at
ORDER BY tenant, region, type
"""

_DETAILS_NOT_SEEN: Final = """
MATCH (scope:SyncScope)
WHERE scope.type IN $types AND scope.status = 'complete' AND scope.gaps IS NOT NULL
RETURN scope.tenant AS tenant, scope.region AS region, scope.type AS type, scope.gaps AS gaps
ORDER BY tenant, region, type
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenScope:
    """A scope that was not seen when it was last planned.

    complete_at  when it last was, in milliseconds since 1970; None: never
    """

    tenant: str
    region: str
    type: str
    status: str
    reason: str
    cause: Cause
    complete_at: int | None

    @property
    def place(self) -> str:
        return _place(self.tenant, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Details of a scope's items that were not seen."""

    tenant: str
    region: str
    type: str
    reason: str

    @property
    def place(self) -> str:
        return _place(self.tenant, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was seen of resource types.

    scopes       how many they have, without those skipped as the settings expect
    never_seen   types without any scope that was ever complete
    never_asked  types without any scope, that there is a result without
    earlier      scopes that the run did not plan, and of which the graph holds what earlier runs saw
    """

    types: Sequence[str]
    scopes: int = 0
    not_seen: Sequence[UnseenScope] = ()
    gaps: Sequence[Gap] = ()
    never_seen: Sequence[str] = field(default_factory=list)
    never_asked: Sequence[str] = field(default_factory=list)
    earlier: int = 0

    @property
    def never(self) -> Sequence[str]:
        return [*self.never_seen, *self.never_asked]

    def __str__(self) -> str:
        """What was not seen, in one line; empty if nothing is missing."""
        never = [
            *self.never[:LISTED],
            *([f"{len(self.never) - LISTED} more types"] if len(self.never) > LISTED else []),
        ]
        not_seen = [(scope.place, scope.reason) for scope in self.not_seen]
        details = [(gap.place, gap.reason) for gap in self.gaps]
        return "; ".join(unseen_notes(not_seen, self.scopes, details, never, self.earlier))


def coverage(graph: Graph, types: Collection[str], also: Collection[str], tag: int) -> Coverage:
    """Of these types as the run with this tag left it. `also`: further types, which need not have been asked for."""
    every = list(dict.fromkeys((*types, *also)))
    by_type = {row["type"]: row for row in graph.rows(_SCOPES_BY_TYPE, {"types": every, "tag": tag})}
    # A tenant whose planning was denied has no scope of any type: then its plan is what was not seen.
    providers = sorted(set(map(provider_of, types)))
    planners = [of(provider) for provider in providers for of in (tenants_type, regions_type)]
    not_seen = [_unseen(row) for row in graph.rows(_SCOPES_NOT_SEEN, {"types": [*planners, *every]})]
    gaps = [
        Gap(tenant=row["tenant"], region=row["region"], type=row["type"], reason="; ".join(row["gaps"]))
        for row in graph.rows(_DETAILS_NOT_SEEN, {"types": every})
    ]
    return Coverage(
        types=every,
        scopes=sum(row["scopes"] for row in by_type.values()) + sum(scope.type in planners for scope in not_seen),
        not_seen=not_seen,
        gaps=gaps,
        never_seen=[type_ for type_ in types if type_ not in by_type or not by_type[type_]["ever_complete"]],
        never_asked=[type_ for type_ in also if type_ not in by_type],
        earlier=sum(row["earlier"] for row in by_type.values()),
    )


def _unseen(scope: Mapping[str, Any]) -> UnseenScope:
    reason = str(scope["reason"] or f"{scope['type']} {scope['status']}")
    return UnseenScope(
        tenant=scope["tenant"],
        region=scope["region"] or GLOBAL,
        type=scope["type"],
        status=scope["status"],
        reason=reason,
        cause=_cause(scope, reason),
        complete_at=scope["complete_at"],
    )


def _cause(scope: Mapping[str, Any], reason: str) -> Cause:
    """The fields; of a scope that an older version recorded, or of other reasons, the text."""
    failure, code, action = (str(scope[name] or "") for name in ("failure", "code", "action"))
    if action and reason in (f"{code} {action}", f"{failure} {action}"):
        return {"failure": failure, "code": code, "action": action, "detail": ""}
    return {"failure": "", "code": "", "action": "", "detail": reason}


def _place(tenant: str, region: str | None) -> str:
    return tenant if region in (None, GLOBAL) else f"{region} of {tenant}"
