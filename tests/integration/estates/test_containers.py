"""ECR and EKS from a simulated AWS to the graph."""

from __future__ import annotations

import json
from typing import Any

from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Fetch, Load, found
from tests.servers.aws import AwsServer, Effect, Fault


def test_repositories_share_an_image_and_have_their_own_tags(client: Client, load: Load, graph: Graph) -> None:
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
    tagged = "MATCH (r:ECRRepository)-[:REPO_IMAGE]->(t:ECRRepositoryImage)-[:IMAGE]->(:ECRImage) RETURN r.name, t.tag"
    assert found(graph, tagged) == {("web", "1.0"), ("web", "latest"), ("mirror", "latest")}
    assert found(graph, "MATCH (i:ECRImage) RETURN count(i)") == {(1,)}
    ecr.delete_repository(repositoryName="web", force=True)
    load("aws.ecr.repositories")
    assert found(graph, tagged) == {("mirror", "latest")}
    ecr.delete_repository(repositoryName="mirror", force=True)
    load("aws.ecr.repositories")
    assert found(graph, "MATCH (i:ECRImage) RETURN count(i)") == {(0,)}


def test_clusters_are_described_and_a_deleted_one_is_skipped(
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
    gone: dict[str, Any] = {"code": "ResourceNotFoundException", "status": 404, "param": "/gone"}
    aws.add(Fault(Effect.DENY, service="eks", action="DescribeCluster", **gone))
    assert {item.value["name"] for item in fetch("aws.eks.clusters") if item.failure is None} == {"work"}
    aws.reset()
    load("aws.eks.clusters")
    assert found(
        graph,
        "MATCH (:AWSAccount)-[:RESOURCE]->(c:EKSCluster) RETURN c.name, c.arn, c.public_access_wide",
    ) == {(name, f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}", False) for name in ("work", "gone")}
