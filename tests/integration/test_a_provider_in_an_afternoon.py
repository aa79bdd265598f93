"""The example of docs/a-provider-in-an-afternoon.md, of today and of before, run against a Tailscale over HTTP."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.graph import Graph
from tests.fleet.command import Command
from tests.fleet.running import NEO4J_PASSWORD
from tests.servers.json_api import JsonApi, Reply, token
from workers.embedded import Services

BEFORE = Path(__file__).parents[1] / "afternoon_before"
PAGE = Path(__file__).parents[2] / "docs" / "a-provider-in-an-afternoon.md"
FILE = re.compile(r"^```(?:python|toml)\n# (?P<name>\S+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
USERS = {
    "users": [{"id": "u1", "loginName": "ada@example.com", "displayName": "Ada", "role": "owner", "status": "active"}]
}
DEVICES = {
    "devices": [
        {
            "nodeId": "n1",
            "name": "laptop.example.ts.net",
            "user": "ada@example.com",
            "os": "linux",
            "addresses": ["100.64.0.1"],
        },
        {"nodeId": "n2", "name": "gone.example.ts.net", "user": "ada@example.com", "os": "linux", "addresses": []},
        {"nodeId": "n3", "name": "router.example.ts.net", "user": "alan@example.com", "os": "linux", "addresses": []},
    ]
}
ROUTES = {
    "GET /api/v2/tailnet/-/users": lambda asked: Reply(USERS),
    "GET /api/v2/tailnet/-/devices": lambda asked: Reply(DEVICES),
    "GET /api/v2/device/{id}/routes": lambda asked: (
        Reply({"message": "not found"}, 404)
        if asked.parameters["id"] == "n2"
        else Reply({"advertisedRoutes": ["10.0.0.0/8"] if asked.parameters["id"] == "n3" else []})
    ),
}


def install(folder: Path) -> None:
    """The files of the page, and the entry points that installing them leaves."""
    files = {found["name"]: found["text"] for found in FILE.finditer(PAGE.read_text())}
    for name in ("chartfleet_tailscale/__init__.py", "chartfleet_tailscale/network.py"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[name])
    project = tomllib.loads(files["pyproject.toml"])["project"]
    installed = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["chartfleet.providers"].items())
    (installed / "entry_points.txt").write_text(f"[chartfleet.providers]\n{points}")


def install_the_one_of_before(folder: Path) -> None:
    """What the page said before names changed."""
    shutil.copytree(BEFORE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize(
    ("install", "lines"),
    [
        pytest.param(install, 0, id="of today"),
        pytest.param(install_the_one_of_before, 1, id="of before", marks=pytest.mark.long),
    ],
)
def test_the_example_is_a_provider(
    install: Callable[[Path], None], lines: int, tmp_path: Path, services: Services, graph: Graph
) -> None:
    install(tmp_path)
    variables = {"PYTHONPATH": str(tmp_path), "TAILSCALE_KEY": "tskey", NEO4J_PASSWORD: services.graph.password or ""}
    command = Command(tmp_path, variables)
    sync, schema = (shlex.split(line) for line in re.findall(r"^    chartfleet (.+)$", PAGE.read_text(), re.MULTILINE))
    password = ("--neo4j-password-env-var", NEO4J_PASSWORD)
    with JsonApi(ROUTES, token("Bearer tskey")) as api:
        api.refuse("GET /api/v2/tailnet/-/users", 429, {"Retry-After": "1"})
        here = ["--neo4j-uri", services.graph.uri, "--neo4j-user", "neo4j", *password, "--tailscale-base-url", api.url]

        without_key = command(*sync, *here, TAILSCALE_KEY="")
        assert without_key.code == 1
        assert "the variable TAILSCALE_KEY isn't set" in without_key.err

        ended = command(*sync, *here, "--json")
    assert ended.code == 0, ended.err
    assert len({line for line in ended.err.splitlines() if "earlier Chartfleet" in line}) == lines
    assert ended.json["rows"] == {"tailscale.devices": 2, "tailscale.users": 1}
    owned = "MATCH (u:TailscaleUser)-[:OWNS]->(d:TailscaleDevice) RETURN u.login_name AS u, d.name AS d, d.routes AS r"
    assert sorted(graph.rows(owned), key=lambda row: str(row["u"])) == [
        {"u": "ada@example.com", "d": "laptop.example.ts.net", "r": []},
        {"u": "alan@example.com", "d": "router.example.ts.net", "r": ["10.0.0.0/8"]},
    ]
    assert "TailscaleDevice" in command(*schema).out
