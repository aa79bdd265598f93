"""The run ledger: the only judge of a run's state."""

from loaders.ledger.failing import Failing
from loaders.ledger.inspection import runs
from loaders.ledger.ledger import Ledger
from loaders.ledger.state import UNDER_WAY, Attempt, Event, Fenced, Outcome, RunInfo, RunState, State, Taken, Unit

__all__ = [
    "UNDER_WAY",
    "Attempt",
    "Event",
    "Failing",
    "Fenced",
    "Ledger",
    "Outcome",
    "RunInfo",
    "RunState",
    "State",
    "Taken",
    "Unit",
    "runs",
]
