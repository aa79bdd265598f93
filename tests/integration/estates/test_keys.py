"""KMS keys from a simulated AWS to the graph: their policies, and the resources that they encrypt."""

from __future__ import annotations

import json

from loaders.graph import Graph
from tests.integration.estates.conftest import REGION, Client, Fetch, Load, found
from tests.integration.estates.databases import SECRET, database
from tests.servers.aws import AwsServer, Effect, Fault

ELSEWHERE = "eu-central-1"
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}


def test_encrypted_resources_lead_to_their_key_by_arn_id_or_alias(client: Client, load: Load, graph: Graph) -> None:
    kms, secrets = client("kms"), client("secretsmanager")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    database(client("rds"), "orders", StorageEncrypted=True, KmsKeyId=key["Arn"])
    secrets.create_secret(Name="by-id", SecretString=SECRET, KmsKeyId=key["KeyId"])
    secrets.create_secret(Name="by-alias", SecretString=SECRET, KmsKeyId="alias/mine")
    secrets.create_secret(Name="by-default", SecretString=SECRET)
    load("aws.kms.keys", "aws.kms.aliases", "aws.rds.instances", "aws.secretsmanager.secrets")
    encrypted = (
        "MATCH (n:RDSInstance|SecretsManagerSecret)-[:ENCRYPTED_BY]->(named)-[:KNOWN_AS*0..1]->(k:KMSKey)"
        " RETURN coalesce(n.name, n.db_instance_identifier), named:KMSAlias, k.arn"
    )
    assert found(graph, encrypted) == {
        ("orders", False, key["Arn"]),
        ("by-id", False, key["Arn"]),
        ("by-alias", True, key["Arn"]),
    }


def test_what_the_policy_of_a_key_allows_anybody_to_do(client: Client, load: Load, graph: Graph) -> None:
    kms = client("kms")
    for name, more in (("open", {"Policy": json.dumps({"Statement": [ANYBODY]})}), ("own", {})):
        kms.create_key(Description=name, **more)
    load("aws.kms.keys")
    assert found(graph, "MATCH (k:KMSKey) RETURN k.description, k.anonymous_access, k.anonymous_actions[0]") == {
        ("open", True, "kms:Decrypt"),
        ("own", False, None),
    }


def test_a_key_that_denies_access_to_its_details_is_loaded(
    client: Client, load: Load, graph: Graph, aws: AwsServer
) -> None:
    kms = client("kms")
    closed, seen = (kms.create_key(Description=name)["KeyMetadata"]["KeyId"] for name in ("closed", "seen"))
    for action in ("DescribeKey", "GetKeyPolicy"):
        aws.add(Fault(Effect.DENY, service="kms", action=action, param=closed))
    load("aws.kms.keys")
    assert found(graph, "MATCH (k:KMSKey) RETURN k.id, k.description, k.anonymous_access") == {
        (closed, None, None),
        (seen, "seen", False),
    }


def test_a_key_that_is_deleted_meanwhile_does_not_affect_others(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    kms = client("kms")
    gone, there = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    aws.add(Fault(Effect.DENY, service="kms", action="DescribeKey", param=gone, code="NotFoundException", status=400))
    assert [item.value["KeyId"] for item in fetch("aws.kms.keys") if item.failure is None] == [there]


def test_replicas_of_a_key_are_separate_nodes(client: Client, load: Load, graph: Graph) -> None:
    """They share an id. Each region reads its own, and must not delete the other."""
    key = client("kms").create_key(MultiRegion=True)["KeyMetadata"]
    client("kms").replicate_key(KeyId=key["KeyId"], ReplicaRegion=ELSEWHERE)
    load("aws.kms.keys", regions=(REGION, ELSEWHERE))
    assert found(graph, "MATCH (:AWSAccount)-[:RESOURCE]->(k:KMSKey) RETURN k.id, k.region") == {
        (key["KeyId"], REGION),
        (key["KeyId"], ELSEWHERE),
    }
