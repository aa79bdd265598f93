"""Data of scopes that a run did not plan: kept as last seen, and reported as such.

A scope whose tenant or region is missing from a complete list is retired: its data is kept for some runs, in case it
comes back, and then deleted. The data of a scope that was merely not selected is kept indefinitely.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final

from loaders.cleanup import Cleanup
from loaders.coverage import COMPLETE, status
from loaders.errors import ChartfleetError
from loaders.graph import Graph
from loaders.ledger import Unit
from loaders.schema import GraphSchema
from loaders.scope import ALL_REGIONS, Scope, regions_type, tenants_type

RETIRED: Final = "retired"
NOT_SELECTED: Final = "not selected"
SCOPES_PER_TRANSACTION: Final = 2_000
MAX_PLACES: Final = 200  # reported by region; if there are more, they are reported by tenant


class NotDeleted(ChartfleetError):
    """What a scope holds could not be deleted: the next run tries again."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The complete lists of a run: provider -> tenants, (provider, tenant) -> regions.

    `owners`: provider -> whose list of tenants it is. A tenant that was once in that list and no longer is, is gone.
    About a tenant that came from elsewhere (another organization, a profile) the list says nothing.
    """

    tenants: Mapping[str, Set[str]]
    regions: Mapping[tuple[str, str], Set[str]]
    owners: Mapping[str, str] = field(default_factory=dict)

    def missing(self, scope: Scope, listed_by: str | None) -> str | None:
        """Why a scope is gone, or None if it may still exist. `listed_by`: whose list its tenant was last in."""
        tenants = self.tenants.get(scope.provider)
        if tenants is not None and scope.tenant not in tenants and listed_by == self.owners.get(scope.provider, ""):
            return f"{scope.tenant} is no longer listed"
        regions = self.regions.get((scope.provider, scope.tenant))
        if regions is not None and scope.has_region and scope.region not in regions:
            return f"{scope.region} is no longer enabled in {scope.tenant}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Scopes of one tenant and region (or ALL_REGIONS) that a run did not plan; the graph may hold data of them."""

    tenant: str
    region: str
    status: str  # NOT_SELECTED or RETIRED
    reason: str
    scopes: int


def lists(units: Iterable[Unit]) -> Lists:
    """The complete lists of a run, from the outcomes of its planning units."""
    tenants, regions = defaultdict[str, set[str]](set), defaultdict[tuple[str, str], set[str]](set)
    complete = set[Scope]()
    owners: dict[str, str] = {}
    for unit in units:
        scope = unit.scope
        if not unit.parent:
            continue
        if status(unit.state) == COMPLETE and unit.outcome.get("whole"):
            complete.add(scope)
            if scope.type == tenants_type(scope.provider):
                owners[scope.provider] = unit.outcome.get("owner", "")
        if scope.type == regions_type(scope.provider):
            tenants[scope.provider].add(scope.tenant)
        elif scope.type != tenants_type(scope.provider):
            regions[scope.provider, scope.tenant].add(scope.region)
    return Lists(
        {s.provider: tenants[s.provider] for s in complete if s.type == tenants_type(s.provider)},
        {(s.provider, s.tenant): regions[s.provider, s.tenant] for s in complete if s.type == regions_type(s.provider)},
        owners,
    )


def retire(graph: Graph, schema: GraphSchema, listed: Lists, tag: int, *, keep: int) -> list[Kept]:
    """Mark the scopes that are gone, and delete those that have been gone for more than `keep` runs.

    Repeating it changes nothing.
    """
    _remember_lists(graph, listed, tag)
    kept: Counter[tuple[str, str, str, str]] = Counter()
    planning: list[Scope] = []  # deleted last: they record whose list the tenant's other scopes are compared with
    for page in _absent(graph, tag):
        gone = {
            row["id"]: reason for row in page if (reason := listed.missing(Scope.parse(row["id"]), row["listed_by"]))
        }
        runs = _mark(graph, gone, tag)
        expired = [Scope.parse(scope) for scope, count in runs.items() if count > keep]
        planning += [scope for scope in expired if scope.plans]
        delete(graph, schema, (scope for scope in expired if not scope.plans), tag)
        for row in page:
            scope, reason = Scope.parse(row["id"]), gone.get(row["id"])
            if row["holds"] and runs.get(row["id"], 0) <= keep and not scope.plans:
                kept[scope.tenant, scope.region, RETIRED if reason else NOT_SELECTED, reason or ""] += 1
    if len(kept) > MAX_PLACES:
        by_tenant: Counter[tuple[str, str, str, str]] = Counter()
        for (tenant, _, state, reason), count in kept.items():
            by_tenant[tenant, ALL_REGIONS, state, reason] += count
        kept = by_tenant
    delete(graph, schema, planning, tag)
    return [
        Kept(tenant=tenant, region=region, status=state, reason=reason, scopes=count)
        for (tenant, region, state, reason), count in sorted(kept.items())
    ]


