"""Whether a resource's policy lets in anybody: each situation with the page of AWS that says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from analysis.iam.patterns import covers
from analysis.iam.resource_policy import Resource, Verdict, verdict
from tests.unit.analysis.iam.naive_resource_policies import ACTIONS, POLICIES, open_actions

BUCKET = "arn:aws:s3:::exports"
OURS, THEIRS = "111122223333", "444455556666"
S3 = Resource("s3", (BUCKET, f"{BUCKET}/*"), OURS)
READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [BUCKET, f"{BUCKET}/*"]}
OPEN, CLOSED = ("s3:GetObject",), ()


def found(*statements: dict[str, Any], of: Resource = S3, version: str | None = "2012-10-17") -> Verdict:
    policy = {"Version": version, "Statement": list(statements)}
    return verdict(json.dumps({name: value for name, value in policy.items() if value is not None}), of)


def actions(*statements: dict[str, Any], **more: Any) -> tuple[str, ...] | None:
    return found(*statements, **more).actions


def under(condition: dict[str, Any], **more: Any) -> tuple[str, ...] | None:
    return actions(READ | {"Condition": condition}, **more)


# --- conditions on who calls, and from where ---

# S3 User Guide, "Blocking public access", the meaning of "public": fixed values of these keys keep others out.
PUBLIC = "AmazonS3/latest/userguide/access-control-block-public-access.html"
KEYS = "IAM/latest/UserGuide/reference_policies_condition-keys.html"  # the availability of each key
OPERATORS = "IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
SETS = "IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        (PUBLIC, {"StringLike": {"aws:userid": "AROA*"}}),
        (PUBLIC, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}),
        (PUBLIC, {"StringLike": {"aws:SourceVpc": "vpc-*"}}),
        (PUBLIC, {"StringLike": {"aws:SourceVpce": "vpce-0a*"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "2600::/20"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "16.0.0.0/7"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": [f"{n}.0.0.0/8" for n in range(1, 224)]}}),
        (PUBLIC, {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu-west-1:*:accesspoint/*"}}),
        (PUBLIC, {"StringLike": {"s3:DataAccessPointAccount": "*"}}),
        (PUBLIC, {"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        (KEYS, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}),
        (KEYS, {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}),
        (KEYS, {"StringLike": {"aws:PrincipalAccount": "1*"}}),
        (KEYS, {"StringEquals": {"aws:username": "backup"}}),
        (KEYS, {"StringEquals": {"aws:PrincipalTag/team": "data"}}),
        (KEYS, {"StringEquals": {"aws:PrincipalType": "Anonymous"}}),
        (KEYS, {"Bool": {"aws:PrincipalIsAWSService": "false"}}),
        (KEYS, {"Bool": {"aws:SecureTransport": True}}),
        (KEYS, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        (KEYS, {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}),
        (KEYS, {"StringLike": {"aws:Referer": "https://www.example.com/*"}}),
        (KEYS, {"StringEquals": {"aws:UserAgent": "a secret that is none"}}),
        (KEYS, {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        (KEYS, {"StringEquals": {"aws:ResourceAccount": OURS}}),
        (KEYS, {"StringEquals": {"s3:ResourceAccount": OURS}}),
        (KEYS, {"StringEquals": {"aws:ResourceOrgID": "o-ours"}}),
        (KEYS, {"StringEquals": {"s3:ExistingObjectTag/public": "yes"}}),
        (KEYS, {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}),
        (KEYS, {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}),
        (OPERATORS, {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0abc"}}),
        (OPERATORS, {"IpAddressIfExists": {"aws:SourceIp": "198.51.100.0/24"}}),
        (OPERATORS, {"StringNotEquals": {"aws:PrincipalOrgID": "o-ours"}}),
        (OPERATORS, {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:*"}}),
        (OPERATORS, {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        (OPERATORS, {"Null": {"aws:SourceVpce": "true"}}),
        (OPERATORS, {"Null": {"aws:PrincipalArn": "false"}}),
        (OPERATORS, {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}),
        (OPERATORS, {"StringEqualsIgnoreCase": {"aws:username": "Backup"}}),
        (SETS, {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-ours"}}),
        (SETS, {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-ours/*"}}),
        (SETS, {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*"}}),
        (SETS, {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-ours/*", "*/ou-ab12-data/*"]}}),
        (SETS, {  # but it may have many tags
            "ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringLike": {"aws:TagKeys": "x*"}
        }),
        ("several keys, each of which an external principal satisfies", {
            "StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*", "aws:Referer": "https://*"},
            "IpAddress": {"aws:SourceIp": "0.0.0.0/0"},
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:*/reader"},
        }),
    ],
    ids=str,
)  # fmt: skip
def test_conditions_that_external_principals_satisfy(source: str, condition: dict[str, Any]) -> None:
    assert under(condition) == OPEN, source


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        (PUBLIC, {"StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE123:*"}}),
        (PUBLIC, {"StringLike": {"aws:userId": ["AROAABC:*", OURS]}}),
        (PUBLIC, {"StringEquals": {"aws:userid": "AROA*"}}),
        (PUBLIC, {"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/*"}}),
        (PUBLIC, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::exports"}}),
        (PUBLIC, {"StringEquals": {"aws:SourceAccount": 111122223333}}),
        (PUBLIC, {"StringEquals": {"aws:SourceOwner": OURS}}),
        (PUBLIC, {"StringEquals": {"aws:SourceVpc": "vpc-0abc"}}),
        (PUBLIC, {"StringEquals": {"AWS:SOURCEVPCE": ["vpce-0abc", "vpce-0def"]}}),
        (PUBLIC, {"StringEquals": {"s3:DataAccessPointAccount": OURS}}),
        (PUBLIC, {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu-west-1:111122223333:accesspoint/*"}}),
        (PUBLIC, {"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:1:key/k"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "12.0.0.0/8"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": ["12.0.0.0/8", "17.0.0.0/8"]}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "2600:1f00::/32"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "fd00::/8"}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]}}),
        (PUBLIC, {"IpAddress": {"aws:SourceIp": "240.0.0.0/4"}}),
        (KEYS, {"Bool": {"aws:PrincipalIsAWSService": "true"}}),
        (KEYS, {"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}}),
        (KEYS, {"StringEquals": {"aws:PrincipalAccount": THEIRS}}),
        (KEYS, {"StringEquals": {"aws:PrincipalOrgID": ["o-ours", "o-partner"]}}),
        (KEYS, {"StringEquals": {"aws:SourceOrgID": "o-ours"}}),
        (KEYS, {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-ours/*"}}),
        (KEYS, {"StringEquals": {"aws:VpceAccount": OURS}}),
        (KEYS, {"StringEquals": {"aws:VpceOrgID": "o-ours"}}),
        (KEYS, {"ForAnyValue:StringLike": {"aws:VpceOrgPaths": "o-ours/r-ab12/*"}}),
        (KEYS, {"ArnEquals": {"aws:SourceVpcArn": "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0abc"}}),
        (KEYS, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}),
        (KEYS, {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        (KEYS, {"NumericGreaterThan": {"aws:EpochTime": "99999999999"}}),
        (OPERATORS, {"Null": {"aws:PrincipalServiceName": "false"}}),
        (OPERATORS, {"StringEquals": {"aws:SourceVpc": "vpc-*"}}),  # a star is a star there
        (OPERATORS, {"StringEquals": {"aws:PrincipalOrgID": []}}),
        (OPERATORS, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:*:*:*:*:*"}}),
        (SETS, {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-ours/*"}}),
        (SETS, {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-*"}}),
        (SETS, {  # a request has one referrer: a quantifier adds none
            "StringEquals": {"aws:Referer": "https://a"}, "ForAnyValue:StringLike": {"aws:Referer": "x"}
        }),
        (KEYS, {  # from the internet or through an endpoint, never both
            "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}, "Null": {"aws:SourceVpce": "false"}
        }),
        (KEYS, {  # a session of a role has no name of a user
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}, "StringLike": {"aws:username": "*"}
        }),
        ("IAM User Guide: the keys of a condition are ANDed", {
            "StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*-reader"},
            "StringEquals": {"aws:PrincipalOrgID": ["o-ours", "o-partner"]},
        }),
        ("the same", {"StringEquals": {"aws:SourceVpce": "vpce-0abc"}, "StringLike": {"aws:PrincipalAccount": "1*"}}),
        ("the same", {"StringEquals": {"aws:SourceVpce": "vpce-0abc"}, "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        ("a fixed value beside one that is optional", {
            "StringEqualsIfExists": {"aws:SourceVpce": "vpce-0abc"}, "IpAddress": {"aws:SourceIp": "198.51.100.7"}
        }),
    ],
    ids=str,
)  # fmt: skip
def test_conditions_that_external_principals_fail(source: str, condition: dict[str, Any]) -> None:
    assert under(condition) == CLOSED, source


def test_dates_are_compared_with_today() -> None:
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert under({"DateLessThan": {"aws:CurrentTime": soon}}) == OPEN
    assert under({"DateGreaterThan": {"aws:CurrentTime": soon}}) == CLOSED


# --- Deny, over the whole policy: IAM User Guide, "Policy evaluation logic" ---


@pytest.mark.parametrize(
    "denied",
    [
        DENY,
        DENY | {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0abc"}}},
        DENY | {"Condition": {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}},
        DENY | {"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-ours"}}},
        DENY | {"Condition": {"StringNotLike": {"aws:userid": ["AROAEXAMPLEEXAMPLE123:*", OURS]}}},
        DENY | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}},
        DENY | {"Resource": "*", "Condition": {"Null": {"aws:PrincipalServiceName": "true"}}},
        DENY | {"Condition": {"Bool": {"aws:SecureTransport": ["true", "false"]}}},
        {"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{OURS}:root"}, "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "NotAction": "s3:ListBucket",
            "NotResource": f"{BUCKET}/private/*",
        },
    ],
    ids=str,
)
def test_a_denial_that_no_external_principal_avoids_closes_it(denied: dict[str, Any]) -> None:
    allowed = READ | {"Resource": f"{BUCKET}/public/*"}
    assert actions(allowed, denied) == CLOSED


@pytest.mark.parametrize(
    "denied",
    [
        DENY | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        DENY | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ours"}}},
        DENY | {"Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}},
        DENY | {"Condition": {"StringNotLike": {"aws:Referer": "https://www.example.com/*"}}},
        DENY | {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0"}, "Null": {"aws:SourceVpce": "false"}}},
        # Through a service of AWS that calls on an external principal's behalf
        DENY | {"Condition": {"NotIpAddress": {"aws:SourceIp": "12.0.0.0/8"}, "Bool": {"aws:ViaAWSService": "false"}}},
        DENY | {"Resource": f"{BUCKET}/private/*"},
        DENY | {"Action": "s3:PutObject"},
        DENY | {"Principal": {"AWS": f"arn:aws:iam::{THEIRS}:root"}},
        {"Effect": "Deny", "Principal": "*", "NotAction": ["s3:GetObject"], "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": f"{BUCKET}/public/*"},
    ],
    ids=str,
)  # fmt: skip
def test_a_denial_that_an_external_principal_avoids_changes_nothing(denied: dict[str, Any]) -> None:
    assert actions(READ, denied) == OPEN


def test_one_external_principal_must_satisfy_the_allow_and_avoid_every_denial() -> None:
    """Anonymous callers are denied by one, everybody else by the other."""
    anonymous = DENY | {"Condition": {"Null": {"aws:PrincipalArn": "true"}}}
    others = DENY | {"Condition": {"Null": {"aws:PrincipalArn": "false"}}}
    assert actions(READ, anonymous) == actions(READ, others) == OPEN
    assert actions(READ, anonymous, others) == CLOSED


def test_what_a_denial_leaves_of_a_pattern_is_named() -> None:
    some = READ | {"Action": "s3:*MultipartUpload*", "Resource": [BUCKET, f"{BUCKET}/*"]}
    assert actions(some) == ("s3:*MultipartUpload*",)
    left = actions(some, DENY | {"Action": "s3:Abort*"})
    assert left == ("s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts")


# --- principals ---


@pytest.mark.parametrize(
    "who",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}},
        {"Principal": {"Federated": "graph.facebook.com"}},
        {"Principal": {"Federated": "cognito-identity.amazonaws.com"}},
        {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
    ],
    ids=str,
)
def test_who_is_anybody(who: dict[str, Any]) -> None:
    """A session by web identity is one of any role whose owner trusts the provider: S3's first example of "public"."""
    assert actions({name: value for name, value in READ.items() if name != "Principal"} | who) == OPEN


