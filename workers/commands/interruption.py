"""What interrupts a command, besides Ctrl-C."""

from __future__ import annotations

import signal
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: nobody is there to be asked."""


def terminate(*_: object) -> NoReturn:
    """As Ctrl-C: what the command started ends with it."""
    raise Terminated


def ignore_further() -> None:
    """From here on, the command ends in order: nothing interrupts that but SIGKILL."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
