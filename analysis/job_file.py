"""The fields of a job file, each checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from loaders.errors import UsageError

Relationship = tuple[str, str, str]  # label, type, label
LARGEST = 2**63  # integers of the graph have 64 bits


class JobFileError(UsageError, ValueError):
    """A job file, or the directory of them, can't be used. The message says which, why, and what to do."""


def content_of(file: Path) -> Fields:
    """Raises JobFileError."""
    try:
        content: object = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise JobFileError(f"{file}: can't be read: {error}; make it a readable UTF-8 file, or move it away") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise JobFileError(f"{file}: not valid JSON: {error.msg} at {where}; correct it, or move it away") from None
    return Fields.of(file, "", content)


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object of a job file. Errors name the file, the field, its value and what to do.

    Fields that are not read, such as `__comment__`, are comments.
    """

    file: Path
    at: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, file: Path, at: str, values: object) -> Fields:
        if not isinstance(values, dict):
            raise JobFileError(f"{file}: {at.rstrip('.') or 'the file'} is {_shown(values)}; give an object {{...}}")
        return cls(file, at, values)

    def wrong(self, name: str, way_out: str) -> NoReturn:
        problem = f"is {_shown(self.values[name])}" if name in self.values else "is missing"
        raise JobFileError(f"{self.file}: {self.at}{name} {problem}; {way_out}")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip():
            self.wrong(name, "give a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        texts = _texts(self.values.get(name, []))
        if texts is None:
            self.wrong(name, "give a list of texts")
        return texts

    def query(self, name: str) -> str:
        """Cypher: a text, or a list of its lines."""
        value = self.values.get(name)
        lines: list[object] = value if isinstance(value, list) else [value]
        texts = [line for line in lines if isinstance(line, str)]
        if len(texts) < len(lines) or not "".join(texts).strip():
            self.wrong(name, "give a Cypher query: a text, or a list of its lines")
        return "\n".join(texts)

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            self.wrong(name, "give true or false")
        return value

    def whole_number(self, name: str) -> int:
        value = self.values.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
            self.wrong(name, "give a whole number, 0 or more")
        return value

    def parameters(self, name: str) -> dict[str, object]:
        value = self.values.get(name, {})
        if not isinstance(value, dict) or not fits(value):
            self.wrong(name, "give an object of values, with integers of 64 bits")
        return dict(value)

    def object(self, name: str) -> Fields:
        return Fields.of(self.file, f"{self.at}{name}.", self.values[name])

    def objects(self, name: str) -> list[Fields]:
        value = self.values.get(name)
        if not isinstance(value, list) or not value:
            self.wrong(name, 'give a list of {"query": ...}')
        entries: list[object] = value
        return [Fields.of(self.file, f"{self.at}{name}[{number}].", entry) for number, entry in enumerate(entries)]

    def properties(self, name: str) -> Mapping[str, tuple[str, ...]]:
        value = self.values.get(name, {})
        items: Iterable[tuple[str, object]] = value.items() if isinstance(value, dict) else ()
        properties = {label: _texts(names) or () for label, names in items}
        if not isinstance(value, dict) or not all(properties.values()):
            self.wrong(name, 'give labels with their properties, {"Label": ["property"]}')
        return properties

    def relationships(self, name: str) -> tuple[Relationship, ...]:
        value = self.values.get(name, [])
        triples: list[object] = value if isinstance(value, list) else [value]
        relationships = []
        for triple in map(_texts, triples):
            if triple is None or len(triple) != 3:
                self.wrong(name, 'give a list of ["Label", "TYPE", "Label"]')
            relationships.append((triple[0], triple[1], triple[2]))
        return tuple(relationships)


def _texts(value: object) -> tuple[str, ...] | None:
    """The texts of a list; None where it is something else."""
    if not isinstance(value, list):
        return None
    elements: list[object] = value
    texts = tuple(element for element in elements if isinstance(element, str) and element.strip())
    return texts if len(texts) == len(elements) else None


def fits(value: object) -> bool:
    """Whether Neo4j accepts the value: its integers have 64 bits."""
    if isinstance(value, dict):
        return all(map(fits, value.values()))
    if isinstance(value, list):
        return all(map(fits, value))
    return not isinstance(value, int) or -LARGEST <= value < LARGEST


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
