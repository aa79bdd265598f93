"""Who may use what, by example: AWS's rules for policies, boundaries, conditions and the parts of resources."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
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
    who: str = ALICE,
) -> Edge | None:
    rule = Rule(target_label="Any", permissions=permissions, relationship_name="CAN_USE")
    limits = None if boundary is None else tuple(map(Statement.of, boundary))
    is_role = ":role/" in who
    known: dict[str, Any] = {"id": "AROA1", "tags": None} if is_role else {"id": "AIDA1", "tags": {"team": "red"}}
    principal = Principal(who, is_role, tuple(map(Statement.of, statements)), limits, organization="o-mine", **known)
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


def test_a_policy_variable_that_only_the_request_knows_is_a_condition() -> None:
    own = f"{BUCKET}/${{s3:prefix}}/*"
    assert verdict(statement(resource=[own])) == {"any_of": [{"identity": [{"Resource": [own]}]}]}
    assert verdict(statement(), statement("Deny", notresource=[own])) == {"unless": [{"NotResource": [own]}]}


# --- what the graph knows of who asks ---

ROLE = "arn:aws:iam::111122223333:role/team/reader"
GROUP = "arn:aws:iam::111122223333:group/staff"


@pytest.mark.parametrize("bucket", ["arn:aws:s3:::${aws:username}", "arn:aws:s3:::${AWS:UserName, 'logs'}"])
def test_a_users_own_name_is_known_and_a_role_has_none(bucket: str) -> None:
    asked = statement(resource=[f"{bucket}/*"])
    assert verdict(asked, who="arn:aws:iam::111122223333:user/people/logs") is True
    assert verdict(asked) is False
    assert verdict(asked, who=ROLE) is ("'logs'" in bucket), "but where the policy says what to take instead"
    assert verdict(asked, who=GROUP) == {"any_of": [{"identity": [{"Resource": asked["resource"]}]}]}


def test_variables_of_a_policy_of_before_2012_are_text() -> None:
    own = [f"{BUCKET}/${{aws:username}}/*"]
    assert verdict(statement(resource=own)) == {"any_of": [{"identity": [{"Resource": [f"{BUCKET}/alice/*"]}]}]}
    for version in ("2008-10-17", "2012-10-17"):
        bucket = statement(resource=["arn:aws:s3:::${aws:username}/*"], language_version=version)
        assert verdict(bucket, who=f"{ALICE}/logs") is (version == "2012-10-17")
    text = statement(condition={"StringLike": {"aws:username": "${*}"}}, language_version="2008-10-17")
    assert verdict(text) is False


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"ArnEquals": {"aws:PrincipalArn": ALICE}}, True),
        ({"ArnLike": {"AWS:principalARN": ["arn:aws:iam::*:user/*"]}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*:user/*"}}, MFA),  # not an ARN: AWS doesn't document it
        ({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}, False),
        ({"ArnNotLike": {"aws:PrincipalArn": ROLE}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ["444455556666", "111122223333"]}}, True),
        ({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}, False),
        ({"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-mine"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-other"}}, False),
        ({"StringEquals": {"aws:username": "alice"}}, True),
        ({"StringEqualsIgnoreCase": {"aws:username": "ALICE"}}, True),
        ({"StringEquals": {"aws:userid": "AIDA1"}}, True),
        ({"StringLike": {"aws:userid": "AROA*"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/TEAM": "red"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/none": "red"}}, False),
        ({"StringNotEquals": {"aws:PrincipalTag/none": "red"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/none": "red"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:PrincipalTag/none": "red"}}, True),
        ({"ForAnyValue:StringNotEquals": {"aws:PrincipalTag/none": "red"}}, False),
        ({"Null": {"aws:PrincipalTag/none": "true"}}, True),
        ({"Null": {"aws:PrincipalTag/team": True}}, False),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, True),
        ({"Bool": {"aws:PrincipalIsAWSService": True}}, False),
        (MFA, MFA),
        ({"StringEquals": {"aws:username": "alice"}, **MFA}, MFA),
        ({"StringEquals": {"aws:username": "bob"}, **MFA}, False),
    ],
)
def test_conditions_on_who_asks_are_decided(condition: Any, holds: Any) -> None:
    found = verdict(statement(condition=condition))
    if isinstance(holds, bool):
        assert found is holds
        assert verdict(statement(), statement("Deny", condition=condition)) is not holds
    else:
        assert found == {"any_of": [{"identity": [condition if holds is MFA and "Bool" not in condition else holds]}]}


def test_of_a_role_its_sessions_have_names_and_may_have_tags_that_nobody_knows() -> None:
    for condition, is_met in (
        ({"StringLike": {"aws:userid": "AROA1:*"}}, True),
        ({"StringEquals": {"aws:userid": "AIDA1"}}, False),
        ({"Null": {"aws:username": "true"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/team/*"}}, True),
        ({"StringLike": {"s3:prefix": ["${aws:username}/*"]}}, False),
    ):
        assert verdict(statement(condition=condition), who=ROLE) is is_met, condition
    for condition in (
        {"StringEquals": {"aws:userid": "AROA1:nightly"}},
        {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    ):
        assert verdict(statement(condition=condition), who=ROLE) == {"any_of": [{"identity": [condition]}]}


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


# --- parts of other resources ---


def test_credentials_of_a_cluster_are_those_of_its_database_users() -> None:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-role-permissions.html"""
    asked: dict[str, Any] = {"permissions": ("redshift:GetClusterCredentials",), "arn": CLUSTER}
    start = "arn:aws:redshift:eu-west-1:111122223333"
    documented = [f"{start}:dbuser:dwh/*", f"{start}:dbname:dwh/*"]
    assert verdict(statement(resource=documented), **asked) is True
    one = {"Resource": [f"{start}:dbuser:dwh/reader"]}
    assert verdict(statement(resource=[*one["Resource"], documented[1]]), **asked) == {"any_of": [{"identity": [one]}]}
    for resource in (CLUSTER, documented[1], f"{start}:dbuser:other/*", f"{start}:dbuser:dwh"):
        assert verdict(statement(resource=[resource]), **asked) is False, resource


