"""Who may use what, by example: AWS's rules for policies, boundaries, conditions and the parts of resources."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.iam.permission_rules import Rule
from analysis.iam.permissions import Edge, edges
from analysis.iam.policy_evaluation import Statement
from analysis.iam.principals import Principal
from tests.unit.analysis.iam.naive_policies import Request, holds, is_allowed

ALICE = "arn:aws:iam::111122223333:user/alice"
BUCKET, OTHER = "arn:aws:s3:::logs", "arn:aws:s3:::logs-2"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/index"
CLUSTER = "arn:aws:redshift:eu-west-1:111122223333:cluster:dwh"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
HOME = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """As the graph has it; all of S3 and everything unless it says otherwise."""
    node = dict.fromkeys(("action", "notaction", "resource", "notresource", "condition")) | {"effect": effect}
    if "notaction" not in elements:
        node["action"] = ["*"]
    if "notresource" not in elements:
        node["resource"] = ["*"]
    condition = elements.pop("condition", None)
    return node | elements | {"condition": json.dumps([condition]) if condition else None}


def edge(
    *statements: dict[str, Any],
    permissions: tuple[str, ...] = ("s3:GetObject",),
    arn: str = BUCKET,
    boundary: list[dict[str, Any]] | None = None,
) -> Edge | None:
    rule = Rule(target_label="Any", permissions=permissions, relationship_name="CAN_USE")
    limits = None if boundary is None else tuple(map(Statement.of, boundary))
    principal = Principal(ALICE, False, tuple(map(Statement.of, statements)), limits)
    found = {one.target: one for one in edges([principal], rule, [arn, OTHER])}
    return found.get(arn)


def verdict(*statements: dict[str, Any], **asked: Any) -> Any:
    """False where there is no edge; True where it has no conditions; else its conditions."""
    found = edge(*statements, **asked)
    return found is not None and (found.conditions is None or json.loads(found.conditions))


# --- allow and deny ---


def test_without_a_policy_nothing_is_allowed() -> None:
    assert not verdict()
    assert verdict(statement())


@pytest.mark.parametrize("order", [1, -1])
def test_an_explicit_deny_wins_wherever_it_stands(order: int) -> None:
    statements = [statement(), statement("Deny", action=["s3:Get*"], resource=[f"{BUCKET}/*"])]
    assert not verdict(*statements[::order])
    assert verdict(*statements[::order], permissions=("s3:PutObject",))


def test_all_but_some_actions_and_all_but_some_resources() -> None:
    assert verdict(statement(notaction=["iam:*"]))
    assert not verdict(statement(notaction=["S3:getobject"]))
    assert verdict(statement(notresource=[f"{OTHER}/*"]))
    assert not verdict(statement(notresource=[f"{BUCKET}/*"]))


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("s3:GetObjec?", True), ("s3:GetObject?", False), ("S3:GETOBJECT", True), ("s3:Put*", False)],
)
def test_a_question_mark_is_one_character_and_letter_case_does_not_matter(pattern: str, matches: bool) -> None:
    assert verdict(statement(action=[pattern])) is matches


def test_letter_case_matters_in_resources() -> None:
    assert not verdict(statement(resource=["arn:aws:s3:::LOGS/*"]))


def test_a_boundary_must_allow_it_and_its_denials_count() -> None:
    assert verdict(statement(), boundary=[statement(action=["s3:*"])])
    assert not verdict(statement(), boundary=[statement(action=["ec2:*"])])
    assert not verdict(statement(), boundary=[])
    assert not verdict(statement(), boundary=[statement(), statement("Deny", action=["s3:*"])])


# --- conditions ---


def test_conditions_stand_under_the_policy_that_has_them() -> None:
    assert verdict(statement(condition=MFA)) == {"any_of": [{"identity": [MFA]}]}
    assert verdict(statement(), boundary=[statement(condition=HOME)]) == {"any_of": [{"boundary": [HOME]}]}
    assert verdict(statement(), statement("Deny", condition=HOME)) == {"unless": [HOME]}
    assert verdict(statement(condition=MFA), statement(action=["s3:*"])) is True


def test_a_policy_variable_is_a_condition() -> None:
    own = f"{BUCKET}/${{aws:username}}/*"
    assert verdict(statement(resource=[own])) == {"any_of": [{"identity": [{"Resource": [own]}]}]}
    assert verdict(statement(), statement("Deny", notresource=[own])) == {"unless": [{"NotResource": [own]}]}


# --- a bucket's objects ---


@pytest.mark.parametrize("resource", [f"{BUCKET}/*", "*", "arn:aws:s3:::*", "arn:aws:s3:::l?gs/*", "arn:*/?*"])
def test_all_objects_of_a_bucket(resource: str) -> None:
    assert verdict(statement(resource=[resource])) is True


@pytest.mark.parametrize("resource", [BUCKET, f"{BUCKET}/", f"{BUCKET}?", f"{OTHER}/*", "arn:aws:s3:::log/*"])
def test_a_bucket_itself_is_none_of_its_objects(resource: str) -> None:
    assert verdict(statement(resource=[resource])) is False


@pytest.mark.parametrize("part", [f"{BUCKET}/public/*", f"{BUCKET}/a", "arn:aws:s3:::*.txt", f"{BUCKET}??"])
def test_a_part_of_the_objects_is_a_condition(part: str) -> None:
    assert verdict(statement(resource=[part])) == {"any_of": [{"identity": [{"Resource": [part]}]}]}
    assert verdict(statement(), statement("Deny", resource=[part])) == {"unless": [{"Resource": [part]}]}
    assert verdict(statement(notresource=[part])) == {"any_of": [{"identity": [{"NotResource": [part]}]}]}


def test_a_part_goes_together_with_the_statements_condition() -> None:
    part = f"{BUCKET}/public/*"
    expected = {"any_of": [{"identity": [MFA | {"Resource": [part]}]}]}
    assert verdict(statement(resource=[part, OTHER], condition=MFA)) == expected


def test_a_part_that_is_denied_as_a_whole_is_not_allowed() -> None:
    allowed = statement(resource=[f"{BUCKET}/public/2024/*"])
    assert not verdict(allowed, statement("Deny", resource=[f"{BUCKET}/public/*"]))
    assert verdict(allowed, statement("Deny", resource=[f"{BUCKET}/public/*"], condition=MFA))
    assert verdict(allowed, statement("Deny", resource=[f"{BUCKET}/public/2024/secret"]))


def test_what_works_on_the_bucket_asks_about_the_bucket() -> None:
    assert verdict(statement(resource=[BUCKET]), permissions=("s3:ListBucket",)) is True
    assert not verdict(statement(resource=[f"{BUCKET}/*"]), permissions=("s3:ListBucket",))


# --- a table's indexes and streams ---


def test_a_table_is_queried_itself_or_by_an_index() -> None:
    asked: dict[str, Any] = {"permissions": ("dynamodb:Query",), "arn": TABLE}
    assert verdict(statement(resource=[TABLE]), **asked) is True
    index = {"Resource": [f"{TABLE}/index/by-day"]}
    assert verdict(statement(resource=index["Resource"]), **asked) == {"any_of": [{"identity": [index]}]}
    every = {"Resource": [f"{TABLE}/index/*"]}
    assert verdict(statement(resource=[f"{TABLE}/*"]), **asked) == {"any_of": [{"identity": [every]}]}
    denied = statement("Deny", resource=[TABLE])
    assert verdict(statement(), denied, **asked) == {"any_of": [{"identity": [every]}]}
    assert not verdict(statement(), denied, permissions=("dynamodb:GetItem",), arn=TABLE)


def test_no_index_has_the_name_of_another_table() -> None:
    """A star goes beyond colons and slashes, but indexes have none in their names."""
    asked: dict[str, Any] = {"permissions": ("dynamodb:Query", "dynamodb:GetRecords"), "arn": TABLE}
    assert not verdict(statement(resource=["arn:aws:dynamodb:*:111122223333:table/other*"]), **asked)
    assert verdict(statement(resource=["arn:aws:dynamodb:*:111122223333:table/ind*"]), **asked)


def test_records_are_those_of_a_tables_streams() -> None:
    asked: dict[str, Any] = {"permissions": ("dynamodb:GetRecords",), "arn": TABLE}
    assert not verdict(statement(resource=[TABLE]), **asked)
    assert verdict(statement(resource=[f"{TABLE}/stream/*"]), **asked) is True


# --- permissions with wildcards, and several of them ---


@pytest.mark.parametrize(
    ("action", "counts"),
    [("redshift:*", True), ("*", True), ("redshift:J*", False), ("redshift:?", False), ("Red*", True)],
)
def test_a_permission_with_wildcards_asks_for_all_that_it_means(action: str, counts: bool) -> None:
    asked: dict[str, Any] = {"permissions": ("redshift:*",), "arn": CLUSTER}
    assert verdict(statement(action=[action]), **asked) is counts


def test_a_denial_of_some_of_it_is_one() -> None:
    asked: dict[str, Any] = {"permissions": ("redshift:*",), "arn": CLUSTER}
    assert not verdict(statement(), statement("Deny", action=["redshift:Delete*"]), **asked)
    assert not verdict(statement(), statement("Deny", notaction=["redshift:Describe*"]), **asked)
    assert not verdict(statement(notaction=["redshift:Delete*"]), **asked)
    assert verdict(statement(notaction=["iam:*"]), **asked)
    assert verdict(statement(), statement("Deny", action=["iam:*"]), **asked)
    assert verdict(statement(), statement("Deny", notaction=["redshift:*", "s3:*"]), **asked)


def test_all_that_s3_has_is_the_bucket_and_its_objects() -> None:
    asked: dict[str, Any] = {"permissions": ("s3:*",)}
    assert verdict(statement(resource=[BUCKET, f"{BUCKET}/*"]), **asked) is True
    assert verdict(statement(resource=[f"{BUCKET}*"]), **asked) is True
    assert verdict(statement(resource=[BUCKET]), **asked) == {"any_of": [{"identity": [{"Resource": [BUCKET]}]}]}


READ = ("s3:GetObject", "s3:ListBucket", "s3:GetBucketAcl")


def test_one_of_several_permissions_is_enough() -> None:
    found = edge(statement(action=["s3:GetB*"]), statement(action=["s3:List*"], condition=MFA), permissions=READ)
    assert found == Edge(ALICE, BUCKET, ["s3:GetBucketAcl"], ["s3:ListBucket"], None)


def test_several_under_the_same_conditions() -> None:
    found = edge(statement(condition=MFA), permissions=READ)
    conditions = json.dumps({"any_of": [{"identity": [MFA]}]})
    assert found == Edge(ALICE, BUCKET, sorted(READ), None, conditions)


def test_several_under_different_conditions_each_name_theirs() -> None:
    found = edge(
        statement(action=["s3:Get*"], condition=MFA), statement(action=["s3:List*"]),
        statement("Deny", action=["s3:List*"], condition=HOME), permissions=READ,
    )  # fmt: skip
    assert found is not None
    assert found.permissions == sorted(READ)
    assert json.loads(found.conditions or "") == {
        "any_of": [
            {"permissions": ["s3:GetBucketAcl", "s3:GetObject"], "identity": [MFA]},
            {"permissions": ["s3:ListBucket"], "unless": [HOME]},
        ]
    }


# --- against an evaluation of single requests ---

WORDS = st.sampled_from(
    [
        "*",
        BUCKET,
        f"{BUCKET}/*",
        f"{BUCKET}*",
        f"{BUCKET}/a/*",
        f"{BUCKET}/a/?",
        "arn:aws:s3:::*/b",
        f"{OTHER}/*",
        f"{BUCKET}/??*",
    ]
)
ACTIONS = st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "S3:PUTOBJECT", "s3:GetObjec?", "ec2:*"])
KEYS = ("a", "b", "a/b", "a/x", "a/long", "ab")


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    actions = {draw(st.sampled_from(["action", "notaction"])): draw(st.lists(ACTIONS, min_size=1, max_size=2))}
    resources = {draw(st.sampled_from(["resource", "notresource"])): draw(st.lists(WORDS, min_size=1, max_size=2))}
    condition = draw(st.sampled_from([None, None, MFA, HOME]))
    return statement(draw(st.sampled_from(["Allow", "Allow", "Deny"])), **actions, **resources, condition=condition)


@given(st.lists(statements(), max_size=4), st.none() | st.lists(statements(), max_size=2))
def test_for_each_request_the_edge_says_what_aws_would(
    own: list[dict[str, Any]], boundary: list[dict[str, Any]] | None
) -> None:
    """For each object of a bucket, and whichever conditions hold: what the edge promises is what is allowed."""
    found = edge(*own, boundary=boundary)
    for key, true in product(KEYS, ([], [MFA], [HOME], [MFA, HOME])):
        request = Request("s3:GetObject", f"{BUCKET}/{key}", true)
        promised = found is not None and holds(json.loads(found.conditions or "{}"), request)
        assert promised is is_allowed(request, own, boundary), request
