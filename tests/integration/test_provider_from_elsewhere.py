"""A provider from another package, found by its entry point: parts, a window of tenants, deletion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from loaders.graph import Graph
from workers.embedded import Services

TOY = Path(__file__).parents[1] / "toy_provider"
TOY_BEFORE = Path(__file__).parents[1] / "toy_provider_before"  # written for names of before


def sync(services: Services, code: int, *flags: str, package: Path = TOY) -> dict[str, Any]:
    """The report of `chartfleet sync` with the toy provider installed, which must exit with `code`."""
    done = run(services, *flags, package=package)
    assert done.returncode == code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def run(services: Services, *flags: str, package: Path = TOY) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "TOY_NEO4J_PASSWORD": services.graph.password or "",
        "CHARTFLEET_SWEEP_SECONDS": "0.5",
    }
    command = [
        str(Path(sys.executable).parent / "chartfleet"),
        "sync",
        "--json",
        "--selected-modules",
        "toy",
        "--concurrency",
        "4",
    ]
    graph = [
        "--neo4j-uri",
        services.graph.uri,
        "--neo4j-user",
        "neo4j",
        "--neo4j-password-env-var",
        "TOY_NEO4J_PASSWORD",
    ]
    return subprocess.run(
        [*command, *graph, "--data-dir", str(services.data_dir), *flags],
        env=environment,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )


@pytest.mark.timeout(600)
def test_a_package_written_for_an_earlier_version_syncs(graph: Graph, services: Services) -> None:
    done = run(services, "--toy-tenants", "2", package=TOY_BEFORE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {"toy.bricks": 2 * 2 * 10, "toy.stones": 2 * 10}
    assert graph.rows("MATCH (b:ToyBrick) RETURN count(b) AS count") == [{"count": 40}]
    lines = {line for line in done.stderr.splitlines() if "earlier Chartfleet" in line}
    assert len(lines) == 1
    assert "Provider(missing=) -> problems=" in lines.pop()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_tenant_that_is_no_longer_listed_is_kept_for_a_while(
    graph: Graph, broker: redis.Redis, services: Services
) -> None:
    bricks = "MATCH (b:ToyBrick) RETURN count(b) AS count"
    sync(services, 0, "--toy-tenants", "2")
    assert graph.rows(bricks) == [{"count": 40}]
    fewer = sync(services, 0, "--toy-tenants", "1", "--retired-runs-kept", "1")
    assert {(one["tenant"], one["status"]) for one in fewer["kept"]} == {("t1", "retired")}
    assert graph.rows(bricks) == [{"count": 40}]
    again = sync(services, 0, "--toy-tenants", "1", "--retired-runs-kept", "1")
    assert again["kept"] == []
    assert graph.rows(bricks) == [{"count": 20}]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_scope_in_parts_is_complete_only_with_all_of_them(
    graph: Graph, broker: redis.Redis, services: Services
) -> None:
    stones = "MATCH (s:ToyStone) RETURN count(s) AS count"

    first = sync(services, 0, "--toy-tenants", "3", "--toy-pages", "4", "--admission-window", "1")
    assert first["rows"] == {"toy.bricks": 3 * 2 * 4 * 10, "toy.stones": 3 * 4 * 10}
    assert graph.rows(stones) == [{"count": 120}]

    fewer = sync(services, 3, "--toy-tenants", "3", "--toy-pages", "3", "--toy-fails", "1")
    assert {line["type"] for line in fewer["not_seen"]} == {"toy.stones"}
    assert graph.rows(stones) == [{"count": 120}], "a part was denied: nothing of the scope is deleted"
    known = ("--toy-fails", "1", "--expected-gaps", "toy.stones/*/*")
    expected = sync(services, 0, "--toy-tenants", "3", "--toy-pages", "3", *known)
    assert (len(expected["expected"]), expected["not_seen"]) == (3, [])
    assert graph.rows(stones) == [{"count": 120}], "an expected gap is still a gap"
    assert graph.rows("MATCH (b:ToyBrick) RETURN count(b) AS count") == [{"count": 180}], "bricks were complete"

    sync(services, 0, "--toy-tenants", "3", "--toy-pages", "3")
    assert graph.rows(stones) == [{"count": 90}]
