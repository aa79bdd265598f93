"""The two tools, each run by its own command as a user would run it, on the same accounts, regions and types."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.peer.estate import Estate
from benchmarks.peer.usage import Usage, measure
from loaders.graph import GraphAddress
from tests.fleet.command import CHARTFLEET, clean_environment
from tests.peer import cartography
from workers import embedded

PEER: Final = "Cartography"
STAGES: Final = ("fetch and load", "barrier", "analysis")  # of a report: one after the other, and nothing else
BROKER, GRAPH = "broker", "graph"  # roles of the services, which run before and after


class Failed(Exception):
    """A tool didn't see all that there is: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happens: what it reads, what it writes to, and where it leaves what it says."""

    estate: Estate
    endpoint: str  # of the proxy
    graph: GraphAddress
    data_dir: Path  # of the graph and the broker
    profiles: Path
    logs: Path

    def service(self, name: str) -> int:
        """The process id of a service."""
        status = embedded.status(self.data_dir)
        pid = (status.broker if name == BROKER else status.graph).pid
        assert pid is not None
        return pid

    def aws(self) -> dict[str, str]:
        return {"AWS_CONFIG_FILE": str(self.profiles), "AWS_ENDPOINT_URL": self.endpoint}


@dataclass(frozen=True, slots=True)
class Done:
    """A run that saw everything. `scopes`, `rows` and the seconds of its stages only where the tool says so."""

    usage: Usage
    scopes: int = 0
    rows: int = 0
    stages: dict[str, float] = field(default_factory=dict)


class Tool(Protocol):
    """`name`: the same for all runs whose figures belong together."""

    @property
    def name(self) -> str: ...

    def sync(self, place: Place) -> Done:
        """One run. Raises Failed."""


@dataclass(frozen=True, slots=True)
class Chartfleet:
    """`chartfleet sync` with a local fleet; its services are up."""

    fetch_processes: int

    @property
    def name(self) -> str:
        number = self.fetch_processes
        return f"Chartfleet, {number} fetch process{'es' if number > 1 else ''}"

    def sync(self, place: Place) -> Done:
        command = [
            CHARTFLEET, "sync", "--json", "--data-dir", str(place.data_dir), "--selected-modules", "aws",
            "--aws-sync-all-profiles", "--aws-regions", ",".join(place.estate.regions),
            "--aws-requested-syncs", ",".join(cartography.SYNCS), "--fetch-processes", str(self.fetch_processes),
        ]  # fmt: skip
        output = place.logs / "chartfleet.json"
        beside = {role: place.service(role) for role in (BROKER, GRAPH)}
        usage = measure(command, clean_environment() | place.aws(), output, role_in_fleet, beside)
        if usage.exit_code:
            raise Failed(f"chartfleet ended with exit code {usage.exit_code}: {_said(output)}")
        report: dict[str, Any] = json.loads(output.read_text())
        scopes, rows = (sum(report[name].values()) for name in ("scopes", "rows"))
        stages = {name: seconds for name, seconds in report["seconds"].items() if name in STAGES}
        return Done(usage, scopes=scopes, rows=rows, stages=stages)


@dataclass(frozen=True, slots=True)
class Cartography:
    """One process, as its documentation says. `environment`: variables in addition to the usual ones."""

    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = PEER

    def sync(self, place: Place) -> Done:
        command = cartography.command(place.graph, tag=int(time.time()), regions=place.estate.regions)
        variables = cartography.variables(place.endpoint, place.graph, **place.aws(), **self.environment)
        output = place.logs / "cartography.log"
        usage = measure(
            [*command, "--aws-sync-all-profiles"], variables, output, lambda _: "command", {GRAPH: place.service(GRAPH)}
        )
        if usage.exit_code:
            raise Failed(f"cartography ended with exit code {usage.exit_code}: {_said(output)}")
        return Done(usage)


_HOSTNAME: Final = re.compile(r"([a-z]+)[-\d]*@")


def role_in_fleet(command_line: Sequence[str]) -> str:
    """Of a process of the local fleet: command, coordinator, fetch, loader, or alone (for suspects)."""
    if "--hostname" in command_line and (
        name := _HOSTNAME.match(command_line[list(command_line).index("--hostname") + 1])
    ):
        return name[1]
    if "workers.fleet.alone_process" in command_line:
        return "alone"
    return "command" if command_line else ""


def peer_problem() -> str:
    """Why the peer can't be run here, in one line; nothing where it can. Installs it, if that wasn't done before."""
    try:
        command = cartography.environment()
        subprocess.run([command, "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, timeout=120)
    except (subprocess.SubprocessError, OSError) as error:
        return f"Cartography can't be installed here, so there is nothing to compare with: {error}"
    return ""


def peer_version() -> str:
    """The one that the lock names."""
    lines = cartography.LOCK.read_text().splitlines()
    return next(line.split()[0].partition("==")[2] for line in lines if line.startswith("cartography=="))


def _said(output: Path) -> str:
    """The end of what a command said."""
    text = output.with_name(f"{output.name}.err").read_text(errors="replace") or output.read_text(errors="replace")
    return os.linesep.join(text.splitlines()[-5:])
