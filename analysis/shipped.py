"""Every job that comes with Chartfleet: the JSON files, and those whose work is code, each a `Job` of its module."""

from __future__ import annotations

import importlib
import pkgutil

from analysis import engine, iam
from analysis.job import Job


def jobs() -> list[Job]:
    """What all of them read, write and report. Those in code first, as the barrier runs them."""
    return [*_in_code(), *engine.shipped_jobs()]


def _in_code() -> list[Job]:
    modules = (importlib.import_module(f"{iam.__name__}.{info.name}") for info in pkgutil.iter_modules(iam.__path__))
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Job)}
    return [found[name] for name in sorted(found)]
