"""Services by a whole estate: from the simulator, over HTTP, to what the graph says."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from loaders.graph import Graph
from tasks.aws.client import pool
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.resource import NOT_SEEN
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Fetch, Load, found
from tests.servers.aws import AwsServer, Effect, Fault

ELSEWHERE = "eu-central-1"
SECRET = "nobody-may-see-this"  # what must not be in the graph
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}


def database(rds: Any, name: str, **more: Any) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="dbadmin",
        MasterUserPassword=SECRET,
        **more,
    )


# --- RDS ---


def test_a_database_is_in_its_subnet_group_and_one_without_a_database_is_there(
    client: Client, load: Load, graph: Graph
) -> None:
    rds, subnets = client("rds"), [each["SubnetId"] for each in client("ec2").describe_subnets()["Subnets"]][:2]
    for name in ("private", "unused"):
        rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=subnets)
    database(rds, "orders", DBSubnetGroupName="private")
    load("aws.rds.instances", "aws.rds.subnet_groups")
    members = (
        "MATCH (i:RDSInstance)-[:MEMBER_OF_DB_SUBNET_GROUP]->(g:DBSubnetGroup) RETURN i.db_instance_identifier, g.name"
    )
    assert found(graph, members) == {("orders", "private")}
    groups = "MATCH (g:DBSubnetGroup)-[:RESOURCE]->(s:EC2Subnet) RETURN g.name, s.subnetid"
    assert found(graph, groups) == {(name, subnet) for name in ("private", "unused") for subnet in subnets}


def test_a_database_is_a_member_of_its_cluster(client: Client, load: Load, graph: Graph) -> None:
    rds = client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-mysql", MasterUsername="dbadmin", MasterUserPassword=SECRET
    )
    rds.create_db_instance(
        DBInstanceIdentifier="writer",
        DBClusterIdentifier="orders",
        DBInstanceClass="db.t3.medium",
        Engine="aurora-mysql",
    )
    load("aws.rds.clusters", "aws.rds.instances")
    members = "MATCH (:RDSInstance)-[:IS_CLUSTER_MEMBER_OF]->(c:RDSCluster) RETURN c.id"
    assert found(graph, members) == {(f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders",)}


@pytest.fixture
def snapshots(client: Client) -> Any:
    rds = client("rds")
    database(rds, "orders")
    for name, accounts in (("given-away", ["all"]), ("shared", ["444455556666"]), ("kept", [])):
        rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier=name)
        if accounts:
            rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=accounts)
    return rds


PUBLIC = "MATCH (s:RDSSnapshot {snapshot_type: 'manual'}) RETURN s.db_snapshot_identifier, s.ispublic"


@pytest.mark.usefixtures("snapshots")
def test_a_snapshot_that_everybody_may_restore_is_public(load: Load, graph: Graph, aws: AwsServer) -> None:
    load("aws.rds.snapshots", "aws.rds.instances")
    assert found(graph, PUBLIC) == {("given-away", True), ("shared", False), ("kept", False)}
    assert aws.calls().count("rds", "DescribeDBSnapshotAttributes") == 3, "of those made by hand"
    taken = "MATCH (s:RDSSnapshot)-[:IS_SNAPSHOT_SOURCE]->(i:RDSInstance) RETURN s.db_snapshot_identifier"
    assert {("given-away",), ("shared",), ("kept",)} <= found(graph, taken)


@pytest.mark.usefixtures("snapshots")
def test_who_may_restore_a_snapshot_is_not_known_where_that_is_denied(load: Load, graph: Graph, aws: AwsServer) -> None:
    aws.add(Fault(Effect.DENY, service="rds", action="DescribeDBSnapshotAttributes", param="given-away"))
    load("aws.rds.snapshots")
    assert found(graph, PUBLIC) == {("given-away", None), ("shared", False), ("kept", False)}


# --- keys, and what they encrypt ---


def test_what_is_encrypted_leads_to_its_key_by_whatever_name(client: Client, load: Load, graph: Graph) -> None:
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


def test_what_a_keys_policy_lets_anybody_do(client: Client, load: Load, graph: Graph) -> None:
    kms = client("kms")
    for name, more in (("open", {"Policy": json.dumps({"Statement": [ANYBODY]})}), ("own", {})):
        kms.create_key(Description=name, **more)
    load("aws.kms.keys")
    assert found(graph, "MATCH (k:KMSKey) RETURN k.description, k.anonymous_access, k.anonymous_actions[0]") == {
        ("open", True, "kms:Decrypt"),
        ("own", False, None),
    }


def test_a_key_that_keeps_out_who_asks_is_there_all_the_same(
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


def test_a_key_that_vanishes_on_the_way_takes_no_other_along(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    kms = client("kms")
    gone, there = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    aws.add(Fault(Effect.DENY, service="kms", action="DescribeKey", param=gone, code="NotFoundException", status=400))
    assert [item.value["KeyId"] for item in fetch("aws.kms.keys") if item.failure is None] == [there]


def test_the_replicas_of_a_key_are_keys_of_their_own(client: Client, load: Load, graph: Graph) -> None:
    """They have one id; each region reads its own, and must not delete the other's."""
    key = client("kms").create_key(MultiRegion=True)["KeyMetadata"]
    client("kms").replicate_key(KeyId=key["KeyId"], ReplicaRegion=ELSEWHERE)
    load("aws.kms.keys", regions=(REGION, ELSEWHERE))
    assert found(graph, "MATCH (:AWSAccount)-[:RESOURCE]->(k:KMSKey) RETURN k.id, k.region") == {
        (key["KeyId"], REGION),
        (key["KeyId"], ELSEWHERE),
    }


