"""The version of the ledger's keys, scripts and messages. It changes when an earlier worker would harm a later run.

A worker leaves a run of another version alone: it changes nothing in that ledger, and the message that it drops is
published again by that version's sweeper. So a rolling upgrade loses nothing, and counts nothing as a crash.

1  without signatures, under keys of other names: those workers don't see the runs of later versions, nor touch them
2  signed
"""

from __future__ import annotations

from typing import Final

from loaders.errors import ChartfleetError

VERSION: Final = "2"
UNVERSIONED: Final = "1"
UNVERSIONED_KEY: Final = "chartfleet:run:"  # before the id of a run of that version


class OtherVersion(ChartfleetError):
    """A run that this version neither shows nor touches."""

    def __init__(self, run: str, version: str) -> None:
        super().__init__(
            f"run {run} belongs to another version of Chartfleet (its ledger has version {version}, this one's "
            f"is {VERSION}): use the commands of that version, or start a new run"
        )
