"""The settings in force: typed values, where each came from, and what follows from them.

One precedence: flag, environment variable (`CHARTFLEET_` and the name in capitals), settings file (TOML), default. The
file is the one that `--config` or CHARTFLEET_CONFIG names, else `chartfleet.toml` in the working directory, if there
is one. Importing this module reads nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypedDict, TypeVar

from tasks.engine import catalog
from tasks.options import ProviderOptions
from tasks.setting import PREFIX as PREFIX
from tasks.setting import Setting as Setting
from tasks.setting import Value
from workers.settings import broker_address, combinations, loading, machine, secret_settings
from workers.settings.declarations import OwnSettings
from workers.settings.errors import SettingError as SettingError
from workers.settings.known import known as known
from workers.settings.shown import as_variable, shown
from workers.settings.shown import masked as masked

if TYPE_CHECKING:
    from loaders.graph import GraphAddress
    from tasks.clients.response_limits import ResponseLimits
    from tasks.engine.fetch import FetchLimits

SETTINGS: Final = tuple(OwnSettings.declared().values())

O = TypeVar("O", bound=ProviderOptions)  # noqa: E741
JsonValue = str | int | float | bool | list[str] | None


class RunConfig(TypedDict):
    """What a run needs on every worker, as the ledger keeps it: names only, never a secret."""

    modules: list[str]
    options: dict[str, JsonValue]
    analysis_job_directory: str | None
    expected_gaps: list[str]


class Settings(OwnSettings):
    """The values in force.

    option_values  values of the providers' settings, by name
    origins        where each value came from, by name
    file           the settings file, if there is one
    """

    option_values: Mapping[str, Value] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None

    @classmethod
    def load(cls, flags: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None) -> Self:
        """Read and check every setting. Raises SettingError."""
        loaded = loading.load(flags or {}, os.environ if environment is None else environment)
        settings = cls._of(loaded.values, loaded.origins, loaded.file)
        secret_settings.remember(known(), settings._values(), os.environ if environment is None else environment)
        combinations.check(settings, settings.option_values, settings.run_config()["options"])
        return settings

    @classmethod
    def _of(cls, values: Mapping[str, object], origins: Mapping[str, str], file: Path | None) -> Self:
        own = {name: value for name, value in values.items() if name in cls.declared()}
        option_values = {name: value for name, value in values.items() if name not in own}
        return cls.of_values({**own, "option_values": option_values, "origins": origins, "file": file})

    def with_values(self, values: Mapping[str, object], origin: str) -> Self:
        """These settings with some values replaced, as the program itself found them."""
        return self._of({**self._values(), **values}, {**self.origins, **dict.fromkeys(values, origin)}, self.file)

    def options(self, type_: type[O]) -> O:
        """The options of a provider, typed."""
        return type_.from_json(self.option_values)

    def requested_syncs(self, provider: str) -> tuple[str, ...]:
        """The names of the types that are synced; none for all."""
        value = self.option_values[f"{provider}_requested_syncs"]
        return value if isinstance(value, tuple) else ()

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={text}' for name, text, _ in self.shown())})"

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """(name, value with passwords masked, where it came from) of every setting."""
        values = self._values()
        for name, setting in known().items():
            yield name, shown(setting, values[name]), self.origins[name]

    def notes(self) -> Iterator[str]:
        """What the user should know about the settings that are given."""
        values = self._values()
        for name, setting in known().items():
            if setting.note and values[name] != setting.default:
                yield f"{setting.flag}: {setting.note}"
            yield from (f"{setting.flag}: {remark}" for remark in setting.remarks(values[name]))

    def as_environment(self) -> dict[str, str]:
        """The variables that give another process the same settings, whatever its own environment has."""
        values = self._values()
        variables = {f"{PREFIX}CONFIG": str(self.file.absolute()) if self.file else ""}
        for name, setting in known().items():
            variables |= dict.fromkeys(setting.variables, "") | {setting.variable: as_variable(values[name])}
        return variables

    def _values(self) -> dict[str, Value]:
        values: Mapping[str, Value] = vars(self)
        return {**{name: values[name] for name in self.declared()}, **self.option_values}

    @property
    def graph_address(self) -> GraphAddress | None:
        """The graph that the settings name, its password read from the variable that they name."""
        from loaders.graph import GraphAddress  # imports the driver

        if self.neo4j_uri is None:
            return None
        password = os.environ.get(self.neo4j_password_env_var) if self.neo4j_password_env_var else None
        return GraphAddress(
            uri=self.neo4j_uri,
            user=self.neo4j_user,
            password=password,
            database=self.neo4j_database,
            ca_file=self.neo4j_ca_file,
        )

    @property
    def broker(self) -> str | None:
        """The broker's URL, with the password from the variable that the settings name."""
        if self.broker_url is None:
            return None
        password = os.environ[self.broker_password_env_var] if self.broker_password_env_var else None
        return broker_address.complete(self.broker_url, password, self.broker_ca_file)

    @property
    def modules(self) -> tuple[str, ...]:
        return self.selected_modules or tuple(catalog.declared())

    @property
    def selects(self) -> bool:
        """Whether providers were selected by name."""
        return bool(self.selected_modules)

    @property
    def scopes_in_flight(self) -> int:
        """Of one process."""
        return self.concurrency or machine.scopes_in_flight()

    @property
    def writer_wait_seconds(self) -> float:
        """How long to wait for another writer: after its last transaction, its lease has run out."""
        return self.writer_lease_seconds + self.transaction_seconds

    @property
    def overtime_seconds(self) -> float:
        """After this time an attempt is given up, so that the time limit doesn't have to end its process."""
        return self.hard_time_limit_seconds * 0.95

    @property
    def fetch_limits(self) -> FetchLimits:
        from tasks.engine.fetch import FetchLimits  # imports Redis and the ledger

        return FetchLimits(
            attempt_seconds=self.hard_time_limit_seconds * 0.9,
            max_wait_seconds=self.max_wait_seconds,
            backlog_bytes=self.backlog_bytes,
            rows_per_batch=self.rows_per_batch,
        )

    @property
    def response_limits(self) -> ResponseLimits:
        from tasks.clients.response_limits import ResponseLimits

        return ResponseLimits(max_bytes=self.max_response_bytes, max_seconds=self.max_response_seconds)

    def run_config(self) -> RunConfig:
        directory = str(self.analysis_job_directory.resolve()) if self.analysis_job_directory else None
        return {
            "modules": list(self.modules),
            "options": {name: _as_json(value) for name, value in self.option_values.items()},
            "analysis_job_directory": directory,
            "expected_gaps": list(self.expected_gaps),
        }


def _as_json(value: Value) -> JsonValue:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