@pytest.mark.parametrize(
    "who",
    [
        {"Principal": {"AWS": [f"arn:aws:iam::{THEIRS}:root", THEIRS]}},
        {"Principal": {"Federated": f"arn:aws:iam::{OURS}:saml-provider/idp"}},
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Principal": {"CanonicalUser": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}},
        {"NotPrincipal": "*"},
        {},
    ],
    ids=str,
)
def test_who_is_somebody(who: dict[str, Any]) -> None:
    assert actions({name: value for name, value in READ.items() if name != "Principal"} | who) == CLOSED


def test_a_web_identity_claim_is_of_a_federated_principal() -> None:
    facebook = READ | {"Principal": {"Federated": "graph.facebook.com"}}
    assert actions(facebook | {"Condition": {"StringEquals": {"graph.facebook.com:app_id": "123"}}}) == OPEN
    assert actions(facebook | {"Condition": {"StringEquals": {"graph.facebook.com:id": "123"}}}) == CLOSED
    assert under({"StringEquals": {"accounts.google.com:sub": "123"}}) == CLOSED


# --- actions and resources ---


def test_all_but_some_actions() -> None:
    but = {"Effect": "Allow", "Principal": "*", "Resource": "*"}
    assert actions(but | {"NotAction": "s3:DeleteBucket"}) == ("s3:*",)
    assert actions(but | {"NotAction": ["s3:*", "ec2:*"]}) == actions(but | {"NotAction": "*"}) == CLOSED
    assert actions(but | {"Action": "ec2:*"}) == CLOSED, "none of the bucket's"


