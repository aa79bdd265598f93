"""Every job that comes with Chartfleet: the JSON files, and those implemented in code, each as `Job` in its module."""

from __future__ import annotations

import importlib
import pkgutil

from analysis import engine, iam
from analysis.job import Job


def jobs() -> list[Job]:
    """All of them, those in code first, in the order in which the barrier runs them."""
    return [*_in_code(), *engine.shipped_jobs()]


def _in_code() -> list[Job]:
    modules = (importlib.import_module(f"{iam.__name__}.{info.name}") for info in pkgutil.iter_modules(iam.__path__))
    by_name = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Job)}
    return [by_name[name] for name in sorted(by_name)]
