"""Every setting: its name, meaning, default, and the check that it must pass at start.

One precedence: flag, environment variable (`CHARTFLEET_` and the name in capitals), settings file (TOML), default. The
file is the one that `--config` or CHARTFLEET_CONFIG names, else `chartfleet.toml` in the working directory, if there
is one.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import redis
from celery.schedules import ParseException, crontab

from loaders.errors import UsageError
from loaders.graph import GraphAddress
from tasks.engine import registry
from tasks.engine.fetch import FetchLimits
from tasks.resource import Option

PREFIX: Final = "CHARTFLEET_"


class SettingError(UsageError, ValueError):
    """A setting that can't be used. Names the setting, the value and the way out."""

    def __init__(self, name: str, value: Any, problem: str) -> None:
        super().__init__(f"{name}: {value!r}: {problem}" if value is not None else f"{name}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. `type` parses its text; `check` says what is wrong with a value, or None."""

    name: str
    default: Any
    meaning: str
    type: Callable[[str], Any] = str
    check: Callable[[Any], str | None] | None = None
    metavar: str | None = None
    secret: bool = False
    note: str = ""  # said by `sync` where it is given
    remarks: Callable[[Any], Iterable[str]] = lambda value: ()  # the same, of a value
    aliases: tuple[str, ...] = ()  # other names of it

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def variable(self) -> str:
        return _variable_of(self.name)

    @property
    def flag(self) -> str:
        return self.flags[0]

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple("--" + name.replace("_", "-") for name in self.names)

    @property
    def is_switch(self) -> bool:
        return self.type is _switch


def _variable_of(name: str) -> str:
    return PREFIX + name.upper()


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _switch(text: str) -> bool:
    """On or off; a flag without a value is on."""
    if text.lower() in ("true", "1", "yes", "on"):
        return True
    if text.lower() in ("false", "0", "no", "off", "-"):
        return False
    raise ValueError(text)


def _path(text: str) -> Path:
    """Absolute, so that it means the same to workers, which run in other directories."""
    return Path(text).expanduser().absolute()


def _between(low: float, high: float) -> Callable[[Any], str | None]:
    return lambda value: None if low <= value <= high else f"must be from {low:g} to {high:g}"


def _address(value: str, *schemes: str) -> str | None:
    """What is wrong with a URL, or None."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # raises for what is no port
    except ValueError as error:
        return str(error)
    if parts.scheme not in schemes:
        return f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    return None if parts.hostname else "names no host"


def _graph(value: Any) -> str | None:
    if urlsplit(value).username is not None and _address(value, *_GRAPH_SCHEMES) is None:
        return "holds a user: give it by --neo4j-user, and the password by --neo4j-password-env-var"
    return _address(value, *_GRAPH_SCHEMES)


def _broker(value: Any) -> str | None:
    if problem := _address(value, "redis", "rediss"):
        return problem
    try:
        redis.ConnectionPool.from_url(value).make_connection()  # nothing is sent
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def _variable(value: Any) -> str | None:
    return None if re.fullmatch(r"[A-Za-z_]\w*", value) else "must be the NAME of a variable, not what it holds"


def _modules(value: Any) -> str | None:
    unknown = [name for name in value if name not in registry.providers()]
    known = ", ".join(registry.providers())
    return f"no module is called {unknown[0]!r}; known: {known}" if unknown else None


def _scopes(value: Any) -> str | None:
    wrong = [pattern for pattern in value if pattern.count("/") < 2]
    return f"{wrong[0]!r} is no type/tenant/region, as in aws.ec2.*/*/eu-south-1" if wrong else None


def _schedule(value: Any) -> str | None:
    if value.isdigit() and int(value) > 0:
        return None
    try:
        crontab.from_string(value)
    except (ValueError, ParseException):
        return "must be seconds between runs (3600), or the five fields of a crontab (0 3 * * *)"
    return None


_GRAPH_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        name="neo4j_uri",
        default=None,
        meaning="the graph; without it (and without neo4j_user), the embedded one of the data directory",
        check=_graph,
        metavar="URI",
        secret=True,
    ),
    Setting(name="neo4j_user", default=None, meaning="user of the graph; without it, no sign-in is tried"),
    Setting(
        name="neo4j_password_env_var",
        default=None,
        meaning="NAME of the variable that holds the graph's password",
        check=_variable,
        metavar="NAME",
    ),
    Setting(name="neo4j_database", default=None, meaning="database of the graph; without it, the server's default"),
    Setting(
        name="broker_url",
        default=None,
        meaning="Redis of the fleet; without it, an embedded one and a local fleet",
        check=_broker,
        metavar="URL",
        secret=True,
    ),
    Setting(
        name="broker_password_env_var",
        default=None,
        meaning="NAME of the variable that holds the broker's password",
        check=_variable,
        metavar="NAME",
    ),
    Setting(
        name="data_dir", default=None, meaning="where the embedded services keep their data", type=_path, metavar="DIR"
    ),
    Setting(
        name="selected_modules",
        default=(),
        meaning="providers to sync, instead of all that are configured",
        type=_list,
        check=_modules,
        metavar="aws,...",
    ),
    Setting(
        name="update_tag",
        default=0,
        meaning="lastupdated of this run; 0: the time in seconds",
        type=int,
        check=_between(0, 2**53),
        metavar="INT",
    ),
    Setting(
        name="expected_gaps",
        default=(),
        meaning="scopes known not to be seen, with * and ?: told apart, and no reason for exit code 3",
        type=_list,
        check=_scopes,
        metavar="TYPE/TENANT/REGION,...",
    ),
    Setting(
        name="analysis_job_directory",
        default=None,
        meaning="directory of your own analysis jobs (JSON), read recursively",
        type=_path,  # whether it is there, `sync` asks: other processes of a fleet don't need it
        metavar="DIR",
    ),
    Setting(
        name="permission_relationships_file",
        default=None,
        meaning="your own rules of who may use what (YAML), in the place of the default ones",
        type=_path,  # as above
        metavar="FILE",
    ),
    Setting(
        name="schedule",
        default=None,
        meaning="when beat starts a run: seconds between runs, or a crontab, UTC",
        check=_schedule,
    ),
    Setting(
        name="concurrency",
        default=0,
        meaning="scopes that the local fleet fetches at a time; 0: by the machine's cores",
        type=int,
        check=_between(0, 256),
    ),
    Setting(
        name="admission_window", default=50, meaning="tenants under way at once", type=int, check=_between(1, 10_000)
    ),
    Setting(
        name="lease_seconds",
        default=60.0,
        meaning="how long a killed worker goes unnoticed",
        type=float,
        check=_between(1, 120),
    ),
    Setting(
        name="max_crashes",
        aliases=("most_deaths",),
        default=3,
        meaning="worker crashes per scope before it is quarantined",
        type=int,
        check=_between(1, 100),
    ),
    Setting(
        name="hard_time_limit_seconds",
        default=3300,
        meaning="after so long a task is killed",
        type=int,
        check=_between(10, 86_400),
    ),
    Setting(
        name="visibility_timeout_seconds",
        default=3600,
        meaning="seconds after which Redis redelivers an unacknowledged message",
        type=int,
        check=_between(20, 172_800),
    ),
    Setting(
        name="sweep_seconds",
        default=2.0,
        meaning="how often lost work is looked for",
        type=float,
        check=_between(0.1, 60),
    ),
    Setting(
        name="redelivery_grace_seconds",
        aliases=("patience_seconds",),
        default=10.0,
        meaning="how long a message may be under way before it counts as lost",
        type=float,
        check=_between(0.5, 600),
    ),
    Setting(
        name="backlog_bytes",
        default=64_000_000,
        meaning="a fetch waits while more than this waits for the writer",
        type=int,
        check=_between(10_000, 10**11),
    ),
    Setting(
        name="rows_per_batch",
        default=1_000,
        meaning="the unit of loading: rows that a batch holds at most",
        type=int,
        check=_between(1, 100_000),
    ),
    Setting(
        name="writer_lease_seconds",
        default=30.0,
        meaning="how long after its last sign another writer may take over",
        type=float,
        check=_between(1, 600),
    ),
    Setting(
        name="transaction_seconds",
        default=120.0,
        meaning="after so long Neo4j ends a transaction",
        type=float,
        check=_between(1, 3600),
    ),
    Setting(
        name="run_lease_seconds",
        default=60.0,
        meaning="how long after its last sign a run holds the graph",
        type=float,
        check=_between(2, 3600),
    ),
    Setting(
        name="retired_runs_kept",
        default=5,
        meaning="runs for which the data of a tenant or region that is no longer listed are kept",
        type=int,
        check=_between(0, 10_000),
    ),
    Setting(
        name="runs_kept",
        default=30,
        meaning="runs that are kept: the head of each in the ledger, its coverage in the graph",
        type=int,
        check=_between(1, 10_000),
    ),
)


def _of_option(option: Option) -> Setting:
    default, type_ = ((), _list) if option.many else (False, _switch) if option.switch else (None, str)
    check = _variable if option.names_variable else option.check
    return Setting(
        name=option.name,
        default=option.default or default,
        meaning=option.meaning,
        type=type_,
        check=check,
        metavar="NAME" if option.names_variable else None,
        secret=option.secret,
        note=option.note,
        aliases=option.aliases,
    )


def _requested_syncs(provider: str) -> Setting:
    def check(value: Any) -> str | None:
        try:
            registry.requested(provider, value)
        except ValueError as error:
            return str(error)
        return None

    return Setting(
        name=f"{provider}_requested_syncs",
        default=(),
        type=_list,
        check=check,
        metavar="TYPE,...",
        meaning=f"resource types of {provider} to fetch, instead of all",
        remarks=lambda value: registry.remarks(provider, value),
    )


def known() -> dict[str, Setting]:
    """Every setting by name, those of the providers included."""
    settings = list(SETTINGS)
    for name, provider in registry.providers().items():
        settings.append(_requested_syncs(name))
        settings += [_of_option(option) for option in provider.options]
    return {setting.name: setting for setting in settings}


class Settings:
    """The values in force, and where each came from."""

    def __init__(self, values: Mapping[str, Any], origins: Mapping[str, str], file: Path | None = None) -> None:
        self._values = dict(values)
        self.origins = dict(origins)
        self.file = file  # the settings file, if there is one

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
        """Read and check every setting. Raises SettingError."""
        environment = os.environ if environment is None else environment
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        named = given.pop("config", None) or environment.get(f"{PREFIX}CONFIG")
        path = _file(named)
        table = _table(path) if path else {}
        settings = known()
        unknown = sorted(set(table) - {name for setting in settings.values() for name in setting.names})
        if unknown:
            told = "no setting has this name; `chartfleet config` lists them"
            raise SettingError(f"{path}: {unknown[0]}", None, told)
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for name, setting in settings.items():
            value, origin = setting.default, "default"
            for one in setting.names:
                if one in table:
                    value, origin = table[one], str(path)
            for variable in map(_variable_of, setting.names):
                if environment.get(variable):
                    value, origin = environment[variable], variable
            if name in given:
                value, origin = given[name], setting.flag
            values[name] = _parsed(setting, value, origin)
            origins[name] = origin
        if values["neo4j_user"] and not values["neo4j_uri"]:  # who signs in means a server: as in 2020, this one
            values["neo4j_uri"], origins["neo4j_uri"] = "bolt://localhost:7687", "default with neo4j_user"
        loaded = cls(values, origins, path)
        loaded._check_together()
        return loaded

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={text}' for name, text, _ in self.shown())})"

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """(name, value with secrets masked, where it came from) of every setting."""
        for name, setting in known().items():
            value = self._values[name]
            yield name, masked(value) if setting.secret else _text(value), self.origins[name]

    def _check_together(self) -> None:
        hard, visibility, lease = self.hard_time_limit_seconds, self.visibility_timeout_seconds, self.lease_seconds
        name = f"{PREFIX}HARD_TIME_LIMIT_SECONDS"
        if hard >= visibility:
            told = f"must be below the visibility timeout, {visibility}: Redis would hand out a running task again"
            raise SettingError(name, hard, told)
        if lease >= hard:
            raise SettingError(f"{PREFIX}LEASE_SECONDS", lease, f"must be below the hard time limit, {hard}")
        if self.sweep_seconds > lease / 4:
            told = (
                f"must be at most a quarter of the lease, {lease:g}: between rarer sweeps no lease would ever run out"
            )
            raise SettingError(f"{PREFIX}SWEEP_SECONDS", self.sweep_seconds, told)
        for provider in registry.providers().values():
            if found := provider.conflicts(self.run_config()["options"]):
                raise SettingError(found[0], self._values[found[0]], found[1])
        if self.neo4j_password_env_var and self.neo4j_user and not os.environ.get(self.neo4j_password_env_var):
            raise SettingError(
                "neo4j_password_env_var", self.neo4j_password_env_var, "names a variable that isn't set: export it"
            )
        if self.broker_password_env_var and not os.environ.get(self.broker_password_env_var):
            raise SettingError(
                "broker_password_env_var", self.broker_password_env_var, "names a variable that isn't set: export it"
            )

    def notes(self) -> Iterator[str]:
        """What is to be said of settings that are given."""
        for name, setting in known().items():
            if setting.note and self._values[name] != setting.default:
                yield f"{setting.flag}: {setting.note}"
            yield from (f"{setting.flag}: {remark}" for remark in setting.remarks(self._values[name]))

    def with_values(self, values: Mapping[str, Any], origin: str) -> Settings:
        """These settings with some values in their place, as found by the program itself."""
        return Settings(self._values | dict(values), self.origins | dict.fromkeys(values, origin), self.file)

    def as_environment(self) -> dict[str, str]:
        """The variables that give another process the same settings, whatever its own say; empty is unset."""
        variables = {f"{PREFIX}CONFIG": str(self.file.absolute()) if self.file else ""}
        for name, setting in known().items():
            value = self._values[name]
            variables[setting.variable] = "" if value in (None, ()) else _text(value)
        return variables

    @property
    def graph_address(self) -> GraphAddress | None:
        """The graph that the settings name, its password read from the variable that they name."""
        if self.neo4j_uri is None:
            return None
        password = os.environ.get(self.neo4j_password_env_var) if self.neo4j_password_env_var else None
        return GraphAddress(uri=self.neo4j_uri, user=self.neo4j_user, password=password, database=self.neo4j_database)

    @property
    def broker(self) -> str | None:
        """The broker's URL, with the password from the variable that the settings name."""
        if self.broker_url is None:
            return None
        parts = urlsplit(str(self.broker_url))
        if self.broker_password_env_var:
            host = parts.netloc.rpartition("@")[2]
            secret = quote(os.environ[self.broker_password_env_var], safe="")
            parts = parts._replace(netloc=f"{parts.username or ''}:{secret}@{host}")
        if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
            # Celery asks for it, and kombu would take any certificate. All three of them understand this spelling.
            parts = parts._replace(query="&".join(filter(None, (parts.query, "ssl_cert_reqs=required"))))
        return urlunsplit(parts)

    @property
    def modules(self) -> tuple[str, ...]:
        selected: tuple[str, ...] = self.selected_modules
        return selected or tuple(registry.providers())

    @property
    def selects(self) -> bool:
        """Whether the modules were asked for by name."""
        return bool(self.selected_modules)

    @property
    def fetch_limits(self) -> FetchLimits:
        return FetchLimits(
            lease_seconds=self.lease_seconds,
            attempt_seconds=self.hard_time_limit_seconds * 0.9,
            backlog_bytes=self.backlog_bytes,
            rows_per_batch=self.rows_per_batch,
        )

    def run_config(self) -> dict[str, Any]:
        """What a run needs on every worker: names only, never a secret."""
        own = {s.name for s in SETTINGS}
        options = {n: list(v) if isinstance(v, tuple) else v for n, v in self._values.items() if n not in own}
        directory = str(Path(self.analysis_job_directory).resolve()) if self.analysis_job_directory else None
        return {
            "modules": list(self.modules),
            "options": options,
            "analysis_job_directory": directory,
            "expected_gaps": list(self.expected_gaps),
        }


def masked(url: str | None) -> str:
    """A URL without its password."""
    if not url:
        return "-"
    without = re.sub(r"://([^:@/?#]*):.*@", r"://\1:***@", url)
    return re.sub(r"(password=)[^&]*", r"\1***", without)  # redis-py takes one in the query, too


def _text(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _file(named: str | None) -> Path | None:
    path = Path(named or "chartfleet.toml")
    if path.is_file():
        return path
    if named:
        raise SettingError("--config", named, "is no file")
    return None


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError("--config", str(path), f"can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError("--config", str(path), f"is no TOML: {error}") from None


def _parsed(setting: Setting, value: Any, origin: str) -> Any:
    """The value in the setting's type, checked. Errors name where the value came from."""
    if origin == "default":
        return value
    where = setting.flag if origin == setting.flag else f"{setting.name} ({origin})"
    shown = masked(str(value)) if setting.secret else "***" if setting.check is _variable else value
    if isinstance(value, list) and setting.type is _list:
        value = ",".join(map(str, value))  # TOML's own lists
    if isinstance(value, (list, dict)):
        raise SettingError(where, shown, "must be one value")
    try:
        parsed = setting.type(str(value))
    except ValueError:
        told = "must be true or false" if setting.is_switch else "is no number"
        raise SettingError(where, shown, told) from None
    problem = setting.check(parsed) if setting.check else None
    if problem:
        raise SettingError(where, shown, problem)
    return parsed
