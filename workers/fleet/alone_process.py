"""The process that suspects are tried in: an attempt a line on stdin, a line on stdout once it has ended.

    python -P -m workers.fleet.alone_process NODE

It ends with the worker that started it. That one keeps the leases, and reports to the ledger if this process ends.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from typing import Final

from loaders.ledger import Attempt
from loaders.scope import Scope
from workers.fleet import attempt as attempts
from workers.fleet import outgoing_text, own_settings, planning
from workers.fleet.app import publisher
from workers.fleet.process import Process, name_node, process

_FORMAT: Final = "[%(asctime)s: %(levelname)s/alone-%(process)d] %(message)s"


def main() -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what code prints is no reply
    logging.basicConfig(level=logging.INFO, format=_FORMAT)
    outgoing_text.guard_logs(logging.getLogger().handlers)
    name_node(sys.argv[1])
    own = process()
    own_settings.restrict_variables(own.settings)
    orders = queue.SimpleQueue[str]()
    threading.Thread(target=_receive, args=(orders,), daemon=True).start()
    while True:
        print(_obey(own, json.loads(orders.get())), file=replies, flush=True)


def _receive(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        orders.put(line)
    os._exit(0)  # the worker has ended: its lease of the attempt that is under way will be over soon


def _obey(own: Process, order: dict[str, str]) -> str:
    scope = Scope.parse(order["scope"])
    attempt = Attempt(scope=scope, number=int(order["number"]), token=order["token"])
    with own.watchdog.limit(scope.shown, own.settings.hard_time_limit_seconds):
        return attempts.carry_out(own, own.ledger(order["run"]), attempt, publisher, _never, planning.work_of(scope))


def _never() -> bool:
    """Nobody asks this process to stop: it is ended."""
    return False


if __name__ == "__main__":
    main()
