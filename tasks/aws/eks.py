"""EKS clusters, and whom their API endpoint lets in."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, at, key, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.ip_range import are_wide
from tasks.resource import Per, ResourceType


def audit_logging(cluster: Source) -> bool | None:
    """Whether one of the logs that are switched on is the audit log; None where EKS says nothing of logs."""
    logs = at("DescribeCluster.cluster.logging", cluster.item)
    if logs is None:
        return None
    return any(log.get("enabled") and "audit" in log.get("types", ()) for log in logs.get("clusterLogging", ()))


def public_access_wide(cluster: Source) -> bool | None:
    """Whether the ranges of the public endpoint limit nobody; without any, EKS lets in everybody."""
    network = at("DescribeCluster.cluster.resourcesVpcConfig", cluster.item)
    if network is None:
        return None
    ranges = network.get("publicAccessCidrs") or ()
    return not ranges or are_wide(ranges)


class EKSCluster(AWSNode, label="EKSCluster", tenant="AWSAccount", arn="eks:cluster"):
    id: str = key("DescribeCluster.cluster.arn")
    arn: str = prop("DescribeCluster.cluster.arn", index=True)
    name: str = prop("name", index=True)
    created_at: str | None = prop("DescribeCluster.cluster.createdAt")
    status: str | None = prop("DescribeCluster.cluster.status")
    version: str | None = prop("DescribeCluster.cluster.version", "Of Kubernetes.")
    platform_version: str | None = prop("DescribeCluster.cluster.platformVersion")
    rolearn: str | None = prop("DescribeCluster.cluster.roleArn")
    authentication_mode: str | None = prop("DescribeCluster.cluster.accessConfig.authenticationMode")
    endpoint: str | None = prop("DescribeCluster.cluster.endpoint", "None while the cluster is being created.")
    endpoint_public_access: bool | None = prop(
        "DescribeCluster.cluster.resourcesVpcConfig.endpointPublicAccess", "None: EKS did not say."
    )
    public_access_cidrs: list[str] | None = prop(
        "DescribeCluster.cluster.resourcesVpcConfig.publicAccessCidrs", "Whom the public endpoint lets in, if it is on."
    )
    public_access_wide: bool | None = prop(
        public_access_wide,
        "public_access_cidrs let in anybody: there is none, or together they are as wide as IpRange.wide.",
    )
    audit_logging: bool | None = prop(audit_logging, "None: EKS did not say.")
    region: str = prop(scope_region)


CLUSTERS: Final = ResourceType(
    "aws.eks.clusters",
    Per.REGION,
    fetch=listing("eks:ListClusters", named="name", not_found_codes="ResourceNotFoundException").detail(
        "eks:DescribeCluster", name="name"
    ),
    yields=(EKSCluster,),
    aliases=("eks",),
)
