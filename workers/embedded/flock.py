"""File locks between processes. The kernel releases them when the process exits, however it exits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from workers.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Shared:
    """One of the holders of a shared lock."""

    file: IO[str]

    def alone(self) -> bool:
        """Exchange the lock for an exclusive one. True for the last holder only; others then wait to enter.

        The shared lock is released before the exclusive one is tried, so of two holders that leave at once one gets it.
        """
        import fcntl

        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One holder at a time, across processes and threads. Waits for its turn."""
    with _held(path, shared=False):
        yield


@contextmanager
def only(path: Path, problem: str) -> Iterator[None]:
    """The only holder. Raises EmbeddedError with `problem` at once if there is another."""
    with _held(path, shared=True) as file:
        if not Shared(file).alone():
            raise EmbeddedError(problem)
        yield


@contextmanager
def shared(path: Path) -> Iterator[Shared]:
    """Any number of holders. Waits while one of them holds it exclusively."""
    with _held(path, shared=True) as file:
        yield Shared(file)


@contextmanager
def _held(path: Path, *, shared: bool) -> Iterator[IO[str]]:
    try:
        import fcntl
    except ImportError:
        raise EmbeddedError(
            "Embedded services need Linux or macOS: name a graph and a broker with --neo4j-uri and --broker-url"
        ) from None
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        try:
            yield file
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # close() isn't enough: a forked child may hold the file open
