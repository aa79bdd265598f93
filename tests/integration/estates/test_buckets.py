"""S3 buckets from a simulated AWS to the graph: their settings, and details that are denied."""

from __future__ import annotations

import json

from loaders.graph import Graph
from tasks.aws.client import client_pool
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.resource import NOT_SEEN
from tests.integration.estates.conftest import ACCOUNT, Client, Fetch, Load, found
from tests.servers.aws import AwsServer, Effect, Fault


def test_settings_of_buckets_and_of_the_account(client: Client, load: Load, graph: Graph) -> None:
    s3, arn = client("s3", "us-east-1"), client("kms").create_key()["KeyMetadata"]["Arn"]
    for name in ("kept", "bare"):
        s3.create_bucket(Bucket=name)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
    s3.put_bucket_encryption(Bucket="kept", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    block = {"IgnorePublicAcls": True, "RestrictPublicBuckets": False}
    s3.put_public_access_block(Bucket="kept", PublicAccessBlockConfiguration=block)
    control = client("s3control", "us-east-1")
    control.meta.events.register("before-sign.s3-control", client_pool._without_account_in_address)
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    load("aws.kms.keys", "aws.s3.buckets", "aws.s3.account_public_access_block")
    assert found(
        graph,
        "MATCH (b:AWSS3Bucket) RETURN b.name, b.versioning_status, b.encryption_algorithm, b.ignore_public_acls, "
        "b.restrict_public_buckets, b.object_ownership, b.logging_enabled",
    ) == {
        ("kept", "Enabled", "aws:kms", True, False, "ObjectWriter", False),
        ("bare", "Disabled", None, False, False, "ObjectWriter", False),
    }
    assert found(graph, "MATCH (b:S3Bucket)-[:ENCRYPTED_BY]->(k:KMSKey) RETURN b.name, k.arn") == {("kept", arn)}
    blocks = (
        "MATCH (:AWSAccount)-[:RESOURCE]->(b:S3AccountPublicAccessBlock) "
        "RETURN b.id, b.block_public_policy, b.ignore_public_acls"
    )
    assert found(graph, blocks) == {(ACCOUNT, True, False)}


def test_a_denied_detail_is_a_gap_and_the_bucket_is_loaded(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    client("s3", "us-east-1").create_bucket(Bucket="closed")
    aws.add(Fault(Effect.DENY, service="s3", action="GetBucketEncryption"))
    [bucket] = fetch("aws.s3.buckets")
    assert (bucket.failure, [gap.action for gap in bucket.gaps]) == (None, ["s3:GetEncryptionConfiguration"])


def test_statements_that_could_not_be_read_are_not_deleted(
    client: Client, load: Load, graph: Graph, fetch: Fetch, aws: AwsServer
) -> None:
    s3 = client("s3", "us-east-1")
    s3.create_bucket(Bucket="shared")
    statement = {"Sid": "put", "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    s3.put_bucket_policy(Bucket="shared", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    load("aws.s3.buckets", "aws.s3.policy_statements")
    stated = (
        "MATCH (b:S3Bucket)-[:POLICY_STATEMENT]->(s:S3PolicyStatement) RETURN b.name, s.sid, s.action[0], s.principal"
    )
    assert found(graph, stated) == {("shared", "put", "s3:PutObject", '"*"')}
    aws.add(Fault(Effect.DENY, service="s3", action="GetBucketPolicy"))
    [denied] = fetch("aws.s3.policy_statements")
    assert denied.value["GetBucketPolicy"] is NOT_SEEN  # so the statements in the graph are kept
    assert [gap.action for gap in denied.gaps] == ["s3:GetBucketPolicy"]


def test_details_of_many_buckets_are_read_concurrently(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    s3 = client("s3", "us-east-1")
    for number in range(60):
        s3.create_bucket(Bucket=f"many-{number}")
    aws.reset()
    aws.latency(0.08)
    assert len(fetch("aws.s3.buckets")) == 60
    calls = aws.calls(recent=0)
    assert calls.max_in_flight == CALLS_IN_FLIGHT
    assert calls.count("s3") == 1 + 60 * 6
