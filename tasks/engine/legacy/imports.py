"""Imports a provider package from outside; if it uses old names, its imports of Chartfleet find them.

Only import statements of such a package are redirected: its modules get an `__import__` of their own.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from tasks.engine.legacy.adapters import adapted
from tasks.engine.legacy.names import INSTANCES, MODULES
from tasks.engine.legacy.scan import changes

log = logging.getLogger(__name__)


@cache
def import_package(name: str) -> ModuleType:
    """The package, with one warning that says what to change if it was written for an earlier Chartfleet."""
    spec = importlib.util.find_spec(name)
    if spec is not None and name not in sys.modules and (found := changes(_sources(spec))):
        log.warning("%s was written for an earlier Chartfleet and still works; to change: %s", name, "; ".join(found))
        sys.meta_path.insert(0, _Finder(name))
    return importlib.import_module(name)


def _sources(spec: ModuleSpec) -> list[Path]:
    if spec.submodule_search_locations is not None:
        return sorted(file for folder in spec.submodule_search_locations for file in Path(folder).rglob("*.py"))
    return [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []


class _Finder(MetaPathFinder):
    """Finds the modules of one package, to load them with redirected imports."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._package and not fullname.startswith(f"{self._package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
        self._loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:  # get_source and the like, for tracebacks
        return getattr(self._loader, name)


def _import(
    name: str,
    globals_: Mapping[str, object] | None = None,
    locals_: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    if level == 0 and (name == "tasks" or name in MODULES):
        return _module(name if fromlist else "tasks")
    return builtins.__import__(name, globals_, locals_, fromlist or (), level)


class _OldModule(ModuleType):
    """An old module, whose names are looked up where they are now."""

    def __getattr__(self, name: str) -> Any:
        full_name = f"{self.__name__}.{name}"
        if full_name in MODULES:
            return _module(full_name)
        if self.__name__ == "tasks":
            return importlib.import_module(full_name)
        old = MODULES[self.__name__]
        new = INSTANCES.get(name) or old.renamed.get(name, name)
        for module in map(importlib.import_module, old.now):
            if hasattr(module, new):
                value = getattr(module, new)
                return value() if name in INSTANCES else adapted(new, value)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


_modules: Final[dict[str, _OldModule]] = {}


def _module(name: str) -> _OldModule:
    return _modules.setdefault(name, _OldModule(name))
