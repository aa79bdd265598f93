"""Policies that users of other tools reported as judged wrongly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loaders.graph import Graph
from tasks.aws.options import NOBODY
from tests.integration.estates.conftest import ACCOUNT, Client, Load
from tests.integration.test_analysis import analysed
from tests.servers.aws import AwsServer, Effect, Fault

S3 = ("aws.account", "aws.s3.buckets", "aws.s3.acls", "aws.s3.account_public_access_block")
ANYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}}


def bucket(client: Client, name: str, *statements: dict[str, Any], ownership: str = "BucketOwnerEnforced") -> None:
    s3 = client("s3", "us-east-1")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})
    if statements:
        objects = [{"Resource": f"arn:aws:s3:::{name}/*", **one} for one in statements]
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": objects}))


def read(**condition: dict[str, Any]) -> dict[str, Any]:
    return {**ANYBODY, "Action": "s3:GetObject", "Condition": condition}


def access(graph: Graph) -> dict[str, tuple[Any, Any]]:
    rows = graph.rows("MATCH (b:S3Bucket) RETURN b.name AS n, b.anonymous_access AS a, b.anonymous_actions AS l")
    return {row["n"]: (row["a"], row["l"]) for row in rows}


def test_buckets_that_only_look_public(client: Client, load: Load, graph: Graph) -> None:
    roles = {"aws:PrincipalArn": "arn:aws:iam::*:role/data-*"}
    bucket(client, "of-organizations", read(StringLike=roles, StringEquals={"aws:PrincipalOrgID": ["o-one", "o-two"]}))
    bucket(client, "by-access-points", {
        **ANYBODY, "Action": "*", "Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
    })  # fmt: skip
    bucket(client, "of-a-role", read(StringLike={"aws:userId": "AROAABCDEFGHIJKLMNOPQ:*"}))
    from_office = {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": from_office}
    bucket(client, "denied-elsewhere", read(), denied)
    bucket(client, "of-any-role", read(StringLike={"aws:userId": "AROA*"}))
    load(*S3)
    analysed(graph, "aws_s3acl_analysis")
    closed = ("of-organizations", "by-access-points", "of-a-role", "denied-elsewhere")
    assert access(graph) == {**dict.fromkeys(closed, (False, [])), "of-any-role": (True, ["s3:GetObject"])}


def test_a_bucket_that_was_public_is_not_known_once_its_policy_is_denied(
    client: Client, load: Load, graph: Graph, aws: AwsServer
) -> None:
    bucket(client, "public", read())
    bucket(client, "with-lists", ownership="ObjectWriter")
    load(*S3)
    finding = analysed(graph, "aws_s3acl_analysis", "run-1")
    assert (finding.count, finding.unknown) == (1, 1)
    assert access(graph)["public"] == (True, ["s3:GetObject"])
    aws.add(Fault(Effect.DENY, service="s3", action="GetBucketPolicy"))
    load(*S3)
    finding = analysed(graph, "aws_s3acl_analysis", "run-2")
    assert (finding.count, finding.unknown) == (0, 2)
    assert access(graph) == dict.fromkeys(("public", "with-lists"), (None, None))
    why = dict(graph.rows("MATCH (b:S3Bucket {name: 'public'}) RETURN b.anonymous_access_unknown AS why")[0])
    assert why == {"why": ["its policy: it could not be read"]}


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        ({"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}, []),
        ({"Action": "kms:Decrypt", "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT}}}, []),
        ({"Action": "kms:Decrypt", "Condition": {"StringEquals": {"aws:KeyOfTomorrow": "x"}}}, None),
        ({"Action": "kms:Decrypt", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-x"}}}, ["kms:Decrypt"]),
    ],
)
def test_the_policy_of_a_key(
    client: Client, load: Load, graph: Graph, statement: dict[str, Any], actions: list[str] | None
) -> None:
    """The first is one that KMS accepted years ago, and that has no effect."""
    policy = {"Version": "2012-10-17", "Statement": [{**ANYBODY, "Resource": "*", **statement}]}
    client("kms").create_key(Policy=json.dumps(policy))
    load("aws.kms.keys")
    [key] = graph.rows(
        "MATCH (k:KMSKey) RETURN k.anonymous_access AS a, k.anonymous_actions AS l, k.policy_not_known AS w"
    )
    assert (key["a"], key["l"]) == (None if actions is None else bool(actions), actions)
    assert (key["w"] is None) is (actions is not None)


def test_a_search_domain_with_a_policy_for_some_addresses(client: Client, load: Load, graph: Graph) -> None:
    search = {**ANYBODY, "Action": "es:*", "Resource": f"arn:aws:es:eu-west-1:{ACCOUNT}:domain/*"}
    sources = {"office": "198.51.100.0/24", "private": "fd00::/8", "wide": "2600::/20", "unreadable": "everywhere"}
    for name, range in sources.items():
        policy = {"Statement": [search | {"Condition": {"IpAddress": {"aws:SourceIp": range}}}]}
        client("es").create_elasticsearch_domain(DomainName=name, AccessPolicies=json.dumps(policy))
    load("aws.account", "aws.elasticsearch.domains", access={"name_server": NOBODY})
    finding = analysed(graph, "aws_elasticsearch_exposure")
    assert (finding.count, finding.unknown) == (1, 1)
    assert [one["domain"] for one in finding.examples] == [f"{ACCOUNT}/wide"]
