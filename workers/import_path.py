"""Keeps other people's modules out: a `tasks.py` or `redis.py` of the working directory is never imported.

Python (`python -m`) and Celery (`celery -A`) put the working directory first on the import path, where it would hide
Chartfleet's own packages and those that it needs. This module imports only what Python has loaded already: anything
else might come from there.
"""

from __future__ import annotations

import os
import sys

PACKAGES = ("workers", "tasks", "loaders", "analysis")
_HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # the directory of these packages


def leave_out_working_directory() -> None:
    """For a process of our own: take the working directory off the import path, unless PYTHONPATH names it."""
    here = _working_directory()
    named = {os.path.realpath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    if here != _HOME and here not in named:
        sys.path[:] = [entry for entry in sys.path if entry and os.path.realpath(entry) != here]


class WithoutWorkingDirectory:
    """The same for a block, in a process that belongs to somebody else."""

    def __enter__(self) -> None:
        self._before = list(sys.path)
        leave_out_working_directory()

    def __exit__(self, *_: object) -> None:
        sys.path[:] = self._before


def check_packages() -> None:
    """Exit with one line if another module hides one of our packages."""
    from importlib.machinery import PathFinder

    for name in PACKAGES:
        spec = PathFinder.find_spec(name)
        origin = os.path.realpath(spec.origin) if spec and spec.origin else None
        if origin is not None and not origin.startswith(_HOME + os.sep):
            raise SystemExit(
                f"chartfleet: {origin} hides Chartfleet's package {name!r}: "
                "run it from another directory, or take that one out of PYTHONPATH"
            )


def _working_directory() -> str | None:
    try:
        return os.path.realpath(os.getcwd())
    except FileNotFoundError:  # it was deleted
        return None
