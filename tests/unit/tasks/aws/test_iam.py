"""Nodes from IAM responses: ids, statements, group memberships."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.engine import registry
from tasks.engine.rows import rows_of
from tasks.failures import InvalidRecord

ACCOUNT = "111122223333"
OWN, OF_AWS = f"arn:aws:iam::{ACCOUNT}:policy/team/logs", "arn:aws:iam::aws:policy/ReadOnlyAccess"
ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def rows(type_name: str, item: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(label, row) of each row that an item becomes."""
    scope = Scope(type=type_name, tenant=ACCOUNT)
    return [(model.label, dict(row)) for model, row in rows_of(registry.types()[type_name], Source(item, scope))]


def properties(label: str, item: dict[str, Any]) -> list[dict[str, Any]]:
    return [row["p"] for found, row in rows("aws.iam.policies", item) if found == label]


def managed(arn: str, *statements: Any, **fields: Any) -> dict[str, Any]:
    version = {"VersionId": "v2", "IsDefaultVersion": True, "Document": {"Statement": list(statements)}}
    old = {"VersionId": "v1", "IsDefaultVersion": False, "Document": {"Statement": [ALLOW | {"Sid": "Old"}]}}
    return {"Arn": arn, "PolicyName": arn.rpartition("/")[2], "PolicyVersionList": [old, version], **fields}


def user(**fields: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    details = {"Arn": arn, "UserName": "alice", "UserId": "AIDA1", "Path": "/", "CreateDate": "2024-01-01"}
    return details | {"ListUsers": {}, "ListGroups": {}, "GetLoginProfile": {}} | fields


def names(*statements: dict[str, Any]) -> list[str]:
    found = properties("AWSPolicyStatement", managed(OWN, *statements))
    return [str(statement["id"]).removeprefix(f"{OWN}/statement/") for statement in found]


# --- policies ---


def test_a_policy_of_the_account_is_identified_by_its_arn() -> None:
    assert properties("AWSManagedPolicy", managed(OWN)) == [
        {"id": OWN, "arn": OWN, "name": "logs", "type": "managed", "language_version": "2008-10-17"},
    ]


def test_an_aws_managed_policy_is_a_node_per_account_that_uses_it() -> None:
    [found] = properties("AWSManagedPolicy", managed(OF_AWS, AttachmentCount=1))
    assert (found["id"], found["arn"]) == (f"{ACCOUNT}/{OF_AWS}", OF_AWS)
    assert properties("AWSManagedPolicy", managed(OF_AWS, AttachmentCount=0, PermissionsBoundaryUsageCount=2))
    assert not rows("aws.iam.policies", managed(OF_AWS, ALLOW, AttachmentCount=0, PermissionsBoundaryUsageCount=0))


def test_an_inline_policy_is_identified_by_its_principal() -> None:
    item = user(UserPolicyList=[{"PolicyName": "own", "PolicyDocument": {"Statement": ALLOW}}])
    [policy] = properties("AWSInlinePolicy", item)
    assert policy == {
        "id": f"{item['Arn']}/inline_policy/own",
        "name": "own",
        "type": "inline",
        "language_version": "2008-10-17",
    }
    [statement] = properties("AWSPolicyStatement", item)
    assert statement["id"] == f"{item['Arn']}/inline_policy/own/statement/1"


def test_a_principal_has_its_policies_but_not_its_boundary() -> None:
    item = user(
        AttachedManagedPolicies=[{"PolicyArn": OWN}, {"PolicyArn": OF_AWS}],
        UserPolicyList=[{"PolicyName": "own", "PolicyDocument": {"Statement": ALLOW}}],
        PermissionsBoundary={"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/limit"},
    )
    [(_, row)] = rows("aws.iam.users", item)
    account, memberships, policies, _ = row["r"]
    assert (account, memberships) == ([ACCOUNT], [])
    assert policies == [OWN, f"{ACCOUNT}/{OF_AWS}", f"{item['Arn']}/inline_policy/own"]
    assert row["p"]["permissions_boundary_arn"] == f"arn:aws:iam::{ACCOUNT}:policy/limit"


# --- statements ---


def test_only_the_default_version_counts() -> None:
    assert names(ALLOW | {"Sid": "New"}) == ["New"]


def test_a_statement_is_identified_by_its_sid_or_else_by_a_number() -> None:
    assert names(ALLOW, ALLOW | {"Sid": "Read"}, ALLOW) == ["1", "Read", "2"]


def test_statements_of_a_policy_have_different_ids() -> None:
    """Even if a Sid is a number, repeated, or empty."""
    assert names(ALLOW, ALLOW | {"Sid": "1"}) == ["2", "1"]
    assert names(ALLOW | {"Sid": "A"}, ALLOW | {"Sid": "A"}, ALLOW | {"Sid": ""}) == ["A", "1", "2"]


def test_a_single_value_becomes_a_list_and_an_absent_one_stays_absent() -> None:
    statement = {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}
    [found] = properties("AWSPolicyStatement", managed(OWN, statement))
    assert found == {
        "id": f"{OWN}/statement/1",
        "sid": None,
        "effect": "Deny",
        "action": None,
        "notaction": ["iam:*", "sts:*"],
        "resource": ["*"],
        "notresource": None,
        "condition": None,
    }


def test_a_condition_is_json() -> None:
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    [found] = properties("AWSPolicyStatement", managed(OWN, ALLOW | {"Condition": condition}))
    assert found["condition"] == '[{"Bool": {"aws:MultiFactorAuthPresent": "true"}}]'


@pytest.mark.parametrize("document", ["{not JSON", {"Version": "2012-10-17"}, {"Statement": ["Allow"]}, None])
def test_an_item_with_an_invalid_document_is_rejected(document: Any) -> None:
    item = user(UserPolicyList=[{"PolicyName": "own", "PolicyDocument": document}])
    with pytest.raises(InvalidRecord, match="all_statements: ValueError: "):
        rows("aws.iam.policies", item)


def test_a_policy_without_its_default_version_is_rejected() -> None:
    with pytest.raises(InvalidRecord, match="all_statements"):
        rows("aws.iam.policies", managed(OWN) | {"PolicyVersionList": []})


def test_the_reason_contains_nothing_of_the_document() -> None:
    with pytest.raises(InvalidRecord) as caught:
        rows("aws.iam.policies", user(UserPolicyList=[{"PolicyName": "own", "PolicyDocument": "hunter2"}]))
    assert "hunter2" not in str(caught.value)


# --- users ---


def test_groups_are_found_by_name_regardless_of_path() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:group/people/staff"
    [(_, row)] = rows("aws.iam.users", user(GroupList=["staff"], ListGroups={"staff": {"Arn": arn}}))
    assert row["r"][1] == [arn]


def test_a_group_missing_from_the_list_makes_memberships_unknown() -> None:
    with pytest.raises(InvalidRecord, match="group_arns: KeyError: 'new'"):
        rows("aws.iam.users", user(GroupList=["new"]))


def test_a_user_missing_from_the_list_has_not_used_a_password() -> None:
    [(_, row)] = rows("aws.iam.users", user())
    assert row["p"]["passwordlastused"] is None
    [(_, row)] = rows("aws.iam.users", user(ListUsers={"AIDA1": {"PasswordLastUsed": "2024-05-01"}}))
    assert row["p"]["passwordlastused"] == "2024-05-01"
