"""What interrupts a command, besides Ctrl-C."""

from __future__ import annotations

import signal
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: nobody is there to be asked."""


def terminate(*_: object) -> NoReturn:
    """As Ctrl-C: what the command started ends with it."""
    raise Terminated


def follows(error: BaseException) -> bool:
    """Whether the error was raised on the way out of an interruption.

    A library that is interrupted in the middle of a message may fail as it cleans up: the Neo4j driver does.
    """
    context = error.__context__
    return context is not None and (isinstance(context, KeyboardInterrupt) or follows(context))


def ignore_further() -> None:
    """From here on, the command ends in order: nothing interrupts that but SIGKILL."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
