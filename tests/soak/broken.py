"""Promises that workers break on purpose, so that the harness is seen to notice: the product has no such switch.

Ledgers are broken by replacing the text of a script, before the process runs it for the first time.
"""

from __future__ import annotations

import functools
import http.client
import threading
from collections.abc import Callable
from typing import Any, Final

from loaders.ledger import scripts
from loaders.ledger.attempts import Attempts
from loaders.ledger.seals import Seals
from tests.ledger_model.mutations import MUTATIONS

POOL_THREADS: Final = 1


def _ledger(name: str) -> Callable[[], None]:
    """One of the ledgers that the model finds out."""

    def replace() -> None:
        [mutation] = [mutation for mutation in MUTATIONS if mutation.name == name]
        sources = mutation.sources()
        scripts._source = functools.cache(sources)

    return replace


def _clean_without_proof() -> None:
    """Neither the ledger nor the loader asks whether everything was seen: each would be enough."""
    _ledger("a denied scope is cleaned")()
    Seals._complete = lambda _, units: {*units}  # type: ignore[method-assign, assignment]


def _share_the_pool() -> None:
    """Heartbeats take a thread of the pool in which calls wait for their responses."""
    pool = threading.BoundedSemaphore(POOL_THREADS)
    get_response, renew = http.client.HTTPConnection.getresponse, Attempts.renew

    def waiting(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        with pool:
            return get_response(self)

    def renewing(self: Attempts, *arguments: Any, **named: Any) -> bool:
        with pool:
            return renew(self, *arguments, **named)

    http.client.HTTPConnection.getresponse = waiting  # type: ignore[method-assign]
    Attempts.renew = renewing  # type: ignore[method-assign]


PROMISES: Final = {
    "deletion": _clean_without_proof,
    "barrier": _ledger("the barrier opens although scopes are open"),
    "commits": _ledger("whatever is reported twice counts twice"),
    "heartbeat": _share_the_pool,
}


def break_promise(name: str) -> None:
    """In this process, from here on."""
    PROMISES[name]()
