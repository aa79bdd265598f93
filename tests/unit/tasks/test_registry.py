"""Declarations are found where they stand, and selected by the words that users know."""

from __future__ import annotations

import pytest

from tasks import registry
from tasks.aws import rds


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
        (["route53", "route53.zones"], ["aws.route53.records", "aws.route53.zones"]),
    ],
)
def test_types_are_selected_by_name_by_family_or_by_the_words_of_2020(words: list[str], selected: list[str]) -> None:
    assert sorted(t.name for t in registry.requested("aws", words)) == selected


def test_no_word_selects_all() -> None:
    assert registry.requested("aws", []) == registry.of("aws")


def test_an_unknown_word_says_what_is_known() -> None:
    with pytest.raises(ValueError, match=r"'ec3' is no resource type of aws; known: account, .*ec2\.instances"):
        registry.requested("aws", ["ec3"])
