"""The root of the errors that end a command: one line on stderr, and an exit code.

Each layer derives its own errors from these. What a task or a transition handles itself is not derived from them.
"""

from __future__ import annotations

from typing import ClassVar


class ChartfleetError(Exception):
    """The command failed. The message says what is wrong and what to do about it."""

    exit_code: ClassVar[int] = 1


class UsageError(ChartfleetError):
    """The command, a setting or a file of the user's can't be used as it is: nothing was started."""

    exit_code: ClassVar[int] = 2
