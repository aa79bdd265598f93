"""Rule files of permission relationships: the default rules, a custom file, and the messages for invalid ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.iam import permissions, service_authorization
from analysis.iam.action_parts import asked_about
from analysis.iam.permission_rules import Rule, RuleFileError, kind, targets
from tasks.engine import registry
from workers.fleet.permissions import of_run, rules

BUCKETS = "{target_label: S3Bucket, permissions: [s3:DeleteObject], relationship_name: CAN_DELETE}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def problem(file: Path, text: str) -> str:
    """The message about the file, without its name."""
    file.write_text(text)
    with pytest.raises(RuleFileError) as raised:
        rules(file)
    message = str(raised.value)
    assert message.startswith(f"{file}: ")
    return message.removeprefix(f"{file}: ")


def test_the_default_rules_hold() -> None:
    assert permissions.job(rules(None), registry.schema()) == permissions.JOB
    assert {rule.relationship_name: len(rule.permissions) for rule in rules(None)} == {
        "CAN_READ": 2,
        "CAN_WRITE": 1,
        "CAN_QUERY": 8,
        "CAN_ADMINISTER": 4,
    }


def test_each_action_of_the_default_rules_is_one_that_works_on_such_a_resource() -> None:
    """AWS's reference ages, and so may they: `make service-authorization` renews it."""
    models = targets(registry.schema())
    for rule in rules(None):
        for permission in rule.permissions:
            [action] = service_authorization.actions(permission)
            assert asked_about(action, kind(models[rule.target_label])), permission


def test_what_kind_of_arn_a_label_has_is_known() -> None:
    """But of a version of a secret, for which AWS has no ARN, and of what no tags are read."""
    without = {model.label for model in targets(registry.schema()).values() if not kind(model)}
    assert without == {
        "CloudFrontVpcOrigin",
        "CustomRoutingAccelerator",
        "EC2ManagedPrefixList",
        "GlobalAccelerator",
        "SecretsManagerSecretVersion",
    }


@pytest.mark.parametrize(
    ("label", "permission", "message"),
    [
        ("S3Bucket", "s3:GetObjet", 'permissions has "s3:GetObjet"; AWS\'s reference of 20'),
        ("S3Bucket", "s3:GetObjet", "has no such action; correct it, for example to s3:GetObject"),
        ("S3Bucket", "s4:Get*", 'nor a service "s4"; correct it'),
        (
            "S3Bucket",
            "s3:ListAllMyBuckets",
            "works on no resource of its own, not on S3Bucket; give another",
        ),
        (
            "S3Bucket",
            "kms:Decrypt",
            "it works on arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}, not on S3Bucket",
        ),
        ("S3Bucket", "kms:Decrypt", "give KMSKey as target_label, or another action"),
        ("RedshiftCluster", "redshift:ExecuteQuery", "give another action"),
        ("SecretsManagerSecretVersion", "secretsmanager:GetSecretValue", "give SecretsManagerSecret as target_label"),
    ],
)
def test_a_permission_that_nobody_can_have_for_it_is_refused(
    file: Path, label: str, permission: str, message: str
) -> None:
    entry = f"{{target_label: {label}, permissions: ['{permission}'], relationship_name: CAN_USE}}"
    found = problem(file, f"- {entry}")
    assert found.startswith("entry 1: permissions has ")
    assert message in found


def test_a_permission_with_wildcards_needs_one_action_that_works_on_it(file: Path) -> None:
    file.write_text("- {target_label: S3Bucket, permissions: ['s3:List*'], relationship_name: CAN_LIST}")
    assert rules(file)
    assert "not on S3Bucket" in problem(file, file.read_text().replace("s3:List*", "s3:*Job"))


def test_a_file_stands_in_the_place_of_the_default_rules(file: Path) -> None:
    file.write_text(f"- {BUCKETS}")
    expected = [Rule(target_label="S3Bucket", permissions=("s3:DeleteObject",), relationship_name="CAN_DELETE")]
    assert rules(file) == expected
    file.write_text("[]")
    assert rules(file) == []


def test_either_spelling_of_a_label_is_taken(file: Path) -> None:
    file.write_text(f"- {BUCKETS.replace('S3Bucket', 'AWSS3Bucket')}")
    assert [rule.target_label for rule in rules(file)] == ["AWSS3Bucket"]


def test_the_job_reads_what_the_rules_lead_to(file: Path) -> None:
    file.write_text("- {target_label: KMSKey, permissions: [kms:Decrypt], relationship_name: CAN_DECRYPT}")
    job = permissions.job(rules(file), registry.schema())
    assert "aws.s3.buckets" not in job.reads
    assert "aws.kms.keys" in job.reads
    assert job.writes_relationships == (("AWSPrincipal", "CAN_DECRYPT", "KMSKey"),)


