"""docker-compose.yml as Docker Compose reads it, and its services as processes of this machine, without containers.

What a service is given is what the file says: its command, its environment and no other, its health check. What a
container would add has a stand-in here: for host names, ports and volumes those of this machine, for images the
programs that they hold.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.fleet.command import Ended

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"

_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<otherwise>[^}]*))?\}|(?P<invalid>))")


class Refused(Exception):
    """Compose doesn't start: a variable that the file needs isn't set."""


def interpolated(node: Any, variables: Mapping[str, str]) -> Any:
    """With every ${VARIABLE} in its place. Raises Refused.

    By https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md, as far as the file makes use of it.
    """

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        if match["invalid"] is not None:
            raise Refused(f"a $ that names no variable: {match.string!r}")
        found = variables.get(match["name"])
        if not found and match["how"] == ":?":
            raise Refused(f"{match['name']}: {match['otherwise']}")
        return found or (match["otherwise"] or "")

    match node:
        case dict():
            return {key: interpolated(each, variables) for key, each in node.items()}
        case list():
            return [interpolated(each, variables) for each in node]
        case str():
            return _VARIABLE.sub(value, node)
    return node


def project(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with these variables of .env: anchors and merges resolved, variables in their places. Raises Refused."""
    resolved: dict[str, Any] = interpolated(yaml.safe_load(FILE.read_text()), variables)
    return resolved


def env_file(text: str) -> dict[str, str]:
    """The variables of a .env file."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


@dataclass
class Containers:
    """The services of a project as processes, until `stop`.

    `stands_for`: what is in the place of an address of the project's networks, or of a directory in a container.
    `path`: directories with the programs of the images.
    """

    services: Mapping[str, Any]
    variables: Mapping[str, str]
    stands_for: Mapping[str, str]
    directory: Path
    path: Sequence[Path]
    given: Mapping[str, str]  # what a container's surroundings give it: the simulated AWS
    settings: Mapping[str, str] = field(default_factory=dict)  # of chartfleet.env
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def command(self, name: str) -> list[str]:
        """The image's entrypoint, and what the file says; Redis's entrypoint runs what it is given."""
        entrypoint = ["chartfleet"] if self.services[name]["image"] == "chartfleet" else []
        return [self._placed(word) for word in [*entrypoint, *self.services[name]["command"]]]

    def environment(self, name: str) -> dict[str, str]:
        service = self.services[name]
        own = {
            key: self.variables.get(key) if value is None else str(value)
            for key, value in service["environment"].items()
        }
        found = {
            "PATH": os.pathsep.join([*map(str, self.path), "/usr/bin", "/bin"]),
            "HOME": str(self.directory),
            **self.given,
            **(self.settings if "env_file" in service else {}),
            **{key: value for key, value in own.items() if value is not None},
        }
        return {key: self._placed(value) for key, value in found.items()}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with self.log(name).open("wb") as log:
            self.processes[name] = process = subprocess.Popen(
                self.command(name),
                env=self.environment(name),
                cwd=self._home(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return process

    def run(self, name: str) -> Ended:
        """`docker compose run --rm NAME`"""
        return self._ended(self.command(name), name, seconds=240)

    def health(self, name: str) -> Ended:
        """The health check of a service, as the file has it."""
        how, *words = (self._placed(word) for word in self.services[name]["healthcheck"]["test"])
        command = words if how == "CMD" else ["/bin/sh", "-c", *words]
        return self._ended(command, name, seconds=60)

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _ended(self, command: list[str], name: str, seconds: float) -> Ended:
        done = subprocess.run(
            command,
            env=self.environment(name),
            cwd=self._home(name),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def _home(self, name: str) -> Path:
        home = self.directory / name
        home.mkdir(exist_ok=True)
        return home

    def _placed(self, word: str) -> str:
        for there, here in self.stands_for.items():
            word = word.replace(there, here)
        return word


def stand_in(directory: Path, name: str, script: str) -> None:
    """A program on the PATH of the services."""
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@contextmanager
def containers(**of: Any) -> Iterator[Containers]:
    found = Containers(**of)
    try:
        yield found
    finally:
        found.stop()
