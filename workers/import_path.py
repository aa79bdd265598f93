"""Keeps other people's modules out: a `tasks.py` or `redis.py` of the working directory is never imported.

Python (`python -m`) and Celery (`celery -A`) put the working directory first on the import path, where it would hide
Chartfleet's own packages and those that it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

PACKAGES: Final = ("workers", "tasks", "loaders", "analysis")
_HOME: Final = Path(__file__).resolve().parents[1]  # of these packages


def leave_out_working_directory() -> None:
    """For a process of our own: take the working directory off the import path, unless PYTHONPATH names it."""
    sys.path[:] = _without_working_directory()


@contextmanager
def working_directory_left_out() -> Iterator[None]:
    """The same for a block, in a process that belongs to somebody else."""
    before = list(sys.path)
    leave_out_working_directory()
    try:
        yield
    finally:
        sys.path[:] = before


def check_packages() -> None:
    """Exit with one line if another module hides one of our packages."""
    for name in PACKAGES:
        spec = PathFinder.find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is not None and _HOME not in origin.parents:
            raise SystemExit(
                f"chartfleet: {origin} hides Chartfleet's package {name!r}: "
                "run it from another directory, or take that one out of PYTHONPATH"
            )


def _without_working_directory() -> list[str]:
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was deleted
        return [entry for entry in sys.path if entry]
    named = {Path(entry).resolve() for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    if here == _HOME or here in named:
        return list(sys.path)
    return [entry for entry in sys.path if entry and Path(entry).resolve() != here]
