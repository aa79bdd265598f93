"""Lambda functions from a simulated AWS to the graph: roles, policies, event sources, and no secrets."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from loaders.graph import Graph
from tests.integration.estates.conftest import Client, Load, found
from tests.integration.estates.databases import SECRET, database
from tests.servers.aws import AwsServer, Effect, Fault


@pytest.fixture
def function(client: Client) -> Callable[..., str]:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handle(event, context): pass")

    def create(name: str, role: str, **more: Any) -> str:
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

    return create


@pytest.fixture
def role(client: Client) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(client("iam").create_role(RoleName="work", AssumeRolePolicyDocument=document)["Role"]["Arn"])


def test_a_function_is_linked_to_its_role_by_the_names_of_every_schema_version(
    client: Client, function: Callable[..., str], role: str, load: Load, graph: Graph
) -> None:
    function("work", role)
    edges = "MATCH (:AWSLambda {name: 'work'})-[e]->(p:AWSPrincipal) RETURN type(e), p.arn"
    types = ("STS_ASSUME_ROLE_ALLOW", "STS_ASSUMEROLE_ALLOW", "ASSUMES")
    for _ in range(2):  # in 2020 the cleanup deleted them again
        load("aws.lambda.functions", "aws.iam.roles")
        assert found(graph, edges) == {(type_, role) for type_ in types}
    client("iam").delete_role(RoleName="work")
    load("aws.lambda.functions", "aws.iam.roles")
    assert found(graph, edges) == set(), "no link to a deleted role"


def test_what_the_policy_of_a_function_allows_anybody_to_do(
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


def test_event_source_mappings_belong_to_their_function(
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
    """From environment variables, secrets, and databases."""
    function("work", role, Environment={"Variables": {"TOKEN": SECRET}})
    client("secretsmanager").create_secret(Name="token", SecretString=SECRET)
    database(client("rds"), "orders")
    load("aws.lambda.functions", "aws.secretsmanager.secrets", "aws.rds.instances")
    everything = json.dumps(graph.rows("MATCH (n) RETURN labels(n) AS l, properties(n) AS p"))
    assert "SecretsManagerSecretVersion" in everything
    assert SECRET not in everything
