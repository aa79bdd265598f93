"""Which fields of a response a declaration reads: an item that notes every look into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.clients.google_documents import Schema, schema_of

Path = tuple[str, ...]


class Noting(dict[str, Any]):
    """A mapping that notes which of its fields, and those within, were looked at: present ones and others."""

    def __init__(self, found: Mapping[str, Any], seen: set[Path], path: Path = ()) -> None:
        super().__init__({name: noting(value, seen, (*path, name)) for name, value in found.items()})
        self._seen, self._path = seen, path

    def __getitem__(self, name: str) -> Any:
        self._seen.add((*self._path, name))
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._seen.add((*self._path, name))
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        there = super().__contains__(name)
        if there:  # what `parent` looks for may be in another item around it
            self._seen.add((*self._path, str(name)))
        return there


def noting(value: Any, seen: set[Path], path: Path = ()) -> Any:
    if isinstance(value, Mapping):
        return Noting(value, seen, path)
    return [noting(one, seen, path) for one in value] if isinstance(value, list) else value


def described(action: str, schema: Schema, path: Path) -> Iterator[Schema]:
    """The description of each field on the way. Raises KeyError where there is none."""
    for name in path:
        schema = schema_of(action, schema)
        while schema.get("type") == "array":
            schema = schema_of(action, schema["items"])
        every = schema.get("additionalProperties")
        schema = every if every else schema["properties"][name]
        yield schema