def test_the_runs_record_has_all_that_the_analysis_needs(file: Path) -> None:
    file.write_text(f"- {BUCKETS}")
    assert of_run({"permission_rules": [rule.as_json() for rule in rules(file)]}) == rules(file)
    assert of_run({"permission_rules": []}) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- [a\n- b", "is not valid YAML: "),
        ("", "is null; give a list of entries"),
        ("rules: 1", 'is {"rules": 1}; give a list of entries'),
        ("- CAN_READ", 'entry 1: is "CAN_READ"; give a mapping with target_label, permissions, relationship_name'),
        (f"- {BUCKETS[:-1]}, resource: b}}", 'entry 1: "resource" is not a field; the fields are target_label'),
        (f"- {BUCKETS[:-1]}, permissions: [s3:GetObject]}}", "is not valid YAML: 'permissions' is given twice"),
    ],
)
def test_a_file_that_is_not_a_list_of_entries(file: Path, text: str, message: str) -> None:
    assert problem(file, text).startswith(message)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("target_label", None, "target_label is missing; give "),
        (
            "target_label",
            "S3Buckets",
            'target_label is "S3Buckets"; no AWS type has nodes of that label with an account',
        ),
        ("target_label", "AWSVpc", 'target_label is "AWSVpc"; '),  # has no arn
        ("target_label", "AWSPolicyStatement", 'target_label is "AWSPolicyStatement"; '),  # belongs to no account
        ("target_label", "[S3Bucket]", 'target_label is ["S3Bucket"]; '),
        ("permissions", None, "permissions is missing; give "),
        ("permissions", "s3:GetObject", 'permissions is "s3:GetObject"; give a list of service:Action'),
        ("permissions", "[]", "permissions is []; give a list of service:Action"),
        ("permissions", "[GetObject]", 'permissions is ["GetObject"]; "GetObject" is not a permission: '),
        ("permissions", "['*:Get*']", '"*:Get*" is not a permission: '),
        ("permissions", "[1]", "1 is not a permission: "),
        ("permissions", "[s3:Get*, S3:get*]", '"S3:get*" is listed twice: remove one'),
        ("relationship_name", None, "relationship_name is missing; give "),
        ("relationship_name", "can_read", 'relationship_name is "can_read"; give capital letters'),
        ("relationship_name", "'CAN READ'", 'relationship_name is "CAN READ"; give capital letters'),
        ("relationship_name", "RESOURCE", 'relationship_name is "RESOURCE"; aws.'),
        ("relationship_name", "STS_ASSUMEROLE_ALLOW", "give another name"),
        ("relationship_name", "yes", "relationship_name is true; give capital letters"),
    ],
)
def test_a_bad_entry_is_named_with_field_and_value(file: Path, field: str, value: str | None, message: str) -> None:
    fields = {"target_label": "S3Bucket", "permissions": "[s3:GetObject]", "relationship_name": "MAY_READ"}
    given = {name: text for name, text in (fields | {field: value}).items() if text is not None}
    bad = ", ".join(f"{name}: {text}" for name, text in given.items())
    found = problem(file, f"- {BUCKETS}\n- {{{bad}}}")
    assert found.startswith("entry 2: ")
    assert message in found


def test_two_entries_with_one_relationship_to_one_label(file: Path) -> None:
    again = BUCKETS.replace("S3Bucket", "AWSS3Bucket")
    assert "entry 1 also has it, to S3Bucket; put their permissions in one entry" in problem(
        file, f"- {BUCKETS}\n- {again}"
    )
    keys = BUCKETS.replace("S3Bucket", "KMSKey").replace("s3:DeleteObject", "kms:Decrypt")
    file.write_text(f"- {BUCKETS}\n- {keys}")
    assert len(rules(file)) == 2


def test_all_problems_are_said_at_once(file: Path) -> None:
    assert len(problem(file, "- {a: 1}\n- b").splitlines()) == 5


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(RuleFileError, match=r"rules.yaml: can't be read: .* omit --permission-relationships-file"):
        rules(file)


def test_a_file_that_others_may_write_is_not_obeyed(file: Path) -> None:
    file.write_text(f"[{BUCKETS}]")
    file.chmod(0o646)
    with pytest.raises(RuleFileError, match=r"others may write it \(mode 0646\): run `chmod go-w"):
        rules(file)
    file.chmod(0o644)
    file.parent.chmod(0o777)
    with pytest.raises(RuleFileError, match="others may write its directory"):
        rules(file)
