"""Environment variables that hold secrets or name files: read where they are used, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from loaders.masking import keep_secret
from tasks.failures import CallFailed, Failure
from tasks.options import ProviderOptions

_allowed: frozenset[str] | None = None  # None: any, as in a command that its user gives the names


def restrict(names: Iterable[str]) -> None:
    """From here on this process reads no other variable, whoever names one."""
    global _allowed
    _allowed = frozenset(names)


def check_allowed(name: str) -> None:
    """Raises CallFailed for a variable that this worker's own settings don't name."""
    if _allowed is not None and name not in _allowed:
        raise CallFailed(
            Failure.DENIED, f"variable {name}", "isn't named by this worker's own settings", code="NotOwnSetting"
        )


def read_variable(name: str) -> str:
    """The value of an environment variable. Raises CallFailed if it isn't set on this machine, or not to be read."""
    check_allowed(name)
    value = os.environ.get(name, "").strip()
    if not value:
        raise CallFailed(Failure.DENIED, f"variable {name}", "isn't set on this worker", code="NotSet")
    keep_secret(value)
    return value


def unset_variables(options: ProviderOptions | Mapping[str, object], *names: str) -> Iterator[str]:
    """A line for each of these options whose variable isn't set on this machine."""
    values: Mapping[str, object] = options if isinstance(options, Mapping) else vars(options)
    for name in names:
        variable = values.get(name)
        if variable and not os.environ.get(str(variable), "").strip():
            yield f"{name}: the variable {variable} isn't set, or empty: export it where the workers run"
