"""What the graph keeps of changes: read, and forgotten with old runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loaders import cypher
from loaders.changes.change import Kind
from loaders.changes.recorder import dropped
from loaders.errors import UsageError
from loaders.graph import Graph
from loaders.schema import GraphSchema
from loaders.writer import GRAPH_NODE

MAX_KEPT: Final = 100_000  # changes of all runs: the oldest runs' go first
_PER_TRANSACTION: Final = 5_000

_LOGS: Final = "MATCH (l:SyncChangeLog) RETURN l{.*} AS log ORDER BY l.tag DESC"
_FORGET: Final = "MATCH (c:SyncChange) WHERE c.tag <= $tag WITH c LIMIT $limit DELETE c RETURN count(*) AS deleted"
_FORGET_TENANT: Final = (
    "MATCH (c:SyncChange {tenant: $tenant}) WHERE $provider = '' OR c.provider = $provider "
    "WITH c LIMIT $limit DELETE c RETURN count(*) AS deleted"
)
_RUNS: Final = "MATCH (r:SyncRun) RETURN r.id AS run, r.tag AS tag ORDER BY r.tag DESC"
_CHANGES: Final = (
    "MATCH (c:SyncChange) WHERE c.tag > $since AND ($tenant = '' OR c.tenant = $tenant) "
    "AND ($provider = '' OR c.provider = $provider) "
    "RETURN c{.*} AS change ORDER BY c.tag, c.kind, c.tenant, c.region, c.type, c.label, c.key, c.id"
)
_FIRST_SEEN: Final = (
    "MATCH (s:SyncScope) WHERE s.first_seen_tag > $since AND ($tenant = '' OR s.tenant = $tenant) "
    "AND ($provider = '' OR s.provider = $provider) "
    "RETURN s.type AS type, s.tenant AS tenant, s.region AS region, s.first_seen AS nodes "
    "ORDER BY tenant, region, type"
)
# What the last run saw completely, or holds nothing of, can't have lost anything unnoticed.
_NOT_SEEN: Final = (
    "MATCH (r:SyncRun) WITH max(r.tag) AS last "
    "MATCH (s:SyncScope) WHERE ($tenant = '' OR s.tenant = $tenant) AND ($provider = '' OR s.provider = $provider) "
    "AND (s.status IN $unseen OR s.held AND (s.status <> 'complete' OR s.lastupdated < last)) "
    "RETURN s.id AS id, s.type AS type, s.tenant AS tenant, s.region AS region, "
    "       CASE WHEN s.status IN $unseen OR s.status <> 'complete' THEN s.status ELSE 'not selected' END AS status, "
    "       s.reason AS reason, coalesce(s.held, false) AS held, s.complete_at AS complete_at "
    "ORDER BY tenant, region, type"
)
UNSEEN: Final = ("denied", "failed", "quarantined", "held back")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Changes of the runs after one run.

    since       that run's id and tag; None: from the first run on
    changes     one by one, as they were recorded
    first_seen  scopes that were never seen completely before, and how many nodes they hold since
    not_seen    scopes that the last run did not see completely: what they held is as it was, and nothing of it deleted
    dropped     changes by kind for which a run had no room
    """

    since: dict[str, Any] | None
    changes: list[dict[str, Any]]
    first_seen: list[dict[str, Any]]
    not_seen: list[dict[str, Any]]
    dropped: dict[str, int]


