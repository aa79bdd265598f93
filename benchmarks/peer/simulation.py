"""An estate in a simulated AWS, and the proxy through which a tool reads it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peer.estate import Estate, Size
from benchmarks.peer.proxy_process import ProxyProcess
from benchmarks.peer.tools import Place
from tests.peer.cartography import UNKNOWN_CALL
from tests.servers.aws import AwsServer
from workers import embedded


@dataclass(frozen=True, slots=True)
class Simulation:
    """`directory`: for services and for what tools say; it ends with the simulation."""

    estate: Estate
    proxy: ProxyProcess
    directory: Path
    profiles: Path

    def place(self, services: embedded.Services) -> Place:
        return Place(self.estate, self.proxy.url, services.graph, services.data_dir, self.profiles, self.directory)


@contextmanager
def simulated(size: Size) -> Iterator[Simulation]:
    with (
        tempfile.TemporaryDirectory(prefix="chartfleet-bench-") as name,
        AwsServer() as aws,
        ProxyProcess(aws.url) as proxy,
    ):
        directory, estate = Path(name), Estate(aws.url, size)
        estate.fill()
        estate.write_profiles(profiles := directory / "aws.ini")
        aws.add(UNKNOWN_CALL)
        yield Simulation(estate, proxy, directory, profiles)