def test_a_statement_without_action_grants_nothing() -> None:
    """Key policies have them from years ago; AWS wrote to the owners that they are without effect."""
    key = Resource("kms", ("arn:aws:kms:eu-west-1:111122223333:key/k",), OURS)
    meant = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    assert actions(meant | {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}, of=key) == CLOSED
    assert actions(meant | {"Action": "kms:Decrypt"}, of=key) == ("kms:Decrypt",)


def test_only_what_is_about_the_resource_counts() -> None:
    domain = Resource(
        "es", ("arn:aws:es:eu-west-1:111122223333:domain/logs", "arn:aws:es:eu-west-1:111122223333:domain/logs/*")
    )
    search = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "es:ESHttpGet"}
    for there in ("*", "arn:aws:es:eu-west-1:111122223333:domain/logs/*", "arn:aws:es:*:*:domain/l?gs/_search"):
        assert actions(search | {"Resource": there}, of=domain) == ("es:ESHttpGet",)
    assert actions(search | {"Resource": "arn:aws:es:eu-west-1:111122223333:domain/other/*"}, of=domain) == CLOSED
    assert actions(search | {"NotResource": "arn:aws:es:*:*:domain/logs*"}, of=domain) == CLOSED


def test_kms_takes_no_anonymous_calls_and_its_callers_are_of_an_account() -> None:
    key = Resource("kms", ("arn:aws:kms:eu-west-1:111122223333:key/k",), OURS)
    use = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}

    def when(condition: dict[str, Any]) -> tuple[str, ...] | None:
        return actions(use | {"Condition": condition}, of=key)

    via = {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}
    assert when({"StringEquals": via}) == ("kms:Decrypt",), "any account's rds"
    assert when({"StringEquals": {**via, "kms:CallerAccount": OURS}}) == CLOSED
    assert when({"Null": {"aws:PrincipalArn": "true"}}) == CLOSED


