"""Where values come from: flag, environment variable, settings file, default; the first that gives one wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tasks.setting import PREFIX, Setting, Value, ValueType
from workers.settings import settings_file
from workers.settings.errors import SettingError
from workers.settings.known import known
from workers.settings.settings_file import SettingsFile
from workers.settings.shown import masked

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Every setting's value and where it came from, by name, and the settings file, if there is one."""

    values: dict[str, Value]
    origins: dict[str, str]
    file: Path | None


def load(flags: Mapping[str, object], environment: Mapping[str, str]) -> Loaded:
    """Read and check every setting by itself. Raises SettingError."""
    settings = known()
    named = flags.get("config") or environment.get(f"{PREFIX}CONFIG")
    file = settings_file.read(str(named) if named else None)
    if file:
        file.check_names([name for setting in settings.values() for name in setting.names], named=bool(named))
    values: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for name, setting in settings.items():
        given, origins[name] = _given(setting, flags, environment, file)
        values[name] = setting.default if given is None else _parsed(setting, given, origins[name])
    if values["neo4j_user"] and not values["neo4j_uri"]:  # a user means a server: by default, the one on this machine
        values["neo4j_uri"], origins["neo4j_uri"] = "bolt://localhost:7687", "default with neo4j_user"
    return Loaded(values, origins, file.path if file else None)


def _given(
    setting: Setting, flags: Mapping[str, object], environment: Mapping[str, str], file: SettingsFile | None
) -> tuple[object, str]:
    """The value as it was given and where, or None. Of a name and its aliases, the last one counts."""
    if flags.get(setting.name) is not None:
        return flags[setting.name], setting.flag
    for variable in reversed(setting.variables):
        if environment.get(variable):  # an empty variable counts as unset
            return environment[variable], variable
    for name in reversed(setting.names):
        if file and name in file.values:
            return file.values[name], str(file.path)
    return None, DEFAULT


def _parsed(setting: Setting, given: object, origin: str) -> Value:
    """The value in the setting's type, checked. The error names where the value came from."""
    where = setting.flag if origin == setting.flag else f"{setting.name} ({origin})"
    shown = masked(str(given)) if setting.secret and given else "***" if setting.names_variable else given
    if isinstance(given, list) and setting.type is ValueType.LIST:
        given = ",".join(map(str, given))
    if isinstance(given, (list, dict)):
        raise SettingError(where, shown, "must be one value")
    try:
        value = setting.type.parse(str(given))
    except ValueError:
        raise SettingError(where, shown, f"is not {setting.type.expected}") from None
    if problem := setting.problem(value):
        names_word = setting.type is ValueType.LIST  # the problem names the word of the list
        raise SettingError(where, None if names_word else shown, problem)
    return value
