"""The key of a local fleet, from a file that only its user reads: a later process can resume its runs."""

from __future__ import annotations

import os

from workers.commands.connections import data_dir
from workers.embedded.process import password_in
from workers.settings import fleet_key
from workers.settings.settings import Settings


def use_local_key(settings: Settings) -> None:
    """From now on this process, and those that it starts, have it; unless the environment names another."""
    if not os.environ.get(fleet_key.VARIABLE):
        os.environ[fleet_key.VARIABLE] = password_in(data_dir(settings) / "fleet-key", characters=48)
