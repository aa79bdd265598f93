"""Twenty accounts in five regions, three in trouble: all else is complete, and a resumed run fetches the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from loaders.graph import Graph
from loaders.scope import GLOBAL
from tasks.engine import registry
from tasks.resource import Per
from tests.fleet.command import Command
from tests.fleet.running import graph_variables
from tests.servers.aws import AwsServer, Effect, Fault
from workers import embedded

HUB = "123456789012"
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2")
TYPES = {"aws.account", "aws.ec2.vpcs", "aws.ec2.security_groups", "aws.ec2.instances", "aws.iam.users"}
SYNC = ("--aws-assume-role", "Reader", "--aws-regions", ",".join(REGIONS), "--aws-requested-syncs", ",".join(TYPES))
SECONDS = 280  # more than twice what it takes


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def accounts(aws: AwsServer) -> list[str]:
    """The hub first. Each has what AWS gives a new account, a user, and an instance open to anybody."""
    organizations = client(aws, "organizations", HUB)
    organizations.create_organization(FeatureSet="ALL")
    found = [HUB]
    for number in range(19):
        made = organizations.create_account(AccountName=f"account-{number}", Email=f"{number}@example.com")
        found.append(made["CreateAccountStatus"]["AccountId"])
    for account in found:
        client(aws, "iam", account).create_user(UserName="auditor")
        ec2 = client(aws, "ec2", account)
        group = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everything])
        ec2.run_instances(ImageId="ami-0abcdef1234567890", MinCount=1, MaxCount=1)
    return found


def client(aws: AwsServer, service: str, account: str) -> Any:
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "x"}
    return boto3.client(service, "us-east-1", endpoint_url=aws.url, **keys)  # type: ignore[call-overload]


def scopes_of(account: str, *regions: str) -> set[tuple[str, str, str]]:
    """(type, tenant, region) of what is planned for an account in these regions; GLOBAL: what has none."""
    per = {name: registry.types()[name].per for name in TYPES}
    return {
        (name, account, region)
        for name in TYPES
        for region in regions
        if (per[name] is Per.TENANT) == (region == GLOBAL)
    }


def coverage(graph: Graph) -> dict[tuple[str, str, str], str]:
    rows = graph.rows(
        "MATCH (s:SyncScope) RETURN s.type AS type, s.tenant AS tenant, s.region AS region, s.status AS is"
    )
    return {(row["type"], row["tenant"], row["region"]): row["is"] for row in rows}


def sync(chartfleet: Command, *arguments: str) -> tuple[int, Any]:
    process = chartfleet.start("sync", "--json", *arguments)
    out, err = process.communicate(timeout=SECONDS)
    assert out, err
    return process.returncode, json.loads(out)


def command(aws: AwsServer, services: embedded.Services, directory: Path) -> Command:
    """`chartfleet` with the hub's keys, a graph that is given, and a broker of its own."""
    keys = {"AWS_ACCESS_KEY_ID": HUB, "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": aws.url}
    given = {"CHARTFLEET_DATA_DIR": str(directory / "data")}
    return Command(directory, keys | graph_variables(services.graph) | given)


