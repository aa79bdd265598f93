"""Redshift clusters."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, key, listing, outgoing, prop

# The response has the ARN of the cluster's namespace only. Policies and tags use this one.
cluster_arn = arn_at("redshift:cluster", "ClusterIdentifier")


class RedshiftCluster(RegionalNode, label="RedshiftCluster", tenant="AWSAccount", arn="redshift:cluster"):
    id: str = key(cluster_arn)
    arn: str = prop(cluster_arn, index=True)
    cluster_identifier: str = prop("ClusterIdentifier")
    availability_zone: str | None = prop("AvailabilityZone")
    cluster_create_time: str | None = prop("ClusterCreateTime")
    cluster_revision_number: str | None = prop("ClusterRevisionNumber")
    cluster_status: str | None = prop("ClusterStatus")
    db_name: str | None = prop("DBName")
    encrypted: bool | None = prop("Encrypted")
    endpoint_address: str | None = prop("Endpoint.Address", "None while the cluster is being created.")
    endpoint_port: int | None = prop("Endpoint.Port", "None while the cluster is being created.")
    master_username: str | None = prop("MasterUsername")
    node_type: str | None = prop("NodeType")
    number_of_nodes: int | None = prop("NumberOfNodes")
    publicly_accessible: bool | None = prop("PubliclyAccessible")
    vpc_id: str | None = prop("VpcId", "None in EC2-Classic.")
    relationships = (
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "VpcSecurityGroups[].VpcSecurityGroupId"),
        outgoing("STS_ASSUMEROLE_ALLOW", "AWSPrincipal", "IamRoles[].IamRoleArn"),
        outgoing("MEMBER_OF_AWS_VPC", "AWSVpc", "VpcId"),
    )


CLUSTERS: Final = ResourceType(
    "aws.redshift.clusters", Per.REGION, fetch=listing("redshift:DescribeClusters"), yields=(RedshiftCluster,)
)
