"""The settings file: found, checked against changes by others, and parsed."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loaders.trusted_file import distrust
from workers.settings.errors import SettingError

DEFAULT_NAME: Final = "chartfleet.toml"
_ANOTHER: Final = f"it was found in the working directory: --config FILE chooses another, --config {os.devnull} none"


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file sets. `path`: as it was named."""

    path: Path
    values: Mapping[str, object] = field(default_factory=dict)

    def check_names(self, known: Collection[str], *, named: bool) -> None:
        """Raises SettingError for the first name that no setting has."""
        unknown = next((name for name in sorted(self.values) if name not in known), None)
        if unknown is None:
            return
        similar = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {similar[0]}?" if similar else "`chartfleet config` lists the settings"
        problem = f"no setting has this name; {hint}"
        path = self.path if named else self.path.absolute()
        raise SettingError(f"{path}: {unknown}", None, problem if named else f"{problem}; {_ANOTHER}")


def read(named: str | None) -> SettingsFile | None:
    """The file of this name; without a name, that of the working directory, if there is one. Raises SettingError."""
    path = Path(named or DEFAULT_NAME)
    if named == os.devnull:
        return SettingsFile(path)
    if not path.is_file():
        if named:
            raise SettingError("--config", named, "is not a file")
        return None
    try:
        if problem := distrust(path):
            raise _error(path, named, problem)
        return SettingsFile(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise _error(path, named, f"can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _error(path, named, f"is not TOML: {error}") from None


def _error(path: Path, named: str | None, problem: str) -> SettingError:
    if named:
        return SettingError("--config", named, problem)
    return SettingError(str(path.absolute()), None, f"{problem}; {_ANOTHER}")
