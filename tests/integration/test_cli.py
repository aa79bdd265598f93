"""The command as scripts see it: exit codes, what is on stdout and stderr, and what a refusal leaves untouched."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import Ledger, RunState, runs
from loaders.writer import claim, claimed_by
from tasks.engine import registry
from tests.fleet.command import Command, Ended, left_behind
from tests.fleet.running import AWS_KEYS, NEO4J_PASSWORD, Fleet, running_fleet, wait_for
from tests.fleet.terminal import CTRL_C
from tests.servers.aws import AwsServer, Effect, Fault
from workers import embedded

REGIONS = "us-east-1,eu-south-1"
SMALL = ("--aws-requested-syncs", "ec2.vpcs,ec2.subnets", "--aws-regions", REGIONS)  # 4 scopes and 2 of planning
DENIED = Fault(Effect.DENY, service="ec2", action="DescribeVpcs", region="eu-south-1")
PAUSED = Fault(Effect.PAUSE, service="ec2", action="DescribeVpcs", region="eu-south-1")
QUEUES = ("coordinator", "loader", "fetch.aws")


@pytest.fixture(scope="module")
def aws_server() -> Iterator[AwsServer]:
    """What AWS gives every new account: in each region a VPC with its subnets."""
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws(aws_server: AwsServer) -> Iterator[AwsServer]:
    aws_server.reset()
    yield aws_server
    aws_server.reset()


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Broker]:
    """A broker that no other test's fleet listens to."""
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def client(own_broker: embedded.Broker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_broker.url) as client:
        yield client


@pytest.fixture
def chartfleet(tmp_path: Path, aws: AwsServer, services: embedded.Services) -> Command:
    """With AWS keys, and the graph's password in its variable; no more."""
    variables = AWS_KEYS | {"AWS_ENDPOINT_URL": aws.url, NEO4J_PASSWORD: services.graph.password or ""}
    return Command(tmp_path, variables)


@pytest.fixture
def at_graph(services: embedded.Services) -> tuple[str, ...]:
    address = services.graph
    assert address.user
    return "--neo4j-uri", address.uri, "--neo4j-user", address.user, "--neo4j-password-env-var", NEO4J_PASSWORD


def assert_nothing_enqueued(client: redis.Redis) -> None:
    assert (runs(client), [queue for queue in QUEUES if client.exists(queue)]) == ([], [])
    assert list(client.scan_iter("chartfleet:ledger*")) == []


def text(stream: Any) -> str:
    return str(stream.read())


