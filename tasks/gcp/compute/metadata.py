"""Switches among the metadata of a project or an instance. Nothing else of these is stored: they may hold secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tasks.provider import Source, at, elements, named

_ON: Final = {"true", "y", "yes", "1"}


def metadata_flag(name: str, within: str = "metadata") -> Callable[[Source], bool | None]:
    """Whether a switch is on; None if it isn't there."""

    @named(f"metadata_flag({name!r}, {within!r})", f"`{within}.items[]`, the value with the key `{name}`.")
    def flag(resource: Source) -> bool | None:
        for entry in elements(at(f"{within}.items", resource.item)):
            if entry and entry.get("key") == name:
                return str(entry.get("value") or "").strip().lower() in _ON
        return None

    return flag
