"""The secrets that settings name, remembered so that no text of this process repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loaders.masking import keep_secret, keep_secret_of
from tasks.setting import Setting, Value

# Those that are the same for every fleet: of AWS's own libraries, of the fleet's key.
_VARIABLES: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "CHARTFLEET_FLEET_KEY")


def remember(settings: Mapping[str, Setting], values: Mapping[str, Value], environment: Mapping[str, str]) -> None:
    """Remember what the variables hold that settings name, and the passwords of URLs."""
    for name in _VARIABLES:
        keep_secret(environment.get(name))
    for name, setting in settings.items():
        value = values.get(name)
        if setting.names_variable and isinstance(value, str):
            keep_secret(environment.get(value))
        elif setting.secret and isinstance(value, str):
            keep_secret_of(value)