def test_requests_to_a_search_domain_are_for_what_is_below_it() -> None:
    domain = "arn:aws:es:eu-west-1:111122223333:domain/d"
    asked: dict[str, Any] = {"permissions": ("es:ESHttpGet",), "arn": domain}
    assert verdict(statement(resource=[f"{domain}/*"]), **asked) is True
    assert verdict(statement(resource=[domain]), **asked) is False
    assert verdict(statement(resource=[domain]), permissions=("es:DescribeDomain",), arn=domain) is True


def test_a_function_is_invoked_itself_or_by_an_alias() -> None:
    function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
    asked: dict[str, Any] = {"permissions": ("lambda:InvokeFunction",), "arn": function}
    assert verdict(statement(resource=[function]), **asked) is True
    alias = {"Resource": [f"{function}:prod"]}
    assert verdict(statement(resource=alias["Resource"]), **asked) == {"any_of": [{"identity": [alias]}]}
    assert verdict(statement(resource=[f"{function}-2*"]), **asked) is False


def test_nobody_passes_a_role_that_is_linked_to_a_service() -> None:
    linked = "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    assert verdict(statement(), permissions=("iam:PassRole",), arn=linked) is False
    assert verdict(statement(), permissions=("iam:PassRole",), arn=ROLE) is True
    assert verdict(statement(), permissions=("iam:GetRole",), arn=linked) is True


# --- permissions with wildcards, and several of them ---


@pytest.mark.parametrize(
    ("action", "counts"),
    [("redshift:*", True), ("*", True), ("redshift:J*", True), ("redshift:?", False), ("Red*", True), ("s3:*", False)],
)
def test_a_permission_with_wildcards_is_any_of_its_actions(action: str, counts: bool) -> None:
    asked: dict[str, Any] = {"permissions": ("redshift:*",), "arn": CLUSTER}
    assert verdict(statement(action=[action]), **asked) is counts


def test_only_a_denial_of_all_of_it_is_one() -> None:
    asked: dict[str, Any] = {"permissions": ("redshift:Delete*",), "arn": CLUSTER}
    assert verdict(statement(), statement("Deny", action=["redshift:DeleteCluster"]), **asked)
    assert verdict(statement(), statement("Deny", notaction=["redshift:DeleteT*"]), **asked)
    assert not verdict(statement(), statement("Deny", action=["redshift:D*"]), **asked)
    assert not verdict(statement(), statement("Deny", notaction=["redshift:Describe*"]), **asked)
    assert not verdict(statement(notaction=["redshift:Delete*"]), **asked)
    assert verdict(statement(notaction=["redshift:DeleteCluster"]), **asked)
    one = statement("Deny", action=["redshift:DeleteCluster"])
    assert not verdict(statement(action=["redshift:DeleteCluster"]), one, **asked), "allowed and denied are the same"


