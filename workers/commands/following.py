"""Ctrl-C while `sync` follows its run: once, it asks what becomes of the run; twice, the run is cancelled."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from rich.console import Console

from workers.commands.interruption import Terminated


class Choice(StrEnum):
    """What becomes of a run whose command ends before it."""

    LEAVE = "leave"
    CANCEL = "cancel"
    FOLLOW = "follow"


_KEYS: Final = {"": Choice.LEAVE, "l": Choice.LEAVE, "c": Choice.CANCEL, "w": Choice.FOLLOW}


class Interrupted(KeyboardInterrupt):
    """The user was asked, and chose."""

    def __init__(self, choice: Choice) -> None:
        super().__init__(choice)
        self.choice = choice


def follow(run: str, until_the_end: Callable[[], object], console: Console, *, local: bool) -> None:
    """Follow a run to its end. Raises Interrupted, or KeyboardInterrupt where nobody could be asked."""
    while True:
        try:
            until_the_end()
            return
        except Terminated:
            raise
        except KeyboardInterrupt:
            if not _is_attended():
                raise
            choice = _ask(run, console, local=local)
        if choice is not Choice.FOLLOW:
            raise Interrupted(choice)


def _is_attended() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(run: str, console: Console, *, local: bool) -> Choice:
    """A second Ctrl-C cancels the run."""
    leave = f"leave it for `chartfleet sync --resume {run}`" if local else "leave it to the fleet"
    question = f"\nRun {run} isn't over: {leave} [Enter], cancel it [c or Ctrl-C], or watch on [w]? "
    try:
        while True:
            console.print(question, end="", highlight=False, markup=False, soft_wrap=True)
            console.file.flush()
            line = sys.stdin.readline()
            chosen = _KEYS.get(line.strip().lower())
            if chosen is not None:
                return chosen
    except Terminated:
        raise
    except KeyboardInterrupt:
        console.print()
        return Choice.CANCEL