def test_a_functions_url() -> None:
    function = Resource(
        "lambda", ("arn:aws:lambda:eu-west-1:1:function:f", "arn:aws:lambda:eu-west-1:1:function:f:*"), "1"
    )
    call = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Resource": "*"}

    def when(condition: dict[str, Any]) -> tuple[str, ...] | None:
        return actions(call | {"Condition": condition}, of=function)

    for kind in ("NONE", "AWS_IAM"):  # the latter: by anybody with an account
        assert when({"StringEquals": {"lambda:FunctionUrlAuthType": kind}}) == ("lambda:InvokeFunctionUrl",)
    assert when({"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}) == ("lambda:InvokeFunctionUrl",)
    assert when({"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.0"}}) == CLOSED
    assert when({"StringEquals": {"aws:PrincipalOrgID": "o-ours", "lambda:FunctionUrlAuthType": "AWS_IAM"}}) == CLOSED


# --- policy variables ---


def test_what_variables_stand_for() -> None:
    assert under({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}) == CLOSED
    assert under({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}) == CLOSED
    assert under({"StringEquals": {"aws:PrincipalTag/team": "${s3:ExistingObjectTag/team}"}}) == OPEN
    own = f"{BUCKET}/${{aws:username}}/*"
    assert actions(READ | {"Resource": own}) == OPEN, "users of any account have names"
    assert actions(READ | {"Resource": own, "Condition": {"Null": {"aws:PrincipalArn": "true"}}}) == CLOSED
    assert under({"StringLike": {"s3:prefix": "${aws:username, 'guest'}/*"}}) == OPEN


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_before_2012_a_variable_is_literal_text(version: str | None) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""
    anybodys = READ | {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}}
    assert actions(anybodys) == CLOSED
    assert actions(anybodys, version=version) == OPEN
    denied = DENY | {"Condition": {"StringNotLike": {"aws:PrincipalTag/a": "${aws:PrincipalTag/a}"}}}
    assert actions(READ | {"Condition": {"Null": {"aws:PrincipalTag/a": "false"}}}, denied) == OPEN
    assert (
        actions(READ | {"Condition": {"StringEquals": {"aws:PrincipalTag/a": "b"}}}, denied, version=version) == CLOSED
    )


