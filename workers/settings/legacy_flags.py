"""Flags of Cartography that have no effect here: accepted, so that scripts keep working, with one line each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LegacyFlag:
    """`switch`: takes no value."""

    name: str
    response: str
    switch: bool = False

    @property
    def destination(self) -> str:
        return self.name.removeprefix("--").replace("-", "_")


_JAMF: Final = "Jamf is not synced; a package with an entry point in chartfleet.providers can add it"

LEGACY_FLAGS: Final[tuple[LegacyFlag, ...]] = (
    *(LegacyFlag(f"--jamf-{name}", _JAMF) for name in ("base-uri", "user", "password-env-var")),
    LegacyFlag(
        "--statsd-enabled",
        "no timers are sent: the report, `chartfleet status --json` and Flower have the time of each resource type",
        switch=True,
    ),
    *(LegacyFlag(f"--statsd-{name}", "no timers are sent") for name in ("prefix", "host", "port")),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the flags to `sync`, hidden from its help."""
    for flag in LEGACY_FLAGS:
        action = "store_true" if flag.switch else "store"
        parser.add_argument(flag.name, dest=flag.destination, action=action, help=argparse.SUPPRESS)


def responses(arguments: argparse.Namespace) -> Iterator[str]:
    """One line for each flag that is given."""
    for flag in LEGACY_FLAGS:
        if getattr(arguments, flag.destination, None):
            yield f"{flag.name}: accepted, without effect: {flag.response}"