# -- refusals: one line, and nothing is touched


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["snyc"], 'no command "snyc"; did you mean "sync"? (see `chartfleet --help`)'),
        (["sync", "--no-such-flag"], 'no flag "--no-such-flag" (see `chartfleet sync --help`)'),
        (["--neo4j-url", "bolt://localhost"], 'no flag "--neo4j-url"; did you mean "--neo4j-uri"?'),
        (["--concurrency", "4", "status"], 'the command comes first: "chartfleet status ..."'),
        (["sync", "--selected-modules", "aws,azure"], "'azure' is not a provider; known: aws"),
        (["sync", "--aws-regions", "eu-west-1,mars-1"], "'mars-1' is not an AWS region"),
        (["sync", "--aws-requested-syncs", "ec2.moons"], "'ec2.moons' is not a resource type of aws; did you mean"),
        (["sync", "--update-tag", "soon"], "--update-tag: 'soon': is not a whole number"),
        (["sync", "--update-tag", "-5"], "must be from 0"),
        (
            ["sync", "--neo4j-uri", "http://localhost:7474"],
            "--neo4j-uri: 'http://localhost:7474': must begin with bolt://",
        ),
        (["sync", "--config", "nowhere.toml"], "nowhere.toml"),
        (["sync", "--analysis-job-directory", "nowhere"], "--analysis-job-directory"),
        (["sync", "--neo4j-user", "neo4j", "--neo4j-password-env-var", "NOT_SET"], "names a variable that isn't set"),
        (["sync", "--okta-org-id", "example"], "okta_org_id: 'example': needs okta_api_key_env_var: give the NAME"),
        (["sync", "--okta-api-key-env-var", "KEY"], "okta_api_key_env_var: 'KEY': needs okta_org_id"),
        (["worker", "--queues", "fetsh"], "--queues: 'fetsh': no such queue; did you mean \"fetch\"?"),
        (["beat"], "schedule: beat needs one"),
        (["services", "restart"], '"restart" is not one of start, stop, status, password; did you mean "start"?'),
        (["cancel"], "the following arguments are required: RUN"),
    ],
)
def test_a_wrong_flag_is_a_usage_error(
    chartfleet: Command,
    own_broker: embedded.Broker,
    client: redis.Redis,
    at_graph: tuple[str, ...],
    arguments: list[str],
    told: str,
) -> None:
    client.flushall()
    uri = at_graph[1]
    ended = chartfleet(*arguments, CHARTFLEET_BROKER_URL=own_broker.url, CHARTFLEET_NEO4J_URI=uri)
    assert (ended.code, ended.out) == (2, "")
    assert ended.error.startswith("chartfleet: ")
    assert told in ended.error
    assert_nothing_enqueued(client)


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("neo4j_uri = bolt://unquoted", "settings.toml': is not TOML"),
        ('neo4j_url = "bolt://localhost"', "settings.toml: neo4j_url: no setting has this name"),
        ("concurrency = 1000", "concurrency (settings.toml): 1000: must be from 0 to 256"),
        ('neo4j_uri = ["bolt://one", "bolt://two"]', "neo4j_uri (settings.toml)"),
    ],
)
def test_a_wrong_settings_file_is_a_usage_error(chartfleet: Command, toml: str, told: str) -> None:
    (chartfleet.cwd / "settings.toml").write_text(toml)
    ended = chartfleet("sync", "--config", "settings.toml")
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.error


@pytest.mark.parametrize("job", ["{", '{"name": "mine", "statements": [{"query": 7}]}'])
def test_a_broken_job_file_is_found_before_anything_runs(
    chartfleet: Command, own_broker: embedded.Broker, client: redis.Redis, at_graph: tuple[str, ...], job: str
) -> None:
    client.flushall()
    (chartfleet.cwd / "jobs").mkdir()
    (chartfleet.cwd / "jobs" / "mine.json").write_text(job)
    ended = chartfleet("sync", "--analysis-job-directory", "jobs", "--broker-url", own_broker.url, *at_graph)
    assert (ended.code, ended.out) == (2, "")
    assert "mine.json" in ended.error
    assert_nothing_enqueued(client)


def test_an_unreachable_graph(
    chartfleet: Command, own_broker: embedded.Broker, client: redis.Redis, at_graph: tuple[str, ...]
) -> None:
    client.flushall()
    ended = chartfleet("sync", "--broker-url", own_broker.url, *at_graph, "--neo4j-uri", "bolt://127.0.0.1:1")
    assert ended.code == 1
    assert "the graph bolt://127.0.0.1:1 isn't responding" in ended.error
    assert_nothing_enqueued(client)


@pytest.mark.parametrize("command", ["sync", "status", "runs", "worker"])
def test_an_unreachable_broker(chartfleet: Command, at_graph: tuple[str, ...], command: str) -> None:
    ended = chartfleet(command, "--broker-url", "redis://:secret@127.0.0.1:1/0", *at_graph)
    assert ended.code == 1
    assert "the broker redis://:***@127.0.0.1:1/0 isn't responding" in ended.error
    assert "secret" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["runs", "--data-dir", "/proc/nope"], "/proc/nope"),
        (["services", "status", "--data-dir", "/etc/hostname"], "/etc/hostname"),
        (["sync", "--neo4j-user", "neo4j", "--neo4j-password-prompt"], "no terminal to read the password from"),
    ],
)
def test_what_this_machine_lacks_is_one_line(chartfleet: Command, arguments: list[str], told: str) -> None:
    ended = chartfleet(*arguments)
    assert ended.code == 1
    assert told in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def test_a_loader_without_a_graph_is_a_usage_error(chartfleet: Command, own_broker: embedded.Broker) -> None:
    ended = chartfleet("worker", "--queues", "loader", "--broker-url", own_broker.url)
    assert ended.code == 2
    assert "a loader needs the graph" in ended.error