def delete(graph: Graph, schema: GraphSchema, scopes: Iterable[Scope], tag: int) -> int:
    """Delete everything that these scopes own and that was last seen before `tag`, then their coverage.

    A scope of a type that is no longer declared stays, because its labels aren't known. Returns how many nodes and
    relationships were deleted. Raises NotDeleted.
    """
    known = [scope for scope in scopes if scope.type in schema.models_of_type or scope.plans]
    result = Cleanup(graph, schema).clean(known, tag)
    query = "UNWIND $ids AS id MATCH (s:SyncScope {id: id}) DETACH DELETE s"
    graph.write(lambda tx: tx.run(query, ids=[scope.id for scope in result.cleaned]).consume())
    for scope, reason in result.failed.items():
        raise NotDeleted(f"{scope.shown}: {reason.detail}")
    return result.deleted


def scopes_of(graph: Graph, tenant: str) -> list[Scope]:
    """Every scope of a tenant that any run planned. `tenant`: its id, or `provider/id`."""
    provider, _, own = tenant.rpartition("/")
    query = (
        "MATCH (s:SyncScope) WHERE s.tenant = $tenant AND ($provider = '' OR s.provider = $provider) "
        "RETURN s.id AS id ORDER BY id"
    )
    return [Scope.parse(row["id"]) for row in graph.rows(query, {"tenant": own, "provider": provider})]


def _remember_lists(graph: Graph, listed: Lists, tag: int) -> None:
    """Store with each tenant of this run whose complete list it is in, if it is in one."""
    query = (
        "MATCH (s:SyncScope) WHERE s.lastupdated = $tag AND s.type = s.provider + '.regions' "
        "SET s.listed_by = $owners[s.provider]"
    )
    graph.write(lambda tx: tx.run(query, tag=tag, owners=dict(listed.owners)).consume())


def _absent(graph: Graph, tag: int) -> Iterator[list[dict[str, Any]]]:
    """Scopes that earlier runs planned and this run did not, in pages."""
    query = (
        "MATCH (s:SyncScope) WHERE s.id > $after AND s.lastupdated < $tag "
        "WITH s ORDER BY s.id LIMIT $limit "
        "OPTIONAL MATCH (tenant:SyncScope {id: s.provider + '.regions/' + s.tenant + '/global'}) "
        "RETURN s.id AS id, s.complete_at IS NOT NULL OR coalesce(s.held, false) AS holds, "
        "       tenant.listed_by AS listed_by ORDER BY id"
    )
    after = ""
    while page := graph.rows(query, {"after": after, "tag": tag, "limit": SCOPES_PER_TRANSACTION}):
        yield page
        after = page[-1]["id"]


def _mark(graph: Graph, gone: Mapping[str, str], tag: int) -> dict[str, int]:
    """For how many runs each of these scopes has been gone, including this one."""
    query = (
        "UNWIND $rows AS row MATCH (s:SyncScope {id: row.id}) "
        "SET s.status = $retired, s.reason = row.reason, "
        "    s.retired_runs = coalesce(s.retired_runs, 0) + CASE s.retired_tag WHEN $tag THEN 0 ELSE 1 END, "
        "    s.retired_tag = $tag "
        "RETURN s.id AS id, s.retired_runs AS runs"
    )
    rows = [{"id": scope, "reason": reason} for scope, reason in gone.items()]
    if not rows:
        return {}
    marked = graph.write(lambda tx: tx.run(query, rows=rows, retired=RETIRED, tag=tag).data())
    return {row["id"]: row["runs"] for row in marked}
