"""Coverage in the graph: what each run saw of each scope, so that "not seen" is never mistaken for "none"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from loaders.graph import BulkRows, Graph
from loaders.ledger import RunInfo, State, Unit
from loaders.page_size import PageSize, in_pages
from loaders.pages import pages
from loaders.scope import Scope

COMPLETE: Final = "complete"
ROWS_PER_TRANSACTION = 2_000

_COVER = """
MERGE (r:SyncRun {id: $run})
WITH r
UNWIND $rows AS row
MERGE (s:SyncScope {id: row.id})
  ON CREATE SET s.firstseen = timestamp()
SET s += row, s.lastupdated = $tag, s.complete_at = CASE row.status WHEN 'complete' THEN $now ELSE s.complete_at END
REMOVE s.retired_runs, s.retired_tag
MERGE (r)-[c:COVERED]->(s)
  ON CREATE SET c.firstseen = timestamp()
SET c.lastupdated = $tag, c.status = row.status, c.reason = row.reason
"""

_RUN = """
MERGE (r:SyncRun {id: $run})
  ON CREATE SET r.firstseen = timestamp()
SET r.tag = $tag, r.lastupdated = $tag, r.started_at = $started_at, r.state = $state
"""

_OLD = "MATCH (r:SyncRun) WITH r ORDER BY r.tag DESC SKIP $keep"
_OLD_COVERED = f"""
{_OLD}
MATCH (r)-[c:COVERED]->()
CALL (c) {{ DELETE c }} IN TRANSACTIONS OF {ROWS_PER_TRANSACTION} ROWS
"""


def status(state: State) -> str:
    """The name that the graph and the report use for a scope's state."""
    return COMPLETE if state in (State.CLEANED, State.FETCHED) else str(state)


def place(scope: Scope) -> dict[str, Any]:
    """The scope's identity, as properties."""
    return {
        "id": scope.id,
        "provider": scope.provider,
        "tenant": scope.tenant,
        "region": scope.region,
        "type": scope.type,
    }


def rows(units: Iterable[Unit]) -> Iterator[dict[str, Any]]:
    """One row per scope: how it ended, why, and what it cost."""
    for unit in units:
        if not unit.parent:
            continue
        scope = unit.scope
        yield place(scope) | {
            "status": status(unit.state),
            "reason": unit.reason or None,
            "failure": unit.why.failure or None,
            "code": unit.why.code or None,
            "action": unit.why.action or None,
            "gaps": unit.outcome.get("gaps") or None,
            "rows": unit.rows,
            "calls": int(unit.outcome.get("calls", 0)),
            "seconds": unit.seconds,
            "attempt": unit.attempt,
        }


def write(graph: Graph, run: RunInfo, units: Iterable[Unit], *, now_ms: int) -> None:
    """Record what this run saw. Repeating it changes nothing. `now_ms`: by the ledger's clock, as all of its times."""
    state = {"run": run.id, "tag": run.tag, "started_at": run.created_ms, "state": str(run.state)}
    graph.write(lambda tx: tx.run(_RUN, state).consume())
    size = PageSize(ROWS_PER_TRANSACTION)

    def cover(page: Sequence[dict[str, Any]]) -> None:
        parameters = {"run": run.id, "tag": run.tag, "rows": BulkRows(page), "now": now_ms}
        graph.write(lambda tx: tx.run(_COVER, parameters).consume())

    for page in pages(rows(units), ROWS_PER_TRANSACTION):
        in_pages(page, size, cover)


def forget_old_runs(graph: Graph, *, keep: int) -> None:
    """Keep COVERED for the last `keep` runs. The scopes keep their last state."""
    graph.autocommit(_OLD_COVERED, {"keep": keep})
    graph.write(lambda tx: tx.run(f"{_OLD} DETACH DELETE r", keep=keep).consume())


def held_scopes(graph: Graph) -> set[str]:
    """Ids of the scopes of which the graph holds data: only these need a cleanup if a run finds nothing."""
    return {row["id"] for row in graph.rows("MATCH (s:SyncScope) WHERE s.held RETURN s.id AS id")}
