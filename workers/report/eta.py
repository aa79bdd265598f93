"""How long a run will still take, judged by how long its scopes took before."""

from __future__ import annotations

from collections.abc import Sequence

from loaders.ledger import Ledger, RunInfo
from loaders.scope import Scope


def seconds(
    ledger: Ledger, info: RunInfo, ended: Sequence[Scope], to_come: Sequence[Scope], *, waits: float = 0
) -> float | None:
    """Seconds to go, at the pace of this run so far. None without earlier times.

    A scope that never ended before counts as the mean of the others. `waits`: seconds until the scopes of a silent
    worker are taken over, which nothing can shorten.
    """
    past = [took or None for took in ledger.expected_seconds([*ended, *to_come])]
    known = [took for took in past if took]
    if not known:
        return None
    mean = sum(known) / len(known)
    times = [took or mean for took in past]
    done, left = sum(times[: len(ended)]), sum(times[len(ended) :])
    elapsed_seconds = (ledger.now_ms() - info.created_ms) / 1000  # both by Redis's clock
    return round(max(elapsed_seconds * left / done, waits), 1) if done else None
