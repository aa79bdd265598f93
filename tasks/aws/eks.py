"""EKS clusters, and who can reach their API endpoints."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.ip_range import are_wide
from tasks.provider import Per, ResourceType, Source, at, key, listing, prop


def audit_logging(cluster: Source) -> bool | None:
    """Whether the audit log is among the enabled logs."""
    logs = at("DescribeCluster.cluster.logging", cluster.item)
    if logs is None:
        return None
    return any(log.get("enabled") and "audit" in log.get("types", ()) for log in logs.get("clusterLogging", ()))


def public_access_wide(cluster: Source) -> bool | None:
    """By the CIDR ranges of the public endpoint; without any, EKS allows every address."""
    network = at("DescribeCluster.cluster.resourcesVpcConfig", cluster.item)
    if network is None:
        return None
    ranges = network.get("publicAccessCidrs") or ()
    return not ranges or are_wide(ranges)


class EKSCluster(RegionalNode, label="EKSCluster", tenant="AWSAccount", arn="eks:cluster"):
    id: str = key("DescribeCluster.cluster.arn")
    arn: str = prop("DescribeCluster.cluster.arn", index=True)
    name: str = prop("name", index=True)
    created_at: str | None = prop("DescribeCluster.cluster.createdAt")
    status: str | None = prop("DescribeCluster.cluster.status")
    version: str | None = prop("DescribeCluster.cluster.version", "Kubernetes version.")
    platform_version: str | None = prop("DescribeCluster.cluster.platformVersion")
    rolearn: str | None = prop("DescribeCluster.cluster.roleArn")
    authentication_mode: str | None = prop("DescribeCluster.cluster.accessConfig.authenticationMode")
    endpoint: str | None = prop("DescribeCluster.cluster.endpoint", "None while the cluster is being created.")
    endpoint_public_access: bool | None = prop(
        "DescribeCluster.cluster.resourcesVpcConfig.endpointPublicAccess",
        "Whether the endpoint is public. None: EKS did not report it.",
    )
    public_access_cidrs: list[str] | None = prop(
        "DescribeCluster.cluster.resourcesVpcConfig.publicAccessCidrs",
        "The ranges that may reach the public endpoint.",
    )
    public_access_wide: bool | None = prop(
        public_access_wide,
        "Whether public_access_cidrs allow anybody: empty, or together as wide as IpRange.wide. None: not reported.",
    )
    audit_logging: bool | None = prop(audit_logging, "Whether the audit log is enabled. None: EKS did not report it.")


CLUSTERS: Final = ResourceType(
    "aws.eks.clusters",
    Per.REGION,
    fetch=listing("eks:ListClusters", name_field="name", not_found_codes="ResourceNotFoundException").detail(
        "eks:DescribeCluster", name="name"
    ),
    yields=(EKSCluster,),
)
