"""What users of 2020 have (a command line, profiles, variables, a directory of jobs) gives the same by changing the
command's name: the lines of tests/facts/config_2020.toml, one by one, and a run with all of them together.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest

from loaders.graph import Graph
from tests.fleet.command import CHARTFLEET, Command, Ended, clean_environment
from tests.servers.aws import AwsServer
from workers import embedded
from workers.settings.legacy_flags import LEGACY_FLAGS

ROOT = Path(__file__).parents[2]
FACTS: dict[str, list[dict[str, Any]]] = tomllib.loads((ROOT / "tests/facts/config_2020.toml").read_text())
COMPATIBILITY = " ".join((ROOT / "docs/compatibility.md").read_text().split())
ACCOUNT, OTHER = "123456789012", "111122223333"

# As people wrote them for Neo4j 3.5: {PARAMETER}, EXISTS of a property, an old index, an iterative statement.
OLD_JOB = {
    "name": "review",
    "statements": [
        {"query": "CREATE INDEX ON :Reviewed(id)", "iterative": False},
        {
            "query": "MATCH (v:AWSVpc) WHERE EXISTS(v.region) AND v.lastupdated = {UPDATE_TAG}"
            " AND NOT EXISTS(v.reviewed) WITH v LIMIT {LIMIT_SIZE} SET v.reviewed = true"
            " RETURN COUNT(*) as TotalCompleted",
            "iterative": True,
            "iterationsize": 2,
        },
    ],
}


@pytest.mark.parametrize("flag", FACTS["flag"], ids=lambda flag: flag["name"])
def test_each_flag_is_told_and_taken_as_its_line_says(flag: dict[str, Any]) -> None:
    former = {former.name for former in LEGACY_FLAGS}
    assert (flag["name"] in former) == (flag["here"] == "accepted")
    assert flag["name"] in COMPATIBILITY


def test_all_flags_of_2020_in_one_command_line() -> None:
    flags = [part for flag in FACTS["flag"] for part in (flag["name"], flag.get("value")) if part]
    # --help ends before anything runs, but after what stands before it was parsed.
    ended = subprocess.run(
        [CHARTFLEET, *flags, "--help"], capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("behaviour", FACTS["behaviour"], ids=lambda behaviour: behaviour["fact"][:60])
def test_each_behaviour_that_differs_is_told(behaviour: dict[str, str]) -> None:
    if behaviour["here"] in ("changed", "absent"):
        assert behaviour["told"] in COMPATIBILITY


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        for account in (ACCOUNT, OTHER):
            keys: dict[str, Any] = {"aws_access_key_id": account, "aws_secret_access_key": "x"}
            boto3.client("s3", "us-east-1", endpoint_url=server.url, **keys).create_bucket(Bucket=f"of-{account}")
        yield server


@pytest.fixture
def command(tmp_path: Path, aws: AwsServer, services: embedded.Services) -> Command:
    """The environment of 2020: AWS's variables, and a password in one that a flag names."""
    (tmp_path / "aws-config").write_text(
        f"""
[default]
region = us-east-1

[profile tools]
region = us-east-1
aws_access_key_id = {ACCOUNT}
aws_secret_access_key = x

[profile shop]
region = us-east-1
role_arn = arn:aws:iam::{OTHER}:role/Reader
source_profile = tools
"""
    )
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "review.json").write_text(json.dumps(OLD_JOB))
    return Command(
        tmp_path,
        {
            "AWS_CONFIG_FILE": str(tmp_path / "aws-config"),
            "AWS_ENDPOINT_URL": aws.url,
            "NEO4J_PASSWORD": services.graph.password or "",
        },
    )


def at(services: embedded.Services) -> list[str]:
    address = services.graph
    assert address.user
    return ["--neo4j-uri", address.uri, "--neo4j-user", address.user, "--neo4j-password-env-var", "NEO4J_PASSWORD"]


def run(command: Command, *arguments: str, **variables: str) -> Ended:
    # What the flags mean doesn't depend on how many regions and types there are.
    few = {
        "CHARTFLEET_AWS_REGIONS": "us-east-1,eu-west-1",
        "CHARTFLEET_AWS_REQUESTED_SYNCS": "account,ec2.vpcs,s3",
        "CHARTFLEET_CONCURRENCY": "1",
    }
    return command(*arguments, **few | variables)


def accounts(graph: Graph) -> dict[str, str]:
    return {row["id"]: row["name"] for row in graph.rows("MATCH (a:AWSAccount) RETURN a.id AS id, a.name AS name")}


def test_all_profiles_and_a_directory_of_jobs(command: Command, services: embedded.Services, graph: Graph) -> None:
    accepted = [part for f in FACTS["flag"] if f["here"] == "accepted" for part in (f["name"], f.get("value")) if part]
    ended = run(command, *at(services), "--aws-sync-all-profiles", "--analysis-job-directory", "jobs", *accepted)
    assert ended.code == 0, ended.err
    assert accounts(graph) == {ACCOUNT: "tools", OTHER: "shop"}
    vpcs = graph.rows("MATCH (v:AWSVpc) RETURN count(v) AS all, count(v.reviewed) AS reviewed")
    assert vpcs == [{"all": 4, "reviewed": 4}]
    buckets = graph.rows("MATCH (a:AWSAccount)-[:RESOURCE]->(b:S3Bucket) RETURN a.name AS account, b.id AS bucket")
    assert {row["account"]: row["bucket"] for row in buckets} == {"tools": f"of-{ACCOUNT}", "shop": f"of-{OTHER}"}
    for former in LEGACY_FLAGS:
        if former.name in accepted:
            assert f"{former.name}: accepted, without effect" in ended.err


def test_one_profile_by_its_variable(command: Command, services: embedded.Services, graph: Graph) -> None:
    ended = run(command, *at(services), "-q", AWS_PROFILE="shop", CHARTFLEET_AWS_REQUESTED_SYNCS="account")
    assert ended.code == 0, ended.err
    assert accounts(graph) == {OTHER: "shop"}


def test_keys_in_the_environment(command: Command, services: embedded.Services, graph: Graph) -> None:
    keys: dict[str, Any] = {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "x",
        "CHARTFLEET_AWS_REQUESTED_SYNCS": "account",
    }
    ended = run(command, *at(services), "-v", **keys)
    assert ended.code == 0, ended.err
    assert accounts(graph) == {ACCOUNT: "default"}


def test_who_signs_in_without_an_address_means_the_server_of_this_machine(command: Command) -> None:
    shown = command("config", "--neo4j-user", "neo4j", "--neo4j-password-env-var", "NEO4J_PASSWORD")
    assert "bolt://localhost:7687" in shown.out


def test_as_a_module(command: Command) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "workers", "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=clean_environment(),
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, f"chartfleet {version('chartfleet')}")
