"""The key of the fleet: with it the processes of a fleet sign what they write to Redis, and refuse what others wrote.

It comes from one variable of the environment and from nowhere else: a flag can be read by everyone on the machine, and
a settings file names nothing secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from loaders.ledger.signing import MIN_KEY_LENGTH, FleetKey
from loaders.masking import keep_secret
from workers.settings.errors import SettingError

VARIABLE: Final = "CHARTFLEET_FLEET_KEY"
_MIN_CHARACTERS: Final = 8  # different ones: `aaaa...` isn't random
_WAY_OUT: Final = (
    "`openssl rand -hex 32` prints one; set the same in the environment of every coordinator, fetch worker and loader, "
    "and where `chartfleet sync` is run"
)


def fleet_key(environment: Mapping[str, str] = os.environ) -> FleetKey:
    """Raises SettingError, whose message has nothing of the key."""
    secret = environment.get(VARIABLE, "").strip()
    keep_secret(secret)
    if not secret:
        raise SettingError(VARIABLE, None, f"isn't set, and plans in Redis are only obeyed if signed: {_WAY_OUT}")
    if len(secret) < MIN_KEY_LENGTH:
        raise SettingError(VARIABLE, None, f"has {len(secret)} characters, must have {MIN_KEY_LENGTH}: {_WAY_OUT}")
    if len(set(secret)) < _MIN_CHARACTERS:
        raise SettingError(VARIABLE, None, f"isn't random: {_WAY_OUT}")
    return FleetKey(secret)