def test_actions_of_a_permission_work_on_the_bucket_or_on_its_objects() -> None:
    asked: dict[str, Any] = {"permissions": ("s3:Get*",)}
    assert verdict(statement(resource=[BUCKET]), **asked) is True
    assert verdict(statement(resource=[f"{BUCKET}/*"]), **asked) is True
    part = {"Resource": [f"{BUCKET}/a/*"]}
    assert verdict(statement(resource=part["Resource"]), **asked) == {"any_of": [{"identity": [part]}]}
    assert verdict(statement(resource=[OTHER]), **asked) is False


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
        f"{BUCKET}/${{aws:username}}/*",
        "arn:aws:s3:::${aws:PrincipalTag/bucket}/*",
        "arn:aws:s3:::${aws:PrincipalTag/none, 'logs'}/a/*",
        f"{BUCKET}/${{aws:userid}}",
    ]
)
ACTIONS = st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "S3:PUTOBJECT", "s3:GetObjec?", "ec2:*"])
KEYS = ("a", "b", "a/b", "a/x", "a/long", "ab", "${aws:username}/x", "AROA1:nightly")
ON_WHO = {
    "aws:PrincipalArn": (ALICE, ROLE, "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:user/${aws:username}"),
    "aws:PrincipalAccount": ("111122223333", "1*", "${aws:ResourceAccount}"),
    "AWS:UserName": ("a", "?", "${aws:PrincipalTag/team, 'a'}"),
    "aws:userid": ("AIDA1", "AROA1:*", "AROA1:nightly", "A???1"),
    "aws:PrincipalTag/Team": ("red", "RED", "r*", "${aws:PrincipalTag/team}"),
    "aws:PrincipalOrgID": ("o-mine", "o-*", "o-other"),
    "aws:PrincipalType": ("User", "AssumedRole"),
}
STRING_TESTS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
TESTS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "", "ForAllValues:", "ForAnyValue:"]),
        st.sampled_from(STRING_TESTS),
        st.sampled_from(["", "", "IfExists"]),
    ),
)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    found = dict(draw(st.sampled_from([{}, {}, MFA, HOME])))
    for key in draw(st.lists(st.sampled_from(sorted(ON_WHO)), max_size=2, unique=True)):
        test = draw(TESTS)
        if key == "aws:PrincipalArn" and draw(st.booleans()):
            test = draw(st.sampled_from(["ArnLike", "ArnNotEquals", "ArnEqualsIfExists"]))
        values: Any = draw(st.lists(st.sampled_from(ON_WHO[key]), min_size=1, max_size=2))
        if draw(st.integers(0, 5)) == 0:
            test, values = "Null", draw(st.sampled_from(["true", "false"]))
        found.setdefault(test, {})[key] = values
    return found


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    actions = {draw(st.sampled_from(["action", "notaction"])): draw(st.lists(ACTIONS, min_size=1, max_size=2))}
    resources = {draw(st.sampled_from(["resource", "notresource"])): draw(st.lists(WORDS, min_size=1, max_size=2))}
    found = {**actions, **resources, "condition": draw(conditions())}
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]))
    return statement(draw(st.sampled_from(["Allow", "Allow", "Deny"])), **found, language_version=version)


def principals() -> st.SearchStrategy[Principal]:
    """A user or a role, of whom all is known, or as little as the ARN tells."""
    tags = st.sampled_from([{}, {"team": "red", "bucket": "logs"}])
    user = st.builds(Principal, st.just(f"{ALICE.rpartition('/')[0]}/a"), st.just(False), tags=st.none() | tags)
    return (user | st.builds(Principal, st.just(ROLE), st.just(True), tags=st.none() | tags)).flatmap(
        lambda one: st.sampled_from([one, replace(one, id="AROA1" if one.is_role else "AIDA1", organization="o-mine")])
    )


def context(who: Principal, tags: dict[str, str], session: str) -> dict[str, str | None]:
    """All that is so of a request of the principal, whether the graph knows it or not."""
    return {
        "aws:principalarn": who.arn,
        "aws:principalaccount": "111122223333",
        "aws:resourceaccount": "111122223333",
        "aws:username": None if who.is_role else who.arn.rpartition("/")[2],
        "aws:userid": f"AROA1:{session}" if who.is_role else "AIDA1",
        "aws:principaltag/team": tags.get("team"),
        "aws:principaltag/bucket": tags.get("bucket"),
        "aws:principaltag/none": None,
        "aws:principalorgid": "o-mine",
        "aws:principaltype": "AssumedRole" if who.is_role else "User",
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(statements(), max_size=4), st.none() | st.lists(statements(), max_size=2), principals())
def test_for_each_request_the_edge_says_what_aws_would(
    own: list[dict[str, Any]], boundary: list[dict[str, Any]] | None, who: Principal
) -> None:
    """For each object of a bucket, and whichever conditions hold: what the edge promises is what is allowed."""
    limits = None if boundary is None else tuple(map(Statement.of, boundary))
    source = replace(who, statements=tuple(map(Statement.of, own)), boundary=limits)
    rule = Rule(target_label="Any", permissions=("s3:GetObject",), relationship_name="CAN_USE")
    found = {one.target: one for one in edges([source], rule, [BUCKET, OTHER])}.get(BUCKET)
    every_tags = [dict(who.tags)] if who.tags is not None else [{}, {"team": "red", "bucket": "logs"}]
    for key, true, tags, session in product(KEYS, ([], [MFA], [HOME], [MFA, HOME]), every_tags, ("nightly", "x")):
        request = Request("s3:GetObject", f"{BUCKET}/{key}", true, context(who, tags, session))
        promised = found is not None and holds(json.loads(found.conditions or "{}"), request)
        assert promised is is_allowed(request, own, boundary), request
