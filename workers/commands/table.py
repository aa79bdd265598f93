"""The commands of `chartfleet`, and how a command line names one."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from loaders.errors import UsageError
from loaders.nearest import did_you_mean
from workers.commands import password_prompt

if TYPE_CHECKING:
    import argparse

    from workers.settings.settings import Settings

# By the order of the help. The module of a command has its name: `workers/commands/<name>.py`.
COMMANDS: Final[Mapping[str, str]] = {
    "sync": "fetch everything into the graph, then analyze it",
    "doctor": "before a first run: check which permissions the credentials lack",
    "findings": "show what the rules found, what is new, and what could not be judged",
    "report": "write coverage, findings and what is new as one HTML page",
    "status": "show the progress of a run, by default the newest",
    "query": "run a sample query, or one of your own, and show what of its input was not seen",
    "runs": "list the runs that the broker knows",
    "rejected": "show rows that the graph refused, load them again, or drop them",
    "cancel": "stop a run; nothing more is loaded or deleted",
    "forget": "delete everything that the graph holds of a tenant",
    "adopt": "take over a graph that Cartography filled",
    "schema": "show labels, properties, relationships and API calls",
    "can": "whether a principal may do an action on a resource, and which policies decide",
    "who-can": "list the users and roles that may do an action on a resource",
    "attack-paths": "list the ways in which users and roles could become administrators",
    "export": "write what can be traversed as OpenGraph, for BloodHound",
    "iam-policy": "print the AWS permissions that the selected resource types need",
    "services": "start, stop or show the embedded graph and broker of a data directory",
    "config": "show every setting, its value and where it came from",
    "worker": "run a worker of the fleet",
    "beat": "run the scheduler that starts runs",
    "flower": "run Flower, the fleet's web page",
    "health": "check whether a fleet process on this host is healthy (exit code 0, or 1 if it is not)",
}


class Command(Protocol):
    """What a command's module holds. `USES`: the settings that its help shows; None means all."""

    @property
    def USES(self) -> Container[str] | None: ...  # noqa: N802  # a constant of the module

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The command's own arguments."""

    def run(self, settings: Settings, args: argparse.Namespace) -> int:
        """Run it. Returns the exit code; raises ChartfleetError."""


def find(name: str) -> Command:
    return cast(Command, import_module(f"workers.commands.{name.replace('-', '_')}"))


def split(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command and what follows it. Without one it is `sync`, as crontabs have had it since 2020."""
    if not words or words[0].startswith("-"):
        return "sync", list(words)
    if words[0] not in COMMANDS:
        raise UsageError(f'no command "{words[0]}"{did_you_mean(words[0], COMMANDS)} (see `chartfleet --help`)')
    return words[0], list(words[1:])


def flags_of(args: argparse.Namespace) -> dict[str, str]:
    """The settings that were given as flags, by their names."""
    from workers.settings.settings import known

    values: Mapping[str, str | None] = vars(args)
    flags = {name: value for name in (*known(), "config") if (value := values.get(name)) is not None}
    if values.get("neo4j_password_prompt"):
        flags |= password_prompt.flags()
    return flags
