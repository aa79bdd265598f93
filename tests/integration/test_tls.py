"""Redis and the graph over TLS, vouched for by an authority of one's own; and the least that Redis must allow."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from loaders.graph import Graph
from tests.fleet.compose import ROOT
from tests.fleet.running import BROKER_PASSWORD, running_fleet
from tests.servers.aws import AwsServer
from tests.servers.certificates import Certificates, issue
from tests.servers.tls_proxy import tls_in_front_of
from workers import embedded
from workers.commands.connections import checked_broker
from workers.fleet.readiness import NotReady, check_graph
from workers.settings.errors import SettingError
from workers.settings.settings import Settings

PASSWORD = "of-the-user-chartfleet"
SETTINGS = {"aws_regions": ("us-east-1",), "aws_requested_syncs": ("ec2.vpcs", "ec2.subnets")}


def documented_acl() -> list[str]:
    """The user of Redis, as docs/operations.md says it."""
    [line] = re.findall(r"^    (ACL SETUSER .*)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    return shlex.split(line.replace("PASSWORD", PASSWORD))


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Broker]:
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    with redis.Redis.from_url(broker.url) as admin:
        admin.execute_command(*documented_acl())
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def tls_port(own_broker: embedded.Broker, certificates: Certificates) -> Iterator[int]:
    with tls_in_front_of(own_broker.port, certificates) as port:
        yield port


def settings(monkeypatch: pytest.MonkeyPatch, port: int, ca: Path | None) -> Settings:
    monkeypatch.setenv(BROKER_PASSWORD, PASSWORD)
    flags = {
        "broker_url": f"rediss://chartfleet@127.0.0.1:{port}/0",
        "broker_password_env_var": BROKER_PASSWORD,
        "broker_ca_file": ca,
    }
    return Settings.load(flags, {})


def test_a_server_of_an_unknown_authority_gets_no_password(
    tls_port: int, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = issue(tmp_path / "another")
    for ca in (None, another.ca):
        with pytest.raises(NotReady, match="certificate verify failed"):
            checked_broker(settings(monkeypatch, tls_port, ca).broker or "")
    checked_broker(settings(monkeypatch, tls_port, certificates.ca).broker or "").close()


def test_the_graph_of_an_unknown_authority_gets_no_password(
    services: embedded.Services, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPH_PASSWORD", services.graph.password or "")
    another = issue(tmp_path / "another")

    def at(ca: Path | None) -> Settings:
        uri = services.graph.uri.replace("bolt://", "bolt+s://")
        graph = {"neo4j_uri": uri, "neo4j_user": "neo4j", "neo4j_password_env_var": "GRAPH_PASSWORD"}
        return Settings.load({**graph, "neo4j_ca_file": ca}, {})

    for ca in (None, another.ca):
        address = at(ca).graph_address
        assert address is not None
        with pytest.raises(NotReady, match="isn't responding"):
            check_graph(address)
    address = at(certificates.ca).graph_address
    assert address is not None
    check_graph(address).close()


def test_a_fleet_runs_over_tls_with_the_least_that_redis_must_allow(
    services: embedded.Services,
    graph: Graph,
    tls_port: int,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = settings(monkeypatch, tls_port, certificates.ca)
    at_redis = {
        "broker_password_env_var": BROKER_PASSWORD,
        "broker_ca_file": certificates.ca,
        "neo4j_uri": services.graph.uri.replace("bolt://", "bolt+s://"),
        "neo4j_ca_file": certificates.ca,
        "concurrency": 1,
        "transaction_seconds": 120.0,
    }
    with (
        AwsServer() as aws,
        running_fleet(services.graph, str(own.broker_url), tmp_path, aws.url, **SETTINGS, **at_redis) as fleet,
    ):
        report = fleet.sync()
    assert (report.state, report.not_seen, report.failed_jobs) == ("complete", [], [])
    logs = "".join(path.read_text(errors="replace") for path in tmp_path.glob("*.log"))
    assert "NOPERM" not in logs
    assert PASSWORD not in logs


def test_that_user_can_do_nothing_else(own_broker: embedded.Broker) -> None:
    port = urlsplit(own_broker.url).port
    with redis.Redis(port=port or 0, username="chartfleet", password=PASSWORD) as client:
        for command in (
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
            ("SHUTDOWN",),
            ("KEYS", "*"),
            ("SAVE",),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


# -- settings


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"broker_url": "redis://a", "broker_ca_file": "CA"}, "broker_ca_file: .* begins with rediss://"),
        ({"neo4j_uri": "bolt://a", "neo4j_ca_file": "CA"}, "neo4j_ca_file: .* begins with bolt\\+s://"),
        ({"broker_url": "rediss://a", "broker_ca_file": "/nowhere.pem"}, "is not a file"),
        ({"broker_url": "rediss://a", "broker_ca_file": "KEY"}, "holds no certificates in PEM"),
        ({"neo4j_uri": "bolt+s://a", "neo4j_ca_file": "OPEN"}, "others may write it"),
    ],
)
def test_a_file_that_is_no_use_is_refused(
    flags: dict[str, str], problem: str, certificates: Certificates, tmp_path: Path
) -> None:
    everyones = tmp_path / "ca.pem"
    everyones.write_bytes(certificates.ca.read_bytes())
    everyones.chmod(0o666)
    files = {"CA": str(certificates.ca), "KEY": str(certificates.key), "OPEN": str(everyones)}
    with pytest.raises(SettingError, match=problem):
        Settings.load({name: files.get(value, value) for name, value in flags.items()}, {})
