"""Environment variables that hold secrets or name files: read where they are used, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from loaders.masking import keep_secret
from tasks.failures import CallFailed, Failure
from tasks.options import ProviderOptions


def read_variable(name: str) -> str:
    """The value of an environment variable. Raises CallFailed if it isn't set on this machine."""
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
