"""Finds the declarations: every provider folder under `tasks/`, every module in it, and what other packages register.

A provider is a package with a `PROVIDER`, in itself or in its module `provider`; a resource type is a module-level
`ResourceType`. Nothing is listed by hand.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from operator import attrgetter
from types import ModuleType

from loaders.model import ModelError
from loaders.schema import GraphSchema
from loaders.scope import provider_of
from tasks.engine import catalog
from tasks.resource import Provider, ResourceType


def only_own() -> None:
    """In this process, ignore what other packages register: the tests and the generated pages are about `tasks/`."""
    catalog.ignore_entry_points()
    for cached in (providers, provider, types, schema, _of_provider):
        cached.cache_clear()


@cache
def providers() -> dict[str, Provider]:
    """Every provider by name, those of `tasks/` first. Imports the clients of all."""
    by_name: dict[str, Provider] = {}
    for package in catalog.packages():
        provider = catalog.provider_of(package)
        if provider.name in by_name:
            raise ModelError(f"two packages provide {provider.name!r}, the second is {package.__name__}")
        by_name[provider.name] = provider
    return by_name


@cache
def provider(name: str) -> Provider:
    """One of them: a provider of `tasks/` without the clients of the others."""
    own = catalog.own_package(name)
    return catalog.provider_of(own) if own else providers()[name]


@cache
def types() -> dict[str, ResourceType]:
    """Every resource type by name. Imports the declarations of all providers."""
    by_name: dict[str, ResourceType] = {}
    for package in catalog.packages():
        for type_, module in _declared(package):
            if by_name.setdefault(type_.name, type_) is not type_:
                raise ModelError(f"the resource type {type_.name} is declared twice, again in {module.__name__}")
    return dict(sorted(by_name.items()))


def type_named(name: str) -> ResourceType:
    """Raises KeyError."""
    return _of_provider(provider_of(name))[name]


@cache
def schema() -> GraphSchema:
    """All node models, checked against each other. Raises ModelError."""
    return GraphSchema({name: type_.nodes for name, type_ in types().items()})


def of(provider: str) -> tuple[ResourceType, ...]:
    """The types of a provider; those of `tasks/` without the declarations of the others."""
    return tuple(_of_provider(provider).values())


@cache
def _of_provider(name: str) -> dict[str, ResourceType]:
    own = catalog.own_package(name)
    declared = (type_ for type_, _ in _declared(own)) if own else types().values()
    return {type_.name: type_ for type_ in sorted(declared, key=attrgetter("name")) if type_.provider == name}


def requested(provider: str, words: Iterable[str]) -> tuple[ResourceType, ...]:
    """The types that a list of words selects: by name (`aws.ec2.instances`, `ec2.instances`), by family (`ec2`, `iam`),
    or by the word of another tool (`ec2:instance`). No words select all types.

    Words of other tools for something that Chartfleet doesn't fetch select nothing; see `remarks`. Raises ValueError
    for an unknown word, with the nearest names and the families.
    """
    words = tuple(words)
    if not words:
        return of(provider)
    selected: dict[str, ResourceType] = {}
    for word in words:
        matching = _matching(provider, word)
        if not matching and word not in _other_words(provider):
            raise ValueError(_unknown(provider, word))
        selected.update((type_.name, type_) for type_ in matching)
    return tuple(selected.values())


def remarks(provider: str, words: Iterable[str]) -> Iterator[str]:
    """What to say about words that select nothing: one line for all that have the same remark."""
    by_remark: dict[str, list[str]] = {}
    for word in words:
        if not _matching(provider, word) and (remark := _other_words(provider).get(word)):
            by_remark.setdefault(remark, []).append(word)
    for remark, same in by_remark.items():
        yield f"{', '.join(same)}: {remark}"


def _other_words(name: str) -> dict[str, str]:
    """Those of another tool. They are known to the provider, which imports its clients."""
    return dict(provider(name).other_words) if name in catalog.declared() else {}


def _matching(provider: str, word: str) -> list[ResourceType]:
    name = f"{provider}.{word.removeprefix(f'{provider}.')}"
    return [t for t in of(provider) if word in t.aliases or t.name == name or t.name.startswith(f"{name}.")]


def _unknown(provider: str, word: str) -> str:
    names = {type_.name.removeprefix(f"{provider}.") for type_ in of(provider)}
    families = {name.partition(".")[0] for name in names}
    aliases = {alias for type_ in of(provider) for alias in type_.aliases}
    candidates = sorted({*names, *families, *aliases, *_other_words(provider)})
    near = difflib.get_close_matches(word.removeprefix(f"{provider}."), candidates, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{word!r} is not a resource type of {provider}; {meant}Families: {', '.join(sorted(families))}"


def _declared(package: ModuleType) -> Iterator[tuple[ResourceType, ModuleType]]:
    for module in _modules(package):
        for value in vars(module).values():
            if isinstance(value, ResourceType):
                yield value, module


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not catalog.declares_nothing(package, info.name):
            yield importlib.import_module(info.name)