# --- not known ---


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({"StringEquals": {"aws:KeyOfTomorrow": "x"}}, "not judged: condition key aws:keyoftomorrow"),
        ({"StringSortOf": {"aws:SourceVpce": "x"}}, "not judged: operator StringSortOf"),
        ({"ForAnyValues:StringLike": {"aws:SourceVpce": "x"}}, "not judged: operator ForAnyValues:StringLike"),
        ({"IpAddress": {"aws:SourceIp": "everywhere"}}, "not judged: a value of a condition"),
        ({"StringLike": {"aws:SourceIp": "203.*"}}, "not judged: a value of a condition"),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}, "not judged: a value of a condition"),
    ],
    ids=str,
)
def test_what_is_not_judged_is_not_known(condition: dict[str, Any], reason: str) -> None:
    assert found(READ | {"Condition": condition}) == Verdict(None, reason)
    if "judged: a value" not in reason:  # who has no such address, or no ARN, avoids that denial
        assert actions(READ, DENY | {"Condition": condition}) is None


def test_what_is_known_counts_whatever_else_is_not() -> None:
    odd = {"StringEquals": {"aws:KeyOfTomorrow": "x"}}
    assert actions(READ, READ | {"Action": "s3:PutObject", "Condition": odd}) == OPEN
    assert under({**odd, "StringLike": {"aws:PrincipalOrgID": "o-ours"}}) == CLOSED
    assert actions(READ, DENY, DENY | {"Condition": odd}) == CLOSED
    assert actions(READ, DENY | {"Condition": {**odd, "IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}) == OPEN


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"Statement": 1}', '{"Statement": {"Effect": "Maybe"}}'])
def test_what_is_no_policy_is_not_known(text: str) -> None:
    judged = verdict(text, S3)
    assert judged.actions is None
    assert judged.reason is not None
    assert judged.reason.startswith("it can't be read: ")


def test_no_policy_takes_long() -> None:
    """Twenty kilobytes are all that S3 takes."""
    tags = [
        {"StringNotLike": {f"aws:PrincipalTag/{n}": f"*{n}*{n}*"}, "Null": {"aws:Referer": "true"}} for n in range(90)
    ]
    judged = found(READ, *(DENY | {"Condition": one} for one in tags))
    assert judged.actions == OPEN
    many = {"StringLike": {"aws:Referer": ["*a" * 200, *(f"*{n}*a*b" for n in range(300))]}}
    assert found(READ | {"Condition": {**many, "ArnLike": {"aws:Referer": "*b" * 200}}}).actions in (None, OPEN, CLOSED)


# --- beside a brute force ---


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(POLICIES)
def test_it_says_what_trying_every_request_says(policy: dict[str, Any]) -> None:
    judged = verdict(json.dumps(policy), Resource("s3", ("arn:aws:s3:::b", "arn:aws:s3:::b/*"), OURS))
    assert judged.actions is not None
    stated = {action for action in ACTIONS if any(covers(word.lower(), action.lower()) for word in judged.actions)}
    assert open_actions(policy) <= stated, "an exposure is missed"
    if not any({"NotAction", "NotResource"} & one.keys() for one in policy["Statement"] if one["Effect"] == "Allow"):
        assert stated <= open_actions(policy), "a false alarm"  # of all but some a word says more than it means
