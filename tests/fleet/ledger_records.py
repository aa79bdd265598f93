"""A scope and a run as the ledger has them, for what reads no more of them than a test says."""

from __future__ import annotations

from typing import Any

from loaders.ledger import RunInfo, RunState, State, Unit
from loaders.scope import Scope


def unit(scope: Scope, **fields: Any) -> Unit:
    """A complete scope with one row, of which the graph held data before; `fields` differ."""
    complete: dict[str, Any] = {
        "state": State.CLEANED,
        "reason": "",
        "attempt": 1,
        "crashes": 0,
        "rows": 1,
        "seconds": 1.0,
        "worker": "",
        "parent": True,
        "held": True,
    }
    return Unit(scope=scope, **{**complete, **fields})


def run_info(run: str, tag: int, **fields: Any) -> RunInfo:
    """A run that is at its barrier, without counts and times; `fields` differ."""
    documents: dict[str, Any] = {name: {} for name in ("config", "report", "counts")}
    numbers = ("planned", "open", "waiting", "waiting_bytes", "round")
    times = ("created_ms", "settled_ms", "committed_ms", "barrier_ms", "finished_ms", "swept_ms")
    at_barrier: dict[str, Any] = {
        "state": RunState.ANALYSING,
        "reason": "",
        "blocked_by": "",
        **documents,
        **dict.fromkeys((*numbers, *times), 0),
    }
    return RunInfo(id=run, tag=tag, **{**at_barrier, **fields})
