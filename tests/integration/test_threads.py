"""Workers whose pool is threads, as on Windows, where no process can be forked."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest
import redis

from loaders.graph import Graph
from loaders.ledger import Ledger, State, runs
from tests.fleet.command import Command
from tests.fleet.running import AWS_KEYS, graph_variables, unit_of, wait_for
from tests.servers.aws import AwsServer, Effect, Fault
from workers import embedded

THREADS = ("--", "--pool", "threads")
SMALL = ("--aws-requested-syncs", "ec2.vpcs,ec2.subnets", "--aws-regions", "us-east-1,eu-south-1")
PAUSED = Fault(Effect.PAUSE, service="ec2", action="DescribeVpcs", region="eu-south-1")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Broker]:
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def chartfleet(
    services: embedded.Services, broker: embedded.Broker, aws: AwsServer, tmp_path_factory: pytest.TempPathFactory
) -> Command:
    variables = {
        **AWS_KEYS,
        "AWS_ENDPOINT_URL": aws.url,
        "CHARTFLEET_BROKER_URL": broker.url,
        **graph_variables(services.graph),
        "CHARTFLEET_LEASE_SECONDS": "8",
        "CHARTFLEET_SWEEP_SECONDS": "0.5",
    }
    return Command(tmp_path_factory.mktemp("threads"), variables)


@pytest.fixture(scope="module")
def workers(chartfleet: Command) -> Iterator[dict[str, subprocess.Popen[str]]]:
    queues = {"fetch": "coordinator,fetch", "loader": "loader"}
    with ExitStack() as stack:
        started = {name: stack.enter_context(worker(chartfleet, name, of)) for name, of in queues.items()}
        for name in started:
            wait_for(is_well(chartfleet, name), seconds=90)
        yield started


@contextmanager
def worker(chartfleet: Command, name: str, queues: str) -> Iterator[subprocess.Popen[str]]:
    process = chartfleet.start("worker", "--queues", queues, "--hostname", name, "--concurrency", "4", *THREADS)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def is_well(chartfleet: Command, name: str) -> Callable[[], bool]:
    return lambda: chartfleet("health", "worker", "--hostname", name).code == 0


@pytest.mark.usefixtures("workers")
def test_a_run_goes_through(chartfleet: Command, graph: Graph) -> None:
    ended = chartfleet("sync", *SMALL, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["not_seen"] == []
    found = graph.rows("MATCH (v:AWSVpc) RETURN v.region AS region ORDER BY region")
    assert found == [{"region": "eu-south-1"}, {"region": "us-east-1"}]


@pytest.mark.long
@pytest.mark.usefixtures("graph")
def test_a_worker_that_is_stopped_gives_its_scope_back_at_once(
    chartfleet: Command, workers: Mapping[str, subprocess.Popen[str]], broker: embedded.Broker, aws: AwsServer
) -> None:
    """Though the response of the API doesn't come. Another worker fetches it, and no death is counted."""
    aws.add(PAUSED)
    sync = chartfleet.start("sync", *SMALL, "--json")
    aws.wait_for(PAUSED, timeout_seconds=90)
    with redis.Redis.from_url(broker.url) as client:
        ledger = Ledger(client, runs(client)[0])
        assert chartfleet("health", "worker", "--hostname", "fetch").out.endswith(": 1 of 4 at work\n")
        workers["fetch"].send_signal(signal.SIGTERM)
        workers["fetch"].communicate(timeout=30)
        given_back = unit_of(ledger, "aws.ec2.vpcs", "eu-south-1")
        assert (given_back.state, given_back.reason) == (State.PLANNED, "the worker is shutting down")
        aws.reset()
        with worker(chartfleet, "successor", "coordinator,fetch"):
            out, err = sync.communicate(timeout=120)
        assert sync.returncode == 0, out + err
        assert unit_of(ledger, "aws.ec2.vpcs", "eu-south-1").crashes == 0