def read(graph: Graph, schema: GraphSchema, *, since: str | None = None, tenant: str = "") -> History:
    """`since`: the id of a run; by default the run before the last one. `tenant`: its id, or `provider/id`."""
    after = _since(graph, since)
    provider, _, own = tenant.rpartition("/")
    tag = after["tag"] if after else 0
    parameters = {"since": tag, "tenant": own, "provider": provider, "unseen": UNSEEN}
    logs = [row["log"] for row in graph.rows(_LOGS) if row["log"]["tag"] > tag]
    counts = {str(kind): sum(log.get(dropped(kind), 0) for log in logs) for kind in Kind}
    not_seen = graph.rows(_NOT_SEEN, parameters)
    _count_nodes(graph, schema, not_seen)
    return History(
        since=after,
        changes=[row["change"] for row in graph.rows(_CHANGES, parameters)],
        first_seen=graph.rows(_FIRST_SEEN, parameters),
        not_seen=not_seen,
        dropped={kind: count for kind, count in counts.items() if count},
    )


def forget_old_runs(graph: Graph, *, keep: int) -> None:
    """Keep the changes of the last `keep` runs that changed something, and no more than MAX_KEPT of them."""
    kept = 0
    for number, row in enumerate(graph.rows(_LOGS)):
        log = row["log"]
        kept += sum(log.get(kind, 0) for kind in Kind)
        if number >= keep or (kept > MAX_KEPT and number):
            _forget(graph, log["tag"])
            return


def forget_tenant(graph: Graph, tenant: str) -> None:
    """`tenant`: its id, or `provider/id`."""
    provider, _, own = tenant.rpartition("/")
    graph.write_until_done(_FORGET_TENANT, {"tenant": own, "provider": provider}, limit=_PER_TRANSACTION)


def _forget(graph: Graph, tag: int) -> None:
    """The changes up to this run, and that they were forgotten."""
    graph.write_until_done(_FORGET, {"tag": tag}, limit=_PER_TRANSACTION)
    query = (
        f"MATCH {GRAPH_NODE} SET g.changes_forgotten_tag = $tag "
        "WITH g MATCH (l:SyncChangeLog) WHERE l.tag <= $tag DELETE l"
    )
    graph.write(lambda tx: tx.run(query, tag=tag).consume())


def _since(graph: Graph, run: str | None) -> dict[str, Any] | None:
    """Raises UsageError where the changes since that run are not kept, or not known."""
    runs = graph.rows(_RUNS)
    if run is None:
        return runs[1] if len(runs) > 1 else None
    known = next((each for each in runs if each["run"] == run), None)
    if known is None:
        kept = ", ".join(each["run"] for each in runs[:5]) or "none"
        raise UsageError(f"--since {run}: the graph keeps no such run; the last ones: {kept}")
    [row] = graph.rows(f"MATCH {GRAPH_NODE} RETURN coalesce(g.changes_forgotten_tag, 0) AS tag") or [{"tag": 0}]
    if known["tag"] < row["tag"]:
        oldest = min((each for each in runs if each["tag"] >= row["tag"]), key=lambda each: each["tag"])["run"]
        raise UsageError(f"--since {run}: the changes that followed it are no longer kept; the oldest is {oldest}")
    return known


def _count_nodes(graph: Graph, schema: GraphSchema, scopes: Sequence[dict[str, Any]]) -> None:
    """Set `nodes`: how many each scope holds."""
    by_type = defaultdict[str, dict[str, dict[str, Any]]](dict)
    for scope in scopes:
        scope["nodes"] = 0
        if scope.pop("held"):
            by_type[scope["type"]][scope["id"]] = scope
    for type_name, of_type in by_type.items():
        for query in _counting(schema, type_name):
            for row in graph.rows(query, {"scopes": list(of_type)}):
                of_type[row["scope"]]["nodes"] += row["nodes"]
    for scope in scopes:
        del scope["id"]


def _counting(schema: GraphSchema, type_name: str) -> Iterator[str]:
    for model in schema.models_of_type.get(type_name, ()):
        if model.is_watched:
            own = "" if model is model.identity else f" WHERE n:{cypher.quoted(model.label)}"
            yield (
                f"UNWIND $scopes AS scope MATCH (n:{cypher.quoted(model.identity.label)} {{_scope: scope}}){own} "
                "RETURN scope, count(n) AS nodes"
            )
