"""What the help of a command shows: the flags that it uses, in groups, with defaults and metavars."""

from __future__ import annotations

import re

import pytest

from workers.commands.parser import parse, parser_of
from workers.commands.table import COMMANDS, find
from workers.settings.settings import known


def help_of(command: str, *, show_all: bool = False) -> str:
    return parser_of(command, find(command), show_all=show_all).format_help()


def flags(text: str) -> set[str]:
    return set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE))


EVERY_COMMAND = {"--help", "--help-all", "--verbose", "--quiet", "--config"}
GRAPH = {"--neo4j-uri", "--neo4j-ca-file", "--neo4j-user", "--neo4j-password-env-var", "--neo4j-database"}


@pytest.mark.parametrize(
    ("command", "used"),
    [
        ("status", {"--broker-url", "--broker-password-env-var", "--broker-ca-file", *GRAPH, "--data-dir", "--json"}),
        ("runs", {"--broker-url", "--broker-password-env-var", "--broker-ca-file", "--data-dir"}),
        ("services", {"--data-dir"}),
        ("iam-policy", {"--aws-requested-syncs", "--aws-assume-role", "--account", "--format"}),
        ("schema", {"--provider", "--json"}),
    ],
)
def test_a_command_shows_the_flags_that_it_uses(command: str, used: set[str]) -> None:
    assert flags(help_of(command)) == EVERY_COMMAND | used


def test_sync_shows_all_but_the_tuning_flags() -> None:
    groups = {text.partition(":")[0]: flags(text) for text in help_of("sync").split("\n\n")}
    assert "--neo4j-uri" in groups["common"]
    assert "--aws-regions" in groups["AWS"]
    assert "--okta-org-id" in groups["other providers"]
    assert "tuning" not in groups
    everything = {text.partition(":")[0]: flags(text) for text in help_of("sync", show_all=True).split("\n\n")}
    assert "--lease-seconds" in everything["tuning"]
    assert set().union(*everything.values()) >= {setting.flag for setting in known().values()}


def test_a_flag_has_its_metavar_and_default() -> None:
    text = " ".join(help_of("sync", show_all=True).split())
    assert re.search(r"--lease-seconds SECONDS [^-]*\(default: 60\)", text)
    assert re.search(r"--backlog-bytes BYTES [^-]*\(default: 64000000\)", text)
    assert "--aws-regions REGION,..." in text
    assert "VALUE" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_accepts_every_setting(command: str) -> None:
    positional = {
        "cancel": ["1-ab"],
        "forget": ["1"],
        "services": ["status"],
        "health": ["beat"],
        "rejected": ["list"],
        "can": ["alice", "s3:GetObject", "arn:aws:s3:::logs/1"],
        "who-can": ["s3:GetObject", "arn:aws:s3:::logs/1"],
    }.get(command, [])
    for setting in known().values():
        for flag in setting.flags:
            _, args = parse([command, *positional, *([flag] if setting.is_switch else [flag, "x"])])
            assert getattr(args, setting.name) == ("true" if setting.is_switch else "x")


def test_without_a_command_it_is_sync() -> None:
    """As crontabs have had it since 2020."""
    for words in ([], ["--neo4j-uri", "bolt://localhost:7687"]):
        command, _ = parse(words)
        assert command is find("sync")


def test_the_doctor_shows_the_flags_of_the_providers_but_not_those_of_a_run() -> None:
    shown = flags(help_of("doctor"))
    assert {"--aws-regions", "--okta-org-id", "--selected-modules"} <= shown
    assert not shown & {"--schedule", "--update-tag", "--concurrency", "--analysis-job-directory"}
