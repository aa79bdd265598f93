"""Declarations are found where they stand, and selected by the words that users know."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tasks.aws import rds
from tasks.engine import registry


def test_a_declaration_is_found_by_standing_in_a_module() -> None:
    assert registry.types()["aws.rds.instances"] is rds.INSTANCES
    assert rds.INSTANCES in registry.of("aws")


def test_a_folder_with_a_provider_is_one() -> None:
    assert registry.providers()["aws"].name == "aws"
    assert {type_.provider for type_ in registry.types().values()} <= set(registry.providers())


def test_all_declarations_agree() -> None:
    assert {"AWSAccount", "EC2Instance", "AWSPrincipal"} <= {model.label for model in registry.schema().identities}


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        (["aws.ec2.instances"], ["aws.ec2.instances"]),
        (["ec2.instances"], ["aws.ec2.instances"]),
        (["ec2:instance"], ["aws.ec2.instances"]),
        (["kms"], ["aws.kms.aliases", "aws.kms.keys"]),
        (["elastic_ip_addresses"], ["aws.ec2.elastic_ips"]),
        (["iaminstanceprofiles"], ["aws.iam.instance_profiles"]),
        (["route53", "route53.zones"], ["aws.route53.records", "aws.route53.zones"]),
    ],
)
def test_types_are_selected_by_name_by_family_or_by_the_words_of_2020(words: list[str], selected: list[str]) -> None:
    assert sorted(t.name for t in registry.requested("aws", words)) == selected


def test_no_word_selects_all() -> None:
    assert registry.requested("aws", []) == registry.of("aws")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ec3", "did you mean .*ec2"),
        ("ec2:instances", "did you mean ec2:instance"),
        ("permission_relationship", "did you mean permission_relationships"),
        ("cloudtrial", "did you mean cloudtrail"),
        ("xyzzy", "Families"),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest_names_and_the_families(word: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"'{word}' is not a resource type of aws; {meant}.*: .*account, .*, ec2, .*"):
        registry.requested("aws", [word])


FACTS = tomllib.loads((Path(__file__).parents[3] / "facts" / "requested_syncs.toml").read_text())
WORDS = dict.fromkeys((provider, word) for provider, of in FACTS.items() for words in of.values() for word in words)


@pytest.mark.parametrize(("provider", "word"), WORDS)
def test_each_word_that_scripts_pass_selects_types_or_gets_a_remark(provider: str, word: str) -> None:
    """It selects nothing else in the place of what isn't there."""
    selected, remarks = registry.requested(provider, [word]), list(registry.remarks(provider, [word]))
    assert bool(selected) != bool(remarks), f"{word}: {selected}, {remarks}"
    assert len(selected) < len(registry.of(provider))


def test_words_that_select_nothing_get_few_remarks() -> None:
    assert list(registry.remarks("aws", ["sqs", "iam", "permission_relationships", "sns"])) == [
        "sqs, sns: not fetched: Chartfleet has no resource type for it yet",
        "permission_relationships: permission relationships are computed after every run, from the whole graph",
    ]
    assert {t.name for t in registry.requested("aws", ["sqs", "kms", "sns"])} == {"aws.kms.aliases", "aws.kms.keys"}


TOY = Path(__file__).parents[3] / "toy_provider"


@pytest.mark.parametrize(("only_own", "found"), [("", True), ("registry.only_own(); ", False)])
def test_tests_and_pages_can_ignore_what_other_packages_register(only_own: str, found: bool) -> None:
    """Even after the providers were looked up."""
    code = f"from tasks.engine import registry; registry.types(); {only_own}print('toy' in registry.providers())"
    environment = {**os.environ, "PYTHONPATH": str(TOY)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == str(found)


def test_the_schema_needs_no_client_of_a_cloud() -> None:
    """The coordinator, the loader and every command have it: such a client takes tens of megabytes."""
    code = "import sys; from tasks.engine import registry; registry.schema(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    clients = {"googleapiclient", "google.auth", "httplib2", "botocore.session", "aiobotocore"}
    assert clients.isdisjoint(done.stdout.split())
