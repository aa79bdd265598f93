"""The ledger of one run, in Redis: the transitions of everyone who takes part in it, and what they may ask.

A transition may return what has to follow (`Event`). Its caller publishes that message at once; should the caller die
in between, the sweeper publishes it again.
"""

from __future__ import annotations

from loaders.ledger.attempts import Attempts
from loaders.ledger.barrier import Barrier
from loaders.ledger.failing import Failures
from loaders.ledger.inspection import Inspection
from loaders.ledger.planning import Planning
from loaders.ledger.rejecting import Rejecting
from loaders.ledger.sweeping import Sweeping
from loaders.ledger.writing import Writing


class Ledger(Planning, Attempts, Writing, Rejecting, Barrier, Sweeping, Failures, Inspection):
    """`planning` is the coordinator's, `attempts` the fetchers', `writing` and `rejecting` the loader's."""