@pytest.mark.long
@pytest.mark.timeout(3 * SECONDS)
def test_what_is_in_trouble_is_told_exactly_and_a_resumed_run_fetches_just_that(
    aws: AwsServer, accounts: list[str], graph: Graph, services: embedded.Services, tmp_path: Path
) -> None:
    chartfleet = command(aws, services, tmp_path)
    embedded.start(tmp_path / "data", graph=False, say=print)  # so that a second command finds the run
    try:
        bad, denied, throttled = accounts[5], accounts[10], accounts[15]
        aws.add(Fault(Effect.DENY, service="sts", action="AssumeRole", param=f"::{bad}:"))
        aws.add(Fault(Effect.DENY, service="ec2", account=denied, region="eu-central-1"))
        aws.add(Fault(Effect.THROTTLE, service="ec2", account=throttled, times=25))

        code, report = sync(chartfleet, *SYNC)
        not_seen = {(line["type"], line["tenant"], line["region"]): line["reason"] for line in report["not_seen"]}
        lost = {("aws.regions", bad, GLOBAL)}
        refused = {scope for scope in scopes_of(denied, "eu-central-1") if scope[0].startswith("aws.ec2.")}
        assert code == 3
        assert set(not_seen) == lost | refused
        assert not_seen["aws.regions", bad, GLOBAL].startswith("AccessDenied sts:AssumeRole")
        assert not_seen["aws.ec2.vpcs", denied, "eu-central-1"] == "UnauthorizedOperation ec2:DescribeVpcs"

        whole = set().union(*(scopes_of(account, GLOBAL, *REGIONS) for account in accounts if account != bad))
        told = coverage(graph)
        assert {
            scope for scope, status in told.items() if status == "complete" and scope[0] in TYPES
        } == whole - refused
        assert {scope for scope, status in told.items() if status == "denied"} == lost | refused
        assert open_instances(graph) == len(accounts) - 1
        (finding,) = (found for found in report["findings"] if found["job"] == "aws_ec2_asset_exposure")
        assert (finding["count"], len(finding["not_seen"])) == (len(accounts) - 1, 1 + 2)

        aws.reset()
        code, report = sync(chartfleet, *SYNC, "--resume", report["run"])
        assert (code, report["not_seen"]) == (0, [])
        calls = {(c.account, c.region, c.service) for c in aws.calls(recent=20_000).recent}
        fetched = {(account, region) for account, region, service in calls if service not in ("sts", "organizations")}
        assert {account for account, _ in fetched} <= {bad, denied}, "what was seen isn't fetched again"
        assert {region for account, region in fetched if account == denied} <= {"eu-central-1"}
        assert set(coverage(graph).values()) == {"complete"}
        assert open_instances(graph) == len(accounts), "the analysis has run again"
    finally:
        embedded.stop(tmp_path / "data")


@pytest.mark.timeout(SECONDS)
def test_a_profile_that_is_mended_is_fetched_by_the_resumed_run(
    aws: AwsServer, graph: Graph, services: embedded.Services, tmp_path: Path
) -> None:
    """Not even its account was known: it isn't a tenant of the run before that."""
    aws.reset()
    here, there = "111122223333", "444455556666"
    for account in (here, there):
        client(aws, "iam", account).create_user(UserName="auditor")
    chartfleet = command(aws, services, tmp_path)
    config = tmp_path / "aws-config"
    text = "[profile one]\naws_access_key_id = {}\naws_secret_access_key = x\n[profile two]\n{}\n"
    few = ("--aws-sync-all-profiles", "--aws-requested-syncs", "account,iam.users")
    chartfleet = Command(tmp_path, {**chartfleet.variables, "AWS_CONFIG_FILE": str(config)})
    embedded.start(tmp_path / "data", graph=False, say=print)
    try:
        config.write_text(text.format(here, "region = us-east-1"))
        code, report = sync(chartfleet, *few)
        (line,) = report["not_seen"]
        assert (code, line["type"], line["status"]) == (3, "aws.tenants", "denied")
        assert line["reason"].startswith("profile two: NoCredentialsError")
        config.write_text(text.format(here, f"aws_access_key_id = {there}\naws_secret_access_key = x"))
        code, report = sync(chartfleet, *few, "--resume", report["run"])
        assert (code, report["not_seen"]) == (0, [])
        known = graph.rows(
            "MATCH (a:AWSAccount)-[:RESOURCE]->(u:AWSUser) RETURN a.id AS id, u.name AS user ORDER BY id"
        )
        assert [row["id"] for row in known] == [here, there]
    finally:
        embedded.stop(tmp_path / "data")


def open_instances(graph: Graph) -> int:
    return int(graph.rows("MATCH (i:EC2Instance {exposed_internet: true}) RETURN count(i) AS n")[0]["n"])
