"""The run ledger: the only judge of where a run stands."""

from loaders.ledger.ledger import (
    Attempt,
    Event,
    Fenced,
    Ledger,
    RunInfo,
    RunState,
    State,
    Taken,
    Unit,
    runs,
)

__all__ = ["Attempt", "Event", "Fenced", "Ledger", "RunInfo", "RunState", "State", "Taken", "Unit", "runs"]