# --- Lambda ---


@pytest.fixture
def function(client: Client) -> Callable[..., str]:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handle(event, context): pass")

    def made(name: str, role: str, **more: Any) -> str:
        return str(
            client("lambda").create_function(
                FunctionName=name,
                Role=role,
                Runtime="python3.12",
                Handler="app.handle",
                Code={"ZipFile": code.getvalue()},
                **more,
            )["FunctionArn"]
        )

    return made


@pytest.fixture
def role(client: Client) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(client("iam").create_role(RoleName="work", AssumeRolePolicyDocument=document)["Role"]["Arn"])


def test_a_function_may_assume_its_role_in_the_words_of_every_generation(
    client: Client, function: Callable[..., str], role: str, load: Load, graph: Graph
) -> None:
    function("work", role)
    edges = "MATCH (:AWSLambda {name: 'work'})-[e]->(p:AWSPrincipal) RETURN type(e), p.arn"
    types = ("STS_ASSUME_ROLE_ALLOW", "STS_ASSUMEROLE_ALLOW", "ASSUMES")
    for _ in range(2):  # in 2020 a cleanup deleted them at once
        load("aws.lambda.functions", "aws.iam.roles")
        assert found(graph, edges) == {(type_, role) for type_ in types}
    client("iam").delete_role(RoleName="work")
    load("aws.lambda.functions", "aws.iam.roles")
    assert found(graph, edges) == set(), "nobody assumes a role that isn't there"


def test_what_a_functions_policy_lets_anybody_do(
    client: Client, function: Callable[..., str], role: str, load: Load, graph: Graph, aws: AwsServer
) -> None:
    for name, principal in (("open", "*"), ("topic", "sns.amazonaws.com"), ("own", ""), ("unread", "*")):
        function(name, role)
        if principal:
            client("lambda").add_permission(
                FunctionName=name, StatementId="it", Action="lambda:InvokeFunction", Principal=principal
            )
    aws.add(Fault(Effect.DENY, service="lambda", action="GetPolicy", param="unread"))
    load("aws.lambda.functions")
    assert found(graph, "MATCH (f:AWSLambda) RETURN f.name, f.anonymous_access, f.anonymous_actions[0]") == {
        ("open", True, "lambda:InvokeFunction"),
        ("topic", False, None),
        ("own", False, None),
        ("unread", None, None),
    }


