"""The directory of one query: `template.json`, a file for each state, and `shortcut.json` with names for these."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from analysis.drift.state import State
from loaders.errors import ChartfleetError, UsageError
from loaders.trusted_file import distrust_below

TEMPLATE: Final = "template.json"
SHORTCUTS: Final = "shortcut.json"
NEWEST: Final = "most-recent"


class DriftFileError(ChartfleetError, ValueError):
    """A file that can't be used: which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """Names for state files."""

    name: str
    files: dict[str, str] = field(default_factory=dict)

    def file(self, name: str) -> str:
        """The file that a shortcut stands for; any other name is that of a file."""
        return self.files.get(name, name)


@dataclass(frozen=True, slots=True)
class QueryDirectory:
    """`root`: the directory that was named on the command line, this one or one above it."""

    path: Path
    root: Path

    def template(self) -> State:
        """Raises DriftFileError, also for one that others may write: its query runs with the user's rights."""
        return self._state(self.path / TEMPLATE)

    def state(self, name: str) -> State:
        """By its file or a shortcut. Raises DriftFileError."""
        return self._state(self.path / self.shortcuts().file(name))

    def shortcuts(self) -> Shortcuts:
        """Raises DriftFileError."""
        file = self.path / SHORTCUTS
        content = self._content(file)
        name = content.get("name") if isinstance(content, dict) else None
        files = content.get("shortcuts") if isinstance(content, dict) else None
        if not isinstance(name, str) or not isinstance(files, dict) or not _are_texts(files):
            raise DriftFileError(f'{file}: give {{"name": ..., "shortcuts": {{}}}}, with a file for each shortcut')
        return Shortcuts(name, dict(files))

    def write(self, state: State, file: str) -> None:
        _write(self.path / file, state.as_json())

    def add_shortcut(self, shortcut: str, target: str) -> str:
        """To a file, or to what another shortcut stands for; returns the file. Raises DriftFileError, UsageError."""
        known = self.shortcuts()
        file = known.file(target)
        if (self.path / shortcut).exists():
            raise UsageError(f"--shortcut: {shortcut}: is the name of a file in {self.path}; choose another")
        if not (self.path / file).is_file():
            raise UsageError(f"--filename: {target}: is neither a shortcut nor a file in {self.path}")
        _write(self.path / SHORTCUTS, {"name": known.name, "shortcuts": known.files | {shortcut: file}})
        return file

    def _state(self, file: Path) -> State:
        try:
            return State.of(self._content(file))
        except DriftFileError:
            raise
        except ValueError as error:
            raise DriftFileError(f"{file}: {error}") from None

    def _content(self, file: Path) -> Any:
        try:
            if file.exists() and (problem := distrust_below(self.root, file)):
                raise DriftFileError(f"{file}: {problem}: what it says is obeyed")
            return json.loads(file.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise DriftFileError(f"{file}: no such file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise DriftFileError(f"{file}: can't be read: {error}; make it a readable UTF-8 file") from None
        except (json.JSONDecodeError, RecursionError) as error:
            raise DriftFileError(f"{file}: not valid JSON: {error}; correct it") from None


def query_directories(root: Path) -> Iterator[QueryDirectory]:
    """Every directory below one, at any depth; hidden ones are skipped."""
    for path, folders, _ in os.walk(root):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        for folder in folders:
            yield QueryDirectory(Path(path) / folder, root)


def state_file(now: time.struct_time) -> str:
    """`2020.7.31.21.24.54.4.213.0.json`: the fields of a time in UTC, as Python numbers them."""
    return ".".join([*map(str, now), "json"])


def _write(file: Path, content: object) -> None:
    """All of it or nothing: what a crash leaves is hidden, and no state."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with draft.open("w", encoding="utf-8") as output:
            json.dump(content, output, indent=2)
            output.flush()
            os.fsync(output.fileno())
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DriftFileError(f"{file}: can't be written: {error.strerror or error}") from None


def _are_texts(values: dict[Any, Any]) -> bool:
    return all(isinstance(name, str) and isinstance(file, str) for name, file in values.items())
