"""Publishes the messages of a run. The ledger decides what is published; the queue follows from the task's name."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from celery import Celery, chord
from celery.canvas import Signature
from kombu.exceptions import OperationalError

from loaders.ledger import Event
from loaders.ledger.version import VERSION
from loaders.scope import Scope
from workers.fleet.queues import ADMIT_TASK, ANALYSE_TASK, LOAD_TASK

log = logging.getLogger(__name__)

_TASKS: Final = {Event.LOAD: LOAD_TASK, Event.ADMIT: ADMIT_TASK, Event.BARRIER: ANALYSE_TASK}

HEADERS: Final = {"chartfleet_ledger": VERSION}  # of every message: what its arguments mean, and who may act on it


class Publisher:
    """Sends tasks by name, so that its process needs none of their code.

    A broker that is away doesn't fail a scope: the sweeper notices what could not be sent, and publishes it again.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    def publish_events(self, run: str, events: Iterable[Event]) -> None:
        """What a transition of the ledger asked for."""
        with _repaired_by_the_sweeper(run):
            for event in events:
                self._send(_TASKS[event], (run,), f"run {run}")

    def publish_scopes(self, run: str, scopes: Iterable[Scope]) -> None:
        """Scopes, parts or planning units, each as the task of its type."""
        with _repaired_by_the_sweeper(run):
            for scope in scopes:
                self._send(scope.type, (run, scope.id), shown_arguments(run, scope))

    def publish_tenant(self, run: str, scopes: Sequence[Scope]) -> None:
        """A tenant's scopes as one chord. Its body asks the ledger whether the run is settled."""
        if scopes:
            header = [self._signature(scope.type, (run, scope.id), shown_arguments(run, scope)) for scope in scopes]
            chord(header, app=self._app)(self._signature(ANALYSE_TASK, (run,), f"run {run}"))

    def _send(self, task: str, arguments: tuple[str, ...], shown: str) -> None:
        self._app.send_task(task, args=arguments, argsrepr=shown, headers=HEADERS, ignore_result=True)

    def _signature(self, task: str, arguments: tuple[str, ...], shown: str) -> Signature[object]:
        """Its result is ignored: otherwise this process would subscribe to each."""
        options = {"argsrepr": shown, "headers": HEADERS, "ignore_result": True}
        return self._app.signature(task, args=arguments, immutable=True, options=options)


def shown_arguments(run: str, scope: Scope) -> str:
    """What Flower and Celery's events show: where the scope is, since its type is the task's name."""
    return f"{scope.shown.partition('/')[2]} (run {run})"


@contextmanager
def _repaired_by_the_sweeper(run: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        log.warning("run %s: a message wasn't sent (%s); the sweeper publishes it again", run, error)