def test_what_invokes_a_function_hangs_on_it(
    client: Client, function: Callable[..., str], role: str, load: Load, graph: Graph
) -> None:
    function("work", role)
    queue = client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="work")
    load("aws.lambda.functions", "aws.lambda.event_source_mappings")
    invoked = "MATCH (f:AWSLambda)-[:RESOURCE]->(m:AWSLambdaEventSourceMapping) RETURN f.name, m.eventsourcearn"
    assert found(graph, invoked) == {("work", arn)}


def test_no_secret_is_in_the_graph(
    client: Client, function: Callable[..., str], role: str, load: Load, graph: Graph
) -> None:
    """Of an environment, a secret, and a database."""
    function("work", role, Environment={"Variables": {"TOKEN": SECRET}})
    client("secretsmanager").create_secret(Name="token", SecretString=SECRET)
    database(client("rds"), "orders")
    load("aws.lambda.functions", "aws.secretsmanager.secrets", "aws.rds.instances")
    everything = json.dumps(graph.rows("MATCH (n) RETURN labels(n) AS l, properties(n) AS p"))
    assert "SecretsManagerSecretVersion" in everything
    assert SECRET not in everything


# --- ECR ---


def test_repositories_share_an_image_and_each_has_its_tags(client: Client, load: Load, graph: Graph) -> None:
    ecr = client("ecr")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:c0"},
        "layers": [],
    }
    for name, tags in (("web", ("1.0", "latest")), ("mirror", ("latest",))):
        ecr.create_repository(repositoryName=name)
        for tag in tags:
            ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag=tag)
    ecr.create_repository(repositoryName="empty")
    load("aws.ecr.repositories")
    tags = "MATCH (r:ECRRepository)-[:REPO_IMAGE]->(t:ECRRepositoryImage)-[:IMAGE]->(:ECRImage) RETURN r.name, t.tag"
    assert found(graph, tags) == {("web", "1.0"), ("web", "latest"), ("mirror", "latest")}
    assert found(graph, "MATCH (i:ECRImage) RETURN count(i)") == {(1,)}
    ecr.delete_repository(repositoryName="web", force=True)
    load("aws.ecr.repositories")
    assert found(graph, tags) == {("mirror", "latest")}
    ecr.delete_repository(repositoryName="mirror", force=True)
    load("aws.ecr.repositories")
    assert found(graph, "MATCH (i:ECRImage) RETURN count(i)") == {(0,)}


# --- EKS ---


