"""Embedded services, real ones: a Neo4j for this module, and a Redis wherever one is killed or raced for."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import socket
import stat
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import neo4j
import psutil
import pytest
import redis

from loaders.graph import Graph, GraphAddress
from workers import embedded
from workers.embedded import jars, process
from workers.embedded.graph import own_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Services]:
    data_dir = tmp_path_factory.mktemp("services")
    process.write_private(own_settings(data_dir / "graph"), "# mine\nserver.memory.pagecache.size = 64m\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JDK_JAVA_OPTIONS", "-Dof.every.java=yes")
        services = embedded.start(data_dir, say=print)
    yield services
    embedded.stop(data_dir)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    embedded.stop(tmp_path / "data")


def pids(data_dir: Path) -> set[int | None]:
    status = embedded.status(data_dir)
    return {status.broker.pid, status.graph.pid}


def ask(address: GraphAddress, query: str) -> list[object]:
    graph = Graph.at(address)
    try:
        return [value for row in graph.rows(query) for value in row.values()]
    finally:
        graph.close()


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


# What is started


def test_the_graph_is_neo4j_and_the_broker_is_a_redis(services: embedded.Services) -> None:
    assert ask(services.graph, "CALL dbms.components() YIELD versions, edition RETURN versions[0] + ' ' + edition") == [
        f"{jars.VERSION} community"
    ]
    broker = redis.Redis.from_url(services.broker_url)
    major, minor = broker.info("server")["redis_version"].split(".")[:2]
    assert (int(major), int(minor)) >= (6, 2)


def test_the_broker_persists_its_data_and_evicts_nothing(services: embedded.Services) -> None:
    broker = redis.Redis.from_url(services.broker_url, decode_responses=True)
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    assert {name: broker.config_get(name)[name] for name in wanted} == wanted


def test_the_browser_is_served(services: embedded.Services) -> None:
    with urllib.request.urlopen(services.browser_url) as response:
        assert b"<title>Neo4j Browser</title>" in response.read()


def test_no_usage_data_is_sent(services: embedded.Services) -> None:
    reporting = ["client.allow_telemetry", "dbms.usage_report.enabled"]
    assert (
        ask(services.graph, f"SHOW SETTINGS YIELD name, value WHERE name IN {reporting} RETURN value") == ["false"] * 2
    )


def test_a_setting_of_the_users_own_wins(services: embedded.Services) -> None:
    setting = "SHOW SETTINGS YIELD name, value WHERE name = 'server.memory.pagecache.size' RETURN value"
    assert ask(services.graph, setting) == ["64.00MiB"]


def test_options_for_every_java_are_for_this_one_too(services: embedded.Services) -> None:
    assert "Picked up JDK_JAVA_OPTIONS" in embedded.status(services.data_dir).graph.log_file.read_text()


def test_start_again_starts_nothing(services: embedded.Services) -> None:
    before = pids(services.data_dir)
    assert embedded.start(services.data_dir, say=pytest.fail) == services
    assert pids(services.data_dir) == before


def test_status_says_where_everything_is(services: embedded.Services) -> None:
    status = embedded.status(services.data_dir)
    assert status.graph.running
    assert status.graph.address == services.graph.uri
    assert status.graph.version == jars.VERSION
    assert status.graph.password_file.read_text() == services.graph.password
    assert status.browser_url == services.browser_url


# Access


@pytest.mark.parametrize("auth", [None, ("neo4j", "neo4j"), ("neo4j", "guessed-by-a-stranger")])
def test_the_graph_requires_its_password(services: embedded.Services, auth: tuple[str, str] | None) -> None:
    with (
        neo4j.GraphDatabase.driver(services.graph.uri, auth=auth) as driver,
        pytest.raises(neo4j.exceptions.ClientError, match="Security"),
    ):
        driver.verify_connectivity()


def test_the_broker_requires_its_password(services: embedded.Services) -> None:
    address = services.broker_url.rpartition("@")[2]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(f"redis://{address}").ping()


def test_nothing_listens_beyond_this_machine(services: embedded.Services) -> None:
    listening = {
        connection.laddr.ip
        for pid in pids(services.data_dir)
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_passwords_are_in_private_files_and_nowhere_else(services: embedded.Services) -> None:
    status = embedded.status(services.data_dir)
    passwords = [file.read_text() for file in (status.broker.password_file, status.graph.password_file)]
    holding = [
        file
        for file in services.data_dir.rglob("*")
        if file.is_file() and any(password.encode() in file.read_bytes() for password in passwords)
    ]
    texts = [repr(services), *(" ".join(psutil.Process(pid).cmdline()) for pid in pids(services.data_dir))]

    assert sorted(file.name for file in holding) == ["password", "password", "redis.conf"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in holding} == {0o600}
    assert stat.S_IMODE(status.broker.password_file.parent.stat().st_mode) == 0o700
    assert not [line for line in texts if any(password in line for password in passwords)]


# Restarts


def test_a_killed_service_is_noticed_and_restarted_with_its_data(services: embedded.Services) -> None:
    graph = Graph.at(services.graph)
    graph.autocommit("CREATE (:Kept {by: 'the transaction log'})")
    graph.close()
    before = embedded.status(services.data_dir)
    kill(before.graph.pid)
    kill(before.broker.pid)

    while any(pids(services.data_dir)):
        time.sleep(0.05)

    again = embedded.start(services.data_dir, say=print)
    assert (again.graph, again.broker_url) == (services.graph, services.broker_url)
    assert not pids(services.data_dir) & {before.graph.pid, before.broker.pid}
    assert ask(again.graph, "MATCH (kept:Kept) RETURN kept.by") == ["the transaction log"]


def test_a_killed_broker_is_restarted_on_its_port(tmp_path: Path) -> None:
    broker = embedded.start_broker(tmp_path)
    with redis.Redis.from_url(broker.url) as client:
        client.set("run", "7")
        time.sleep(1.1)  # everysec: what a Redis wrote is on disk a second later
    kill(broker.pid)

    again = embedded.start_broker(tmp_path, broker.port)
    with redis.Redis.from_url(again.url) as client:
        assert (again.url, client.get("run")) == (broker.url, b"7")
    again.stop()
    assert not again.process.alive


def test_a_recycled_pid_is_not_mistaken_for_a_service(data_dir: Path) -> None:
    broker = embedded.start_broker(data_dir / "another")
    embedded.start(data_dir, graph=False, say=print)
    stored = json.loads((data_dir / "services.json").read_text())
    embedded.stop(data_dir)
    stored["broker"]["process"]["pid"] = broker.pid
    stored["broker"]["process"]["started_at"] -= 3600
    (data_dir / "services.json").write_text(json.dumps(stored))

    assert not embedded.status(data_dir).broker.running
    embedded.stop(data_dir)
    assert broker.process.alive
    broker.stop()


def test_a_service_that_fails_to_start_says_why_and_where_its_log_is(data_dir: Path) -> None:
    (data_dir / "broker" / "appendonly.aof").mkdir(parents=True)  # Redis 6 wants a file there,
    (data_dir / "broker" / "appendonlydir").touch()  # Redis 7 a folder here
    with pytest.raises(embedded.EmbeddedError, match=r"broker stopped while starting: .*append.*logs/broker\.log"):
        embedded.start(data_dir, graph=False, say=print)


def test_a_port_that_is_taken_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert process.free_port(taken) not in (taken, 0)


# Sharing


def use(data_dir: Path, inside: multiprocessing.synchronize.Barrier, seen: multiprocessing.SimpleQueue[int]) -> None:
    with embedded.using(data_dir, print, graph=False) as services:
        with redis.Redis.from_url(services.broker_url) as broker:
            seen.put(broker.info("server")["process_id"])
        inside.wait(60)


def test_two_processes_share_one_service_and_the_last_one_stops_it(data_dir: Path) -> None:
    inside, seen = SPAWN.Barrier(3), SPAWN.SimpleQueue()
    users = [SPAWN.Process(target=use, args=(data_dir, inside, seen)) for _ in range(2)]
    for user in users:
        user.start()
    inside.wait(60)
    for user in users:
        user.join()

    assert seen.get() == seen.get()
    assert [user.exitcode for user in users] == [0, 0]
    assert not embedded.status(data_dir).broker.running


def test_a_service_in_use_is_not_stopped(data_dir: Path) -> None:
    with embedded.using(data_dir, print, graph=False):
        with embedded.using(data_dir, print, graph=False):
            pass
        assert embedded.status(data_dir).broker.running
    assert not embedded.status(data_dir).broker.running


def test_a_service_started_explicitly_keeps_running(data_dir: Path) -> None:
    with embedded.using(data_dir, print, graph=False):
        embedded.start(data_dir, graph=False, say=print)
    assert embedded.status(data_dir).broker.running


def test_asking_for_what_was_not_started_is_an_error(data_dir: Path) -> None:
    with (
        embedded.using(data_dir, print, graph=False) as services,
        pytest.raises(embedded.EmbeddedError, match="graph was not started"),
    ):
        services.graph.driver()


# The jars


class Central(SimpleHTTPRequestHandler):
    """A Maven repository over HTTP; it counts what is fetched from it."""

    fetched: list[str]

    def do_GET(self) -> None:
        self.fetched.append(Path(self.path).name)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def central(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    folder = tmp_path / "central" / "org" / "example" / "atlas" / "1.0"
    folder.mkdir(parents=True)
    (folder / "atlas-1.0.jar").write_bytes(b"the jar")
    Central.fetched = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Central, directory=str(tmp_path / "central")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {"central": f"http://127.0.0.1:{server.server_port}"})
    yield Central.fetched
    server.shutdown()


ATLAS = jars.Jar(coordinate="org.example:atlas:1.0", sha256=hashlib.sha256(b"the jar").hexdigest())


def test_a_jar_is_fetched_once_even_by_two_at_a_time(central: list[str], tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: jars.fetched(print, [ATLAS], tmp_path / "cache"), range(2))

    assert first == second == [tmp_path / "cache" / "atlas-1.0.jar"]
    assert first[0].read_bytes() == b"the jar"
    assert central.count("atlas-1.0.jar") == 1


def test_a_damaged_jar_is_fetched_again(central: list[str], tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "atlas-1.0.jar").write_bytes(b"the j")
    assert jars.fetched(print, [ATLAS], tmp_path / "cache")[0].read_bytes() == b"the jar"


def test_a_jar_that_is_not_the_locked_one_is_refused(central: list[str], tmp_path: Path) -> None:
    other = replace(ATLAS, sha256="0" * 64)
    with pytest.raises(
        embedded.EmbeddedError, match=f"org.example:atlas:1.0 .*{ATLAS.sha256}, expected {other.sha256}"
    ):
        jars.fetched(print, [other], tmp_path / "cache")
    assert not (tmp_path / "cache" / "atlas-1.0.jar").exists()


def test_a_jar_that_is_not_there_is_named(central: list[str], tmp_path: Path) -> None:
    missing = replace(ATLAS, coordinate="org.example:atlas:2.0")
    with pytest.raises(embedded.EmbeddedError, match=r"Could not fetch org\.example:atlas:2\.0"):
        jars.fetched(print, [missing], tmp_path / "cache")
