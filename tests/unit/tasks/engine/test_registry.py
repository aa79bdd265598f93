"""Declarations are found where they stand, and selected by the words that users know."""

from __future__ import annotations

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
        ("xyzzy", "known"),
    ],
)
def test_an_unknown_word_says_what_is_known(word: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"'{word}' is no resource type of aws; {meant}.*: account, .*ec2\.instances"):
        registry.requested("aws", [word])


FACTS = tomllib.loads((Path(__file__).parents[3] / "facts" / "requested_syncs.toml").read_text())
WORDS = dict.fromkeys((provider, word) for provider, of in FACTS.items() for words in of.values() for word in words)


@pytest.mark.parametrize(("provider", "word"), WORDS)
def test_each_word_that_scripts_pass_selects_types_or_is_answered(provider: str, word: str) -> None:
    """It selects nothing else in the place of what isn't there."""
    selected, told = registry.requested(provider, [word]), list(registry.remarks(provider, [word]))
    assert bool(selected) != bool(told), f"{word}: {selected}, {told}"
    assert len(selected) < len(registry.of(provider))


def test_words_that_select_nothing_are_answered_in_few_lines() -> None:
    assert list(registry.remarks("aws", ["sqs", "iam", "permission_relationships", "sns"])) == [
        "sqs, sns: not fetched: Chartfleet has no resource type for it yet",
        "permission_relationships: permission relationships are computed after every run, from the whole graph",
    ]
    assert {t.name for t in registry.requested("aws", ["sqs", "kms", "sns"])} == {"aws.kms.aliases", "aws.kms.keys"}
