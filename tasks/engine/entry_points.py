"""Providers that other packages register: each entry point names a package like a folder of `tasks/`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final

GROUP: Final = "chartfleet.providers"


def packages() -> Iterator[ModuleType]:
    """The registered packages, by the name of their entry point."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package: ModuleType = point.load()
        yield package
