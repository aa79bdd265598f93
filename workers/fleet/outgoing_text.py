"""Texts that leave this process: without its secrets, and without what would control a terminal.

A log, a command's output, an exception that Celery keeps: a server's error text, or a name that anyone may give, can be
in each of them.
"""

from __future__ import annotations

import copy
import functools
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TextIO, TypeVar, cast

from loaders.masking import mask
from loaders.shown_text import shown_line, shown_text

P = ParamSpec("P")
T = TypeVar("T")

_OWN: Final = ("workers", "tasks", "loaders", "analysis", "driftdetect")  # loggers whose messages have one line


class OutgoingFormatter(logging.Formatter):
    """Formats records as another formatter does; a new line in a message doesn't begin another record."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        copied = copy.copy(record)
        if record.name.partition(".")[0] in _OWN:
            copied.msg, copied.args = shown_line(mask(record.getMessage())), None
        return shown_text(mask(self._inner.format(copied)))


def guard_logs(handlers: Iterable[logging.Handler]) -> None:
    """Let these handlers write no secret, and nothing that controls a terminal."""
    for handler in handlers:
        if not isinstance(handler.formatter, OutgoingFormatter):
            handler.setFormatter(OutgoingFormatter(handler.formatter))


class OutgoingStream:
    """A stream of texts for people. `unguarded`: the stream itself, for what controls the terminal on purpose.

    Not a class of `io`, which would close the stream when it is no longer used.
    """

    def __init__(self, unguarded: TextIO) -> None:
        self.unguarded = unguarded

    def write(self, text: str) -> int:
        self.unguarded.write(shown_text(mask(text)))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """In this block, everything that is printed is guarded."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, OutgoingStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def unguarded(stream: TextIO) -> TextIO:
    return stream.unguarded if isinstance(stream, OutgoingStream) else stream


class TaskFailed(Exception):
    """In place of an exception whose text, or that of its cause, has a secret: Celery keeps exceptions in Redis."""


def without_secrets(function: Callable[P, T]) -> Callable[P, T]:
    """The function of a task, whose exceptions have no secret in them."""

    @functools.wraps(function)
    def run(*args: P.args, **options: P.kwargs) -> T:
        try:
            return function(*args, **options)
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            if mask(text) == text:
                raise
            raise TaskFailed(f"{type(error).__name__}: {mask(str(error))}") from None

    return run