def test_a_cluster_is_described_and_one_that_vanishes_is_passed_over(
    client: Client, load: Load, graph: Graph, fetch: Fetch, aws: AwsServer
) -> None:
    subnets = [each["SubnetId"] for each in client("ec2").describe_subnets()["Subnets"]][:2]
    for name in ("work", "gone"):
        client("eks").create_cluster(
            name=name,
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks",
            resourcesVpcConfig={
                "subnetIds": subnets,
                "endpointPublicAccess": True,
                "publicAccessCidrs": ["203.0.113.0/24"],
            },
        )
    gone = {"code": "ResourceNotFoundException", "status": 404, "param": "/gone"}
    aws.add(Fault(Effect.DENY, service="eks", action="DescribeCluster", **gone))
    assert {item.value["name"] for item in fetch("aws.eks.clusters") if item.failure is None} == {"work"}
    aws.reset()
    load("aws.eks.clusters")
    assert found(
        graph,
        "MATCH (:AWSAccount)-[:RESOURCE]->(c:EKSCluster) RETURN c.name, c.arn, c.public_access_wide",
    ) == {(name, f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}", False) for name in ("work", "gone")}


# -- buckets


def test_how_a_bucket_is_kept_and_what_its_account_blocks(client: Client, load: Load, graph: Graph) -> None:
    s3, arn = client("s3", "us-east-1"), client("kms").create_key()["KeyMetadata"]["Arn"]
    for name in ("kept", "bare"):
        s3.create_bucket(Bucket=name)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
    s3.put_bucket_encryption(Bucket="kept", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    block = {"IgnorePublicAcls": True, "RestrictPublicBuckets": False}
    s3.put_public_access_block(Bucket="kept", PublicAccessBlockConfiguration=block)
    control = client("s3control", "us-east-1")
    control.meta.events.register("before-sign.s3-control", pool._without_account_in_address)
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


def test_a_detail_that_is_denied_is_a_gap_and_the_bucket_stays(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    client("s3", "us-east-1").create_bucket(Bucket="closed")
    aws.add(Fault(Effect.DENY, service="s3", action="GetBucketEncryption"))
    [bucket] = fetch("aws.s3.buckets")
    assert (bucket.failure, [gap.action for gap in bucket.gaps]) == (None, ["s3:GetEncryptionConfiguration"])


def test_a_statement_that_could_not_be_read_is_not_one_that_is_gone(
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
    assert denied.value["GetBucketPolicy"] is NOT_SEEN  # so what the graph has of it stays
    assert [gap.action for gap in denied.gaps] == ["s3:GetBucketPolicy"]


def test_the_details_of_many_buckets_are_read_at_the_same_time(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    s3 = client("s3", "us-east-1")
    for number in range(60):
        s3.create_bucket(Bucket=f"many-{number}")
    aws.reset()
    aws.latency(0.08)
    assert len(fetch("aws.s3.buckets")) == 60
    calls = aws.calls(recent=0)
    assert calls.max_in_flight == CALLS_IN_FLIGHT
    assert calls.count("s3") == 1 + 60 * 6


# -- what acts as a role


def test_an_instance_acts_as_the_role_of_its_profile(client: Client, load: Load, graph: Graph) -> None:
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "web"})
    load("aws.iam.roles", "aws.iam.instance_profiles", "aws.ec2.instances")
    assert found(
        graph,
        "MATCH (:AWSEC2Instance)-[:INSTANCE_PROFILE]->(p:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(r:AWSRole) "
        "RETURN p.instance_profile_name, r.arn",
    ) == {("web", role)}


def test_a_provider_is_one_node_with_what_trust_policies_name(client: Client, load: Load, graph: Graph) -> None:
    iam, url = client("iam"), "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    provider = arn["OpenIDConnectProviderArn"]
    saml = iam.create_saml_provider(SAMLMetadataDocument="<x/>" * 300, Name="corporate")["SAMLProviderArn"]
    for name, federated in {"deploy": provider, "staff": saml}.items():
        trust = {"Effect": "Allow", "Principal": {"Federated": federated}, "Action": "sts:AssumeRoleWithWebIdentity"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    load("aws.iam.roles", "aws.iam.saml_providers", "aws.iam.oidc_providers")
    trusts = "MATCH (r:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(p:{}) RETURN r.name, p.arn, p.type, {}"
    assert found(graph, trusts.format("AWSOIDCProvider", "p.client_ids[0]")) == {
        ("deploy", provider, "Federated", "sts.amazonaws.com")
    }
    assert found(graph, trusts.format("AWSSAMLProvider", "p.name")) == {("staff", saml, "Federated", "corporate")}


def test_a_key_that_was_never_used_has_no_date(client: Client, load: Load, graph: Graph) -> None:
    iam = client("iam")
    iam.create_user(UserName="robot")
    key = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
    load("aws.iam.users", "aws.iam.access_keys")
    used = "MATCH (:AWSUser)-[:AWS_ACCESS_KEY]->(k:AccountAccessKey) RETURN k.accesskeyid, k.lastuseddate"
    assert found(graph, used) == {(key, None)}
