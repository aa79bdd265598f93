"""The policies of a spoke and of the hub. tests/contract/test_calls.py checks that each action is needed."""

from __future__ import annotations

import json

import pytest

from tasks.aws.doctor.iam_policy import Policies, reading
from tasks.engine import registry

TYPES = registry.of("aws")


def test_a_spoke_may_read_the_selected_types_only() -> None:
    queues = registry.requested("aws", ["s3.account_public_access_block"])
    document = Policies(types=queues).document()
    actions = ["ec2:DescribeRegions", "s3:GetAccountPublicAccessBlock"]
    assert document["Statement"] == [{"Effect": "Allow", "Action": actions, "Resource": "*"}]


def test_every_allowed_action_only_reads() -> None:
    verbs = ("Describe", "Get", "List", "Batch", "Search")
    assert [action for action in reading(TYPES) if not action.split(":")[1].startswith(verbs)] == []


def test_the_hub_may_also_list_the_organization_and_assume_the_role() -> None:
    reads, assumes = Policies(types=TYPES, role="audit/Reader", hub=True).document("aws-cn")["Statement"]
    assert "organizations:ListAccounts" in reads["Action"]
    assert assumes["Action"] == ["sts:AssumeRole"]
    assert assumes["Resource"] == "arn:aws-cn:iam::*:role/audit/Reader"


def test_the_policy_for_all_types_fits_into_a_managed_policy() -> None:
    """At most 6,144 characters without white space; an inline policy of a role may have 10,240."""
    assert len(json.dumps(Policies(types=TYPES, hub=True).document("aws-us-gov"), separators=(",", ":"))) < 6_144


@pytest.mark.parametrize("hub", [True, False])
def test_every_format_has_the_same_statements(hub: bool) -> None:
    policies = Policies(types=TYPES, hub=hub)
    terraform = policies.terraform()["data"]["aws_iam_policy_document"]["read"]["statement"]
    assert [one["actions"] for one in terraform] == [one["Action"] for one in policies.document()["Statement"]]
    [resource] = policies.cloudformation()["Resources"].values()
    properties = resource["Properties"]
    inside = properties["PolicyDocument"] if hub else properties["Policies"][0]["PolicyDocument"]
    assert [one["Action"] for one in inside["Statement"]] == [one["Action"] for one in policies.document()["Statement"]]


def test_terraform_refers_to_declared_variables_only() -> None:
    spoke = Policies(types=TYPES, role="audit/Reader").terraform()
    text = json.dumps(spoke)
    assert {f"var.{name}" for name in spoke["variable"]} == {"var.hub_principal", "var.external_id"}
    assert all(f"${{var.{name}}}" in text for name in spoke["variable"])
    assert spoke["variable"]["external_id"]["sensitive"] is True
    role = spoke["resource"]["aws_iam_role"]["chartfleet"]
    assert (role["name"], role["path"]) == ("Reader", "/audit/")