def test_an_endpoint_of_aws_that_is_no_url(chartfleet: Command, at_graph: tuple[str, ...]) -> None:
    ended = chartfleet("sync", *at_graph, "--data-dir", "data", AWS_ENDPOINT_URL="localhost:5000")
    assert ended.code == 1
    assert "AWS credentials or endpoint don't work: ValueError: Invalid endpoint: localhost:5000" in ended.error


def test_a_wrong_password_of_the_graph(
    chartfleet: Command, own_broker: embedded.Broker, client: redis.Redis, at_graph: tuple[str, ...]
) -> None:
    client.flushall()
    ended = chartfleet("sync", "--broker-url", own_broker.url, *at_graph, **{NEO4J_PASSWORD: "wrong-one"})
    assert ended.code == 1
    assert "refuses user neo4j" in ended.error
    assert "wrong-one" not in ended.err
    assert_nothing_enqueued(client)


def test_a_password_is_asked_for_and_wins_over_the_variable(
    chartfleet: Command, own_broker: embedded.Broker, at_graph: tuple[str, ...]
) -> None:
    flags = ("--broker-url", own_broker.url, *at_graph, "--neo4j-password-prompt")
    ended = chartfleet("sync", *flags, stdin="wrong-one\n")
    assert ended.code == 1
    assert "refuses user neo4j" in ended.err.splitlines()[-1]
    password = chartfleet.variables[NEO4J_PASSWORD]
    ended = chartfleet("sync", *flags, stdin=f"{password}\n", **{NEO4J_PASSWORD: ""})
    assert "no worker serves" in ended.err.splitlines()[-1]  # the graph accepted the password


def test_a_wrong_password_of_the_broker(
    chartfleet: Command, own_broker: embedded.Broker, at_graph: tuple[str, ...]
) -> None:
    address = f"redis://127.0.0.1:{own_broker.port}/0"
    variable = ("--broker-password-env-var", "BROKER_PASSWORD")
    ended = chartfleet("sync", "--broker-url", address, *variable, *at_graph, BROKER_PASSWORD="wrong-one")
    assert ended.code == 1
    assert "refuses the password" in ended.error
    assert "wrong-one" not in ended.err


def test_a_redis_that_evicts(
    chartfleet: Command, own_broker: embedded.Broker, client: redis.Redis, at_graph: tuple[str, ...]
) -> None:
    client.flushall()
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        ended = chartfleet("sync", "--broker-url", own_broker.url, *at_graph)
        worker = chartfleet("worker", "--broker-url", own_broker.url, *at_graph)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert (ended.code, worker.code) == (1, 1)
    assert "evicts keys (maxmemory-policy allkeys-lru)" in ended.error
    assert "set maxmemory-policy noeviction" in worker.error
    assert_nothing_enqueued(client)


def test_no_credentials_for_aws(chartfleet: Command, at_graph: tuple[str, ...], tmp_path: Path) -> None:
    without = Command(tmp_path, {n: v for n, v in chartfleet.variables.items() if not n.startswith("AWS_")})
    ended = without("sync", "--data-dir", "data", *at_graph)
    assert ended.code == 1
    first, second = ended.err.splitlines()
    assert first.startswith("chartfleet: no provider is configured. AWS: no AWS credentials: set AWS_PROFILE, or ")
    assert "`chartfleet config --providers`" in second
    assert max(len(first), len(second)) < 160
    assert not (tmp_path / "data").exists()
    listed = without("config", "--providers")
    assert listed.code == 0
    assert {line.partition(":")[0] for line in listed.out.splitlines()} == set(registry.providers())
    asked_for = without("sync", "--selected-modules", "okta", "--data-dir", "data", *at_graph)
    assert (asked_for.code, asked_for.error[:19]) == (1, "chartfleet: okta: o")


def test_credentials_that_aws_refuses(
    chartfleet: Command, at_graph: tuple[str, ...], aws: AwsServer, tmp_path: Path
) -> None:
    aws.add(Fault(Effect.DENY, service="sts", code="InvalidClientTokenId", status=403))
    ended = chartfleet("sync", "--data-dir", "data", *at_graph)
    assert ended.code == 1
    assert "AWS refuses the default credentials: InvalidClientTokenId" in ended.error
    assert AWS_KEYS["AWS_SECRET_ACCESS_KEY"] not in ended.err
    assert not (tmp_path / "data").exists()


