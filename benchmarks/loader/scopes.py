"""What a scope costs the loader that holds nothing, or one node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.loader.interfaces import MODEL, Interfaces
from benchmarks.loader.meter import Spent
from benchmarks.loader.sides import Place, emptied
from loaders import coverage
from tests.integration.runs import Run
from workers import embedded

_WARM_UP_SCOPES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a scope.

    drain     load and clean what waits
    coverage  record at the barrier what was seen
    """

    drain: Spent
    coverage: Spent


def measure(services: embedded.Services, count: int) -> dict[str, Cost]:
    """By what the scopes hold."""
    empty, held, others = (
        [Interfaces(account=f"{kind:03}{number:09}") for number in range(scopes)]
        for kind, scopes in enumerate((count, count, min(count, _WARM_UP_SCOPES)))
    )
    with emptied(services) as place:
        for rows in (0, 1, 1, 0):  # the plans are made
            _run(place, others, rows)
        return {
            "nothing, before and now": _run(place, empty, 0),
            "a new node": _run(place, held, 1),
            "the same node again": _run(place, held, 1),
            "nothing now, a node before": _run(place, held, 0),
        }


def _run(place: Place, scopes: Sequence[Interfaces], rows: int) -> Cost:
    run = place.sync.start([of.scope for of in scopes])
    for of in scopes:
        run.fetch(of.scope, {MODEL: [of.row(0)]} if rows else {})
    drain = place.meter.measure(run.load)
    covering = place.meter.measure(lambda: _cover(place, run))
    return Cost(drain=drain / len(scopes), coverage=covering / len(scopes))


def _cover(place: Place, run: Run) -> None:
    """As the barrier does."""
    info = run.ledger.info()
    assert info is not None
    coverage.write(place.sync.writer, info, run.ledger.proven_units(), now_ms=run.ledger.now_ms())
