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
from types import ModuleType

from loaders.model import ModelError
from loaders.schema import GraphSchema
from tasks.engine import catalog
from tasks.resource import Provider, ResourceType


@cache
def providers() -> dict[str, Provider]:
    """Every provider by name, those of `tasks/` first."""
    found: dict[str, Provider] = {}
    for package in catalog.packages():
        provider = catalog.provider_of(package)
        if provider.name in found:
            raise ModelError(f"two packages provide {provider.name!r}, the second is {package.__name__}")
        found[provider.name] = provider
    return found


@cache
def types() -> dict[str, ResourceType]:
    """Every resource type by name."""
    found: dict[str, ResourceType] = {}
    for package in catalog.packages():
        for module in _modules(package):
            for value in vars(module).values():
                if isinstance(value, ResourceType) and found.setdefault(value.name, value) is not value:
                    raise ModelError(f"the resource type {value.name} is declared twice, again in {module.__name__}")
    return dict(sorted(found.items()))


@cache
def schema() -> GraphSchema:
    """All node models, checked against each other. Raises ModelError."""
    return GraphSchema({name: type_.nodes for name, type_ in types().items()})


def of(provider: str) -> tuple[ResourceType, ...]:
    return tuple(type_ for type_ in types().values() if type_.provider == provider)


def requested(provider: str, words: Iterable[str]) -> tuple[ResourceType, ...]:
    """The types that a comma list selects: by name (`aws.ec2.instances`, `ec2.instances`), by family (`ec2`, `iam`), or
    by the word of another tool (`ec2:instance`). Raises ValueError that names what is known.

    Words of other tools for what isn't fetched here select nothing: `remarks` says so. No word at all selects all.
    """
    words = tuple(words)
    chosen: dict[str, ResourceType] = {}
    other = providers()[provider].other_words if provider in providers() else {}
    for word in words:
        if word in other:
            continue
        name = word.removeprefix(f"{provider}.")
        matching = [
            t
            for t in of(provider)
            if word in t.aliases or t.name == f"{provider}.{name}" or t.name.startswith(f"{provider}.{name}.")
        ]
        if not matching:
            known = sorted({t.name.removeprefix(f"{provider}.") for t in of(provider)})
            families = {name.partition(".")[0] for name in known}
            candidates = {*known, *families, *other, *(w for t in of(provider) for w in t.aliases)}
            near = difflib.get_close_matches(name, sorted(candidates), cutoff=0.5)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise ValueError(f"{word!r} is no resource type of {provider}; {meant}known: {', '.join(known)}")
        chosen.update((t.name, t) for t in matching)
    return tuple(chosen.values()) if words else of(provider)


def remarks(provider: str, words: Iterable[str]) -> Iterator[str]:
    """What is to be said of words that select nothing: those of one response in one line."""
    other = providers()[provider].other_words
    by_remark: dict[str, list[str]] = {}
    for word in words:
        if word in other:
            by_remark.setdefault(other[word], []).append(word)
    for response, named in by_remark.items():
        yield f"{', '.join(named)}: {response}"


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)
