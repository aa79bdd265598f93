"""The provider packages and the options that they declare, found without importing any provider's client.

A provider is a folder under `tasks/`, or a package that another distribution registers by an entry point. It holds

    options.py     OPTIONS, a class of ProviderOptions: cheap to import, since help needs it
    provider.py    PROVIDER, with all that reaches its API

A package may also hold its PROVIDER itself; it is then imported whole wherever options are needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final

import tasks
from loaders.model import ModelError
from tasks.engine.legacy.imports import import_package
from tasks.options import ProviderOptions
from tasks.resource import Provider
from tasks.setting import Setting

ENTRY_POINTS: Final = "chartfleet.providers"
_NOT_PROVIDERS: Final = ("tasks.engine", "tasks.clients")
_WITHOUT_TYPES: Final = (
    "provider",
    "client",
    "api",
    "doctor",
    "vocabulary",
    "options",
    "access",
    "tenants",
    "identity",
    "scopes",
)
_ignored_groups: Final[set[str]] = set()


@dataclass(frozen=True, slots=True)
class DeclaredProvider:
    """A provider as far as its options go. `conflicts`: an option that contradicts another one, and why, or None."""

    name: str
    settings: tuple[Setting, ...]
    conflicts: Callable[[Mapping[str, object]], tuple[str, str] | None]
    built_in: bool


@cache
def declared() -> dict[str, DeclaredProvider]:
    """Every provider by name, those of `tasks/` first. Raises ModelError."""
    providers: dict[str, DeclaredProvider] = {}
    for name, package in _named_packages():
        provider = _declaration(name, package)
        if provider.name in providers:
            raise ModelError(f"two packages provide {provider.name!r}, the second is {package.__name__}")
        providers[provider.name] = provider
    return providers


def ignore_entry_points() -> None:
    """In this process, look for providers under `tasks/` only."""
    _ignored_groups.add(ENTRY_POINTS)
    declared.cache_clear()


def packages() -> Iterator[ModuleType]:
    """The packages that hold providers, those of `tasks/` first."""
    return (package for _, package in _named_packages())


def own_package(provider: str) -> ModuleType | None:
    """The folder of a provider under `tasks/`; None for one from elsewhere."""
    name = f"tasks.{provider}"
    is_there = provider.isidentifier() and name not in _NOT_PROVIDERS and importlib.util.find_spec(name) is not None
    return importlib.import_module(name) if is_there else None


def declares_nothing(package: ModuleType, module: str) -> bool:
    """Whether a module of an own package is known to declare no type: its import would load a client for nothing."""
    words = module.removeprefix(f"{package.__name__}.").split(".")
    return package.__name__.startswith("tasks.") and words[0] in _WITHOUT_TYPES


def provider_of(package: ModuleType) -> Provider:
    """The package's PROVIDER. Imports the provider's client. Raises ModelError."""
    provider = _member(package, "PROVIDER") or _member(_submodule(package, "provider"), "PROVIDER")
    if not isinstance(provider, Provider):
        raise ModelError(f"the package {package.__name__} has no PROVIDER, nor has its module `provider`")
    return provider


def _named_packages() -> Iterator[tuple[str, ModuleType]]:
    """Each with the name that its folder, or its entry point, gives the provider."""
    for info in pkgutil.iter_modules(tasks.__path__, "tasks."):
        if info.ispkg and info.name not in _NOT_PROVIDERS:
            yield info.name.rpartition(".")[2], importlib.import_module(info.name)
    if ENTRY_POINTS in _ignored_groups:
        return
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        yield point.name, import_package(point.module)


def _declaration(name: str, package: ModuleType) -> DeclaredProvider:
    built_in = package.__name__.startswith("tasks.")
    options = _member(_submodule(package, "options"), "OPTIONS")
    if options is None or _member(package, "PROVIDER") is not None:
        provider = provider_of(package)
        if isinstance(provider.options, tuple):
            settings = tuple(option.setting for option in provider.options)
            return DeclaredProvider(provider.name, settings, provider.conflicts, built_in)
        name, options = provider.name, provider.options
    if not (isinstance(options, type) and issubclass(options, ProviderOptions)):
        raise ModelError(f"{package.__name__}: its options are not a class of ProviderOptions")
    class_ = options
    return DeclaredProvider(
        name,
        tuple(class_.declared().values()),
        lambda values: class_.from_json(values).conflicts(),
        built_in,
    )


def _submodule(package: ModuleType, name: str) -> ModuleType | None:
    full_name = f"{package.__name__}.{name}"
    is_there = hasattr(package, "__path__") and importlib.util.find_spec(full_name) is not None
    return importlib.import_module(full_name) if is_there else None


def _member(module: ModuleType | None, name: str) -> object:
    members: Mapping[str, object] = vars(module) if module else {}
    return members.get(name)
