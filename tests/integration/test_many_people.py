"""A large company: 10,000 people in Okta, 5,000 repositories, 200 projects, each within the memory and the limits, of a
server that takes about as many calls as the fleet would send, and refuses those above.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from loaders.graph import Graph
from tests.fleet.command import Command
from tests.integration.test_all_providers import IN_FLIGHT, Fleet, at, variables_of
from tests.servers.company import Company, Size
from tests.servers.windows import Window
from workers import embedded

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

API_PAGES = 1000  # of a page, the API's own most
MAX_BYTES = 300_000_000  # of memory of a worker that is its own


@contextmanager
def largest_worker(sync: int) -> Iterator[list[int]]:
    """The most memory that any process had which fetches for this sync, in bytes."""
    largest, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(1):
            with suppress(psutil.Error):
                for process in psutil.Process(sync).children(recursive=True):
                    with suppress(psutil.Error):
                        if "fetch" in " ".join(process.cmdline()):
                            largest[0] = max(largest[0], process.memory_info().rss)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield largest
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("module", "size", "window", "counted"),
    [
        (
            "okta",
            Size(people=10_000, groups=50, page=API_PAGES),
            Window(75, 3),
            {"OktaUser": 10_000, "OktaUserFactor": 5_000, "OktaGroup": 50},
        ),
        (
            "github",
            Size(people=500, repositories=5_000, page=API_PAGES),
            Window(24, 3),
            {"GitHubRepository": 5_000, "GitHubUser": 500},
        ),
        (
            "gcp",
            Size(projects=200, page=API_PAGES),
            Window(60, 3),
            {"GCPProject": 200, "GCPInstance": 400, "GCPBucket": 200},
        ),
    ],
    ids=["okta", "github", "gcp"],
)
def test_it_fits(
    module: str,
    size: Size,
    window: Window,
    counted: dict[str, int],
    tmp_path: Path,
    services: embedded.Services,
    graph: Graph,
) -> None:
    with Company(size, windows={module: window}) as company:
        fleet = Fleet(Command(tmp_path, variables_of(company, tmp_path, services)), company, graph, at(services))
        begin = time.monotonic()
        flags = ("--json", "--selected-modules", module, *fleet.flags, *company.flags)
        process = fleet.command.start("sync", *flags)
        with largest_worker(process.pid) as largest:
            out, err = process.communicate(timeout=3000)
        seconds = time.monotonic() - begin
        measured = company.measured[module]
    assert process.returncode == 0, err[-2000:] + out[-2000:]
    for label, count in counted.items():
        assert fleet.rows(f"MATCH (n:{label}) RETURN count(n)") == [count]
    told = (
        f"{module}: {seconds:.0f} s, {measured.calls} calls, {measured.max_in_flight} at a time, "
        f"{company.refused[module]} refused, {measured.early} while told to wait, {largest[0]:,} bytes"
    )
    print(told)
    assert measured.early == 0, told
    assert measured.max_in_flight <= IN_FLIGHT[module]
    assert 0 < largest[0] < MAX_BYTES, told
