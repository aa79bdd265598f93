"""Checks of settings against each other, and against the environment that they name."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tasks.engine import catalog
from tasks.setting import PREFIX, Value
from workers.settings.declarations import OwnSettings
from workers.settings.errors import SettingError


def check(settings: OwnSettings, option_values: Mapping[str, Value], options: Mapping[str, object]) -> None:
    """`options`: the values of the providers' settings as the run's record has them. Raises SettingError."""
    _check_times(settings)
    _check_ca_files(settings)
    for provider in catalog.declared().values():
        if conflict := provider.conflicts(options):
            name, problem = conflict
            raise SettingError(name, option_values[name], problem)
    if settings.neo4j_user:
        _check_variable("neo4j_password_env_var", settings.neo4j_password_env_var)
    _check_variable("broker_password_env_var", settings.broker_password_env_var)


def _check_ca_files(settings: OwnSettings) -> None:
    if settings.broker_ca_file and not (settings.broker_url or "").startswith("rediss://"):
        problem = "needs a broker_url that begins with rediss://: nothing else is encrypted"
        raise SettingError("broker_ca_file", str(settings.broker_ca_file), problem)
    if settings.neo4j_ca_file and not (settings.neo4j_uri or "").startswith(("bolt+s://", "neo4j+s://")):
        problem = "needs a neo4j_uri that begins with bolt+s:// or neo4j+s://: nothing else is encrypted and checked"
        raise SettingError("neo4j_ca_file", str(settings.neo4j_ca_file), problem)


def _check_times(settings: OwnSettings) -> None:
    lease, hard_limit = settings.lease_seconds, settings.hard_time_limit_seconds
    if hard_limit >= settings.visibility_timeout_seconds:
        problem = (
            f"must be below the visibility timeout, {settings.visibility_timeout_seconds}: "
            "Redis would redeliver the message of a running task"
        )
        raise SettingError(f"{PREFIX}HARD_TIME_LIMIT_SECONDS", hard_limit, problem)
    if lease >= hard_limit:
        raise SettingError(f"{PREFIX}LEASE_SECONDS", lease, f"must be below the hard time limit, {hard_limit}")
    if settings.sweep_seconds > lease / 4:
        problem = f"must be at most a quarter of the lease, {lease:g}: expired leases would be found too late"
        raise SettingError(f"{PREFIX}SWEEP_SECONDS", settings.sweep_seconds, problem)


def _check_variable(name: str, variable: str | None) -> None:
    if variable and not os.environ.get(variable):
        raise SettingError(name, variable, "names a variable that isn't set: export it")