def test_a_broker_without_workers(
    chartfleet: Command, own_broker: embedded.Broker, client: redis.Redis, at_graph: tuple[str, ...]
) -> None:
    client.flushall()
    ended = chartfleet("sync", "--broker-url", own_broker.url, *at_graph)
    assert ended.code == 1
    assert "no worker serves coordinator, loader, fetch.aws: start `chartfleet worker --queues" in ended.error
    assert_nothing_enqueued(client)


def test_a_broker_without_the_name_of_its_graph(chartfleet: Command, own_broker: embedded.Broker) -> None:
    ended = chartfleet("sync", "--broker-url", own_broker.url)
    assert ended.code == 2
    assert "neo4j_uri: with --broker-url, name the graph" in ended.error


# -- with a fleet that runs already


@pytest.fixture(scope="module")
def running(
    services: embedded.Services,
    own_broker: embedded.Broker,
    aws_server: AwsServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    with running_fleet(services.graph, own_broker.url, tmp_path_factory.mktemp("fleet"), aws_server.url) as fleet:
        yield fleet


@pytest.fixture
def fleet(running: Fleet, graph: Graph, aws: AwsServer) -> Iterator[Fleet]:
    """At rest, with an empty graph."""
    running.at_rest()
    yield running
    aws.reset()  # what a test paused goes on
    running.at_rest()


@pytest.fixture
def sync(chartfleet: Command, fleet: Fleet, at_graph: tuple[str, ...]) -> Callable[..., Ended]:
    """`chartfleet sync` on the fleet, of a few scopes."""

    def sync(*arguments: str) -> Ended:
        return chartfleet("sync", "--broker-url", str(fleet.settings.broker), *at_graph, *SMALL, *arguments)

    return sync


@pytest.fixture
def start_sync(chartfleet: Command, fleet: Fleet, at_graph: tuple[str, ...]) -> Callable[[], Any]:
    """The same, under way."""
    return lambda: chartfleet.start("sync", "--broker-url", str(fleet.settings.broker), *at_graph, *SMALL)


def test_the_report_as_json(sync: Callable[..., Ended], aws: AwsServer) -> None:
    aws.add(DENIED)
    ended = sync("--json")
    assert ended.code == 3
    report = ended.json  # nothing else is on stdout
    (line,) = report["not_seen"]
    assert (line["type"], line["region"], line["status"]) == ("aws.ec2.vpcs", "eu-south-1", "denied")
    assert line["reason"] == "UnauthorizedOperation ec2:DescribeVpcs"
    assert (report["state"], report["exit_code"]) == ("complete", 3)
    assert report["types"]["aws.ec2.subnets"] == {"complete": 2}
    assert f"Run {report['run']}" in ended.err  # the progress


def test_the_report_on_stdout(sync: Callable[..., Ended], aws: AwsServer) -> None:
    aws.add(DENIED)
    ended = sync("-q")
    assert (ended.code, ended.err) == (3, "")
    assert "1 of 6 scopes not seen" in ended.out
    assert "eu-south-1 of 123456789012" in ended.out
    assert "UnauthorizedOperation ec2:DescribeVpcs" in ended.out


def test_a_resumed_run_fetches_what_was_missing_and_is_analysed_again(
    sync: Callable[..., Ended], aws: AwsServer, graph: Graph
) -> None:
    aws.add(DENIED)
    first = sync("--json").json
    finished = "MATCH (r:SyncRun) RETURN r.finished_at AS at, r.jobs_done AS jobs"
    (before,) = graph.rows(finished)
    assert graph.rows("MATCH (v:AWSVpc {region: 'eu-south-1'}) RETURN v") == []
    aws.reset()

    resumed = sync("--json", "--resume", first["run"])

    assert (resumed.code, resumed.json["run"], resumed.json["not_seen"]) == (0, first["run"], [])
    ec2 = {name: count for name, count in aws.calls().counts.items() if name.startswith("ec2:")}
    assert ec2 == {"ec2:DescribeVpcs:eu-south-1": 1}
    assert len(graph.rows("MATCH (v:AWSVpc {region: 'eu-south-1'}) WHERE v.is_default RETURN v")) == 1
    (after,) = graph.rows(finished)
    assert after["at"] > before["at"]
    assert sorted(after["jobs"]) == sorted(before["jobs"]) != []


def test_resume_is_refused_once_a_later_run_has_started(sync: Callable[..., Ended], fleet: Fleet) -> None:
    first, second = sync("--json").json, sync("--json").json
    assert second["tag"] > first["tag"]
    refused = sync("--resume", first["run"])
    assert refused.code == 1
    assert f"a later run has started since (tag {second['tag']})" in refused.error
    assert runs(fleet.redis) == [second["run"], first["run"]]


def test_a_run_that_nobody_knows(sync: Callable[..., Ended], chartfleet: Command, fleet: Fleet) -> None:
    broker = ("--broker-url", str(fleet.settings.broker))
    for ended in (
        sync("--resume", "1-abcd"),
        chartfleet("status", "1-abcd", *broker),
        chartfleet("cancel", "1-abcd", *broker),
    ):
        assert ended.code == 1
        assert "1-abcd: there is no such run on this broker; `chartfleet runs` lists the runs" in ended.error
    ended = chartfleet("status", *broker)
    assert ended.code == 1
    assert "no runs yet" in ended.error


def test_tags_must_rise(sync: Callable[..., Ended], fleet: Fleet) -> None:
    first = sync("--json", "--update-tag", "1700000000").json
    assert first["tag"] == 1700000000
    for tag in ("1700000000", "1699999999"):
        refused = sync("--update-tag", tag)
        assert refused.code == 1
        assert f"--update-tag {tag}: must be above 1700000000" in refused.error
    assert runs(fleet.redis) == [first["run"]]


def test_the_second_sync_is_told_which_run_holds_the_graph(
    sync: Callable[..., Ended], start_sync: Callable[[], Any], fleet: Fleet, aws: AwsServer
) -> None:
    aws.add(PAUSED)
    first = start_sync()
    aws.wait_for(PAUSED, timeout_seconds=90)
    (run,) = runs(fleet.redis)
    second = sync()
    assert second.code == 1
    assert f"run {run} holds the graph" in second.error
    assert runs(fleet.redis) == [run]
    aws.reset()
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_status_while_a_run_is_under_way(
    sync: Callable[..., Ended], start_sync: Callable[[], Any], chartfleet: Command, fleet: Fleet, aws: AwsServer
) -> None:
    broker = ("--broker-url", str(fleet.settings.broker))
    earlier = sync("--json").json  # from whose durations the time to go is told
    aws.add(PAUSED)
    process = start_sync()
    aws.wait_for(PAUSED, timeout_seconds=90)
    run = runs(fleet.redis)[0]
    wait_for(lambda: (info := Ledger(fleet.redis, run).info()) and info.planned == 6 and info.open == 1)

    told = chartfleet("status", "--json", *broker).json
    assert (told["run"], told["state"]) == (run, "running")
    assert told["tenants"]["aws/123456789012"]["aws.ec2.vpcs"] == {"complete": 1, "fetching": 1}
    assert told["tenants"]["aws/123456789012"]["aws.ec2.subnets"] == {"complete": 2}
    assert told["eta_seconds"] > 0
    shown = chartfleet("status", *broker)
    assert f"Run {run}: running" in shown.out
    assert "aws.ec2.vpcs 1" in shown.out  # what is open
    assert "s to go" in shown.out

    aws.reset()
    process.communicate(timeout=60)
    listed = chartfleet("runs", *broker)
    newest, oldest = listed.out.splitlines()[1:]
    assert newest.split()[0] == run
    assert oldest.split()[0] == earlier["run"]
    assert "\tcomplete\t" in newest  # in a pipe: tabs, no padding
    of_earlier = chartfleet("status", earlier["run"], "--json", *broker).json
    assert (of_earlier["run"], of_earlier["state"], of_earlier["eta_seconds"]) == (earlier["run"], "complete", None)


def test_a_cancelled_run_deletes_nothing_and_gives_the_graph_back(
    sync: Callable[..., Ended],
    start_sync: Callable[[], Any],
    chartfleet: Command,
    fleet: Fleet,
    aws: AwsServer,
    graph: Graph,
    at_graph: tuple[str, ...],
) -> None:
    earlier = sync("--json").json["run"]
    graph.write(lambda tx: tx.run("MATCH (s:EC2Subnet) SET s.lastupdated = 1").consume())  # now all of them are stale
    before = graph.rows("MATCH (n) WHERE n._scope IS NOT NULL RETURN count(n) AS n")
    aws.add(PAUSED, Fault(Effect.PAUSE, service="ec2", action="DescribeSubnets"))
    process = start_sync()
    aws.wait_for(PAUSED, timeout_seconds=90)
    run = runs(fleet.redis)[0]

    ended = chartfleet("cancel", run, "--broker-url", str(fleet.settings.broker), *at_graph)

    assert (ended.code, ended.out) == (0, f"run {run}: cancelled; nothing more is loaded or deleted\n")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cancelled by `chartfleet cancel`" in out
    held = claimed_by(graph)
    assert held is not None
    assert held.run is None
    aws.reset()
    wait_for(lambda: not aws.calls().in_flight)
    assert graph.rows("MATCH (n) WHERE n._scope IS NOT NULL RETURN count(n) AS n") == before
    too_late = chartfleet("cancel", earlier, "--broker-url", str(fleet.settings.broker), *at_graph)
    assert too_late.code == 1
    assert f"run {earlier} is already complete" in too_late.error
    again = chartfleet("cancel", run, "--broker-url", str(fleet.settings.broker), *at_graph)
    assert (again.code, again.out) == (0, f"run {run}: was already cancelled (cancelled by `chartfleet cancel`)\n")
    assert sync().code == 0


def test_a_forgotten_tenant_is_gone_from_the_graph(
    sync: Callable[..., Ended], chartfleet: Command, graph: Graph, at_graph: tuple[str, ...]
) -> None:
    assert sync().code == 0
    assert graph.rows("MATCH (n:EC2Subnet) RETURN count(n) > 0 AS some") == [{"some": True}]
    nobody = chartfleet("forget", "999999999999", *at_graph)
    assert nobody.code == 1
    assert "no run ever planned a scope of this tenant" in nobody.error
    ended = chartfleet("forget", "123456789012", *at_graph)
    assert ended.code == 0, ended.err
    assert "of 5 scopes deleted" in ended.out
    assert graph.rows("MATCH (n) WHERE n._scope IS NOT NULL RETURN n") == []
    assert graph.rows("MATCH (s:SyncScope {tenant: '123456789012'}) RETURN s") == []


def test_ctrl_c_leaves_a_fleet_of_others_to_go_on(start_sync: Callable[[], Any], fleet: Fleet, aws: AwsServer) -> None:
    aws.add(PAUSED)
    process = start_sync()
    aws.wait_for(PAUSED, timeout_seconds=90)
    (run,) = runs(fleet.redis)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(f"Run {run}: ")  # it follows the run
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"The fleet continues with run {run}: `chartfleet status {run}`" in err
    aws.reset()
    wait_for(lambda: (info := Ledger(fleet.redis, run).info()) and info.state is RunState.COMPLETE)


@pytest.mark.parametrize(("keys", "state"), [("\n", RunState.RUNNING), (CTRL_C, RunState.CANCELLED)])
def test_ctrl_c_on_a_terminal_asks_and_a_second_one_cancels(
    chartfleet: Command,
    fleet: Fleet,
    aws: AwsServer,
    graph: Graph,
    at_graph: tuple[str, ...],
    keys: str,
    state: RunState,
) -> None:
    aws.add(PAUSED)
    with chartfleet.on_terminal("sync", "--broker-url", str(fleet.settings.broker), *at_graph, *SMALL) as terminal:
        aws.wait_for(PAUSED, timeout_seconds=90)
        (run,) = runs(fleet.redis)
        terminal.press(CTRL_C)
        terminal.wait_for(f"Run {run} isn't over: leave it to the fleet")
        terminal.press(keys)
        assert terminal.ended() == 130
    assert Ledger(fleet.redis, run).state() is state
    assert (f"The fleet continues with run {run}" in terminal.shown) == (state is RunState.RUNNING)
    claim = claimed_by(graph)
    assert claim
    assert claim.run == (run if state is RunState.RUNNING else None)


def test_sigterm_before_the_run_has_begun_leaves_no_claim_and_no_key(
    start_sync: Callable[[], Any], fleet: Fleet, graph: Graph
) -> None:
    """While it waits for the heartbeat of a run that held the graph."""
    indexes.ensure_lock(graph)
    claim(graph, run="earlier", tag=1, resume=False, lease_seconds=1)
    process = start_sync()
    wait_for(lambda: graph.rows("MATCH (g:SyncGraph) WHERE g.asked_by <> 'earlier' RETURN g"))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Run earlier holds the graph: waiting up to" in err
    held = claimed_by(graph)
    assert held
    assert held.run == "earlier"
    assert list(fleet.redis.scan_iter("chartfleet:ledger:*")) == []


def test_after_a_run_only_documented_keys_are_left(sync: Callable[..., Ended], fleet: Fleet) -> None:
    """Each belongs to a run that is kept, or has an end of its own, or is one of a few of Celery's."""
    assert sync().code == 0
    (run,) = runs(fleet.redis)
    wait_for(lambda: not fleet.redis.exists("unacked"))
    left = {key.decode(): fleet.redis.ttl(key) for key in fleet.redis.scan_iter()}
    endless = {key for key, seconds in left.items() if seconds == -1}
    celerys = {key for key in endless if key.startswith("_kombu.binding")}
    head = f"chartfleet:ledger:{run}"
    of_run = {key for key in endless if key.startswith(f"{head}:")}
    assert endless - celerys - of_run == {"chartfleet:runs", head}
    kinds = {key.removeprefix(f"{head}:").partition(":")[0] for key in of_run}
    assert kinds <= {"units", "unit", "providers", "access", "step_failures"}
    assert not [key for key in left if key.startswith("celery-task-meta-")]


def test_a_worker_without_credentials_is_named(
    sync: Callable[..., Ended], fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in AWS_KEYS:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with fleet.also("bare", ["fetch"]):
        ended = sync()
    assert ended.code == 1
    assert "worker bare@" in ended.error
    assert "no AWS credentials" in ended.error
    assert_nothing_enqueued(fleet.redis)


# -- services and fleet of its own


def test_the_command_of_2020_is_a_complete_sync(
    chartfleet: Command, graph: Graph, at_graph: tuple[str, ...], aws: AwsServer
) -> None:
    """No sub-command, no broker, and a job in the spelling of 2020."""
    (chartfleet.cwd / "jobs").mkdir()
    job = {
        "name": "mine",
        "statements": [
            {
                "query": "MATCH (v:AWSVpc) WHERE exists(v.id) AND v.lastupdated = {UPDATE_TAG} AND NOT exists(v.mine)"
                " WITH v LIMIT {LIMIT_SIZE} SET v.mine = {UPDATE_TAG} RETURN COUNT(*) as TotalCompleted",
                "iterative": True,
                "iterationsize": 1,
            }
        ],
    }
    (chartfleet.cwd / "jobs" / "mine.json").write_text(json.dumps(job))
    data = chartfleet.cwd / "data"
    ended = chartfleet(
        *at_graph, *SMALL, "--data-dir", "data", "--analysis-job-directory", "jobs", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    report = ended.json
    assert (report["failed_jobs"], report["not_seen"]) == ([], [])
    assert "analysis: mine" in report["seconds"]
    rows = graph.rows("MATCH (v:AWSVpc) RETURN v.region AS region, v.mine = v.lastupdated AS mine ORDER BY region")
    assert rows == [{"region": "eu-south-1", "mine": True}, {"region": "us-east-1", "mine": True}]
    assert left_behind(data) == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_ctrl_c_ends_the_run_and_every_process(
    chartfleet: Command, graph: Graph, at_graph: tuple[str, ...], aws: AwsServer, number: signal.Signals
) -> None:
    data = chartfleet.cwd / "data"
    aws.add(PAUSED)
    process = chartfleet.start(
        "sync", *at_graph, *SMALL, "--data-dir", "data", CHARTFLEET_SWEEP_SECONDS="0.5", CHARTFLEET_LEASE_SECONDS="3"
    )
    aws.wait_for(PAUSED, timeout_seconds=90)
    assert left_behind(data)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "chartfleet: interrupted"
    assert left_behind(data) == []
    held = claimed_by(graph)
    assert held is not None
    assert held.run is None

    told = chartfleet("status", "--json", "--data-dir", "data").json
    assert (told["state"], told["reason"]) == ("cancelled", "interrupted")


@pytest.mark.long
def test_an_own_estate_with_embedded_services(chartfleet: Command, aws: AwsServer) -> None:
    """Nothing but AWS keys: services and fleet are gone afterwards, while the data stay for the next run."""
    data = chartfleet.cwd / "data"
    only_vpcs = ("--aws-requested-syncs", "ec2.vpcs", "--aws-regions", REGIONS)
    aws.add(DENIED)
    first = chartfleet("sync", "--data-dir", "data", *only_vpcs)
    assert first.code == 3, first.err
    assert "Look at the graph: `chartfleet services start --data-dir data`, then http://127.0.0.1:" in first.out
    assert left_behind(data) == []
    aws.reset()
    second = chartfleet("sync", "--data-dir", "data", *only_vpcs, "--json")
    assert second.code == 0, second.err
    assert left_behind(data) == []

    newest, _ = chartfleet("runs", "--data-dir", "data").out.splitlines()[1:]
    assert newest.split()[0] == second.json["run"]


def test_services_start_status_and_stop(
    chartfleet: Command, fleet: Fleet, services: embedded.Services, tmp_path: Path
) -> None:
    started = chartfleet("services", "start", "--data-dir", "data")
    try:
        assert started.code == 0, started.err
        status = embedded.status(tmp_path / "data")
        assert (status.broker.running, status.graph.running) == (True, True)
        again = chartfleet("services", "status", "--data-dir", "data")
        assert str(status.graph.address) in again.out
        how = "password: `chartfleet services password --data-dir data`"
        assert f"Neo4j Browser: {status.browser_url} ({how})" in again.out
        password = status.graph.password_file.read_text().strip()
        assert password not in started.out + started.err + again.out
        assert chartfleet("services", "password", "--data-dir", "data").out == f"{password}\n"

        # The loader of a fleet that writes to another graph than this one is refused.
        refused = chartfleet(
            "sync", "--broker-url", str(fleet.settings.broker), "--neo4j-uri", str(status.graph.address),
            "--neo4j-user", "neo4j", "--neo4j-password-env-var", "PASSWORD", PASSWORD=password,
        )  # fmt: skip
        assert refused.code == 1
        assert "worker loader@" in refused.error
        assert "writes to a different graph" in refused.error
        assert_nothing_enqueued(fleet.redis)
    finally:
        stopped = chartfleet("services", "stop", "--data-dir", "data")
    assert stopped.code == 0
    assert stopped.out.count("stopped") == 2
    assert left_behind(tmp_path / "data") == []


def test_config_says_where_each_value_comes_from(chartfleet: Command) -> None:
    (chartfleet.cwd / "chartfleet.toml").write_text("concurrency = 3\nrun_lease_seconds = 45\n")
    ended = chartfleet(
        "config", "--admission-window", "7",
        CHARTFLEET_CONCURRENCY="5", CHARTFLEET_BROKER_URL="redis://me:hidden@redis.example:6380/1",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    lines = {name: rest for name, *rest in (line.split("\t") for line in ended.out.splitlines()[1:])}
    assert lines["admission_window"] == ["7", "--admission-window"]
    assert lines["concurrency"] == ["5", "CHARTFLEET_CONCURRENCY"]
    assert lines["run_lease_seconds"] == ["45", "chartfleet.toml"]
    assert lines["max_crashes"] == ["3", "default"]
    assert lines["broker_url"] == ["redis://me:***@redis.example:6380/1", "CHARTFLEET_BROKER_URL"]
    assert "hidden" not in ended.out + ended.err
    (line,) = [line for line in chartfleet("config", "-v").out.splitlines() if line.startswith("max_crashes\t")]
    assert line.endswith("\tdefault\tworker crashes per scope before it is quarantined")
