"""VPC flow logs: which VPCs, subnets and network interfaces have one, and whether it gets through."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, id_link, key, listing, prop


class EC2FlowLog(RegionalNode, label="EC2FlowLog", tenant="AWSAccount", arn="ec2:vpc-flow-log/{id}"):
    id: str = key("FlowLogId")
    resource_id: str | None = prop(
        "ResourceId", "What it is of: a VPC, a subnet, a network interface, a transit gateway, ...", index=True
    )
    status: str | None = prop("FlowLogStatus", "Always ACTIVE.")
    traffic_type: str | None = prop("TrafficType", "ALL, ACCEPT or REJECT. None: a transit gateway, all of it.")
    deliver_logs_status: str | None = prop("DeliverLogsStatus", "SUCCESS or FAILED.")
    deliver_logs_error_message: str | None = prop("DeliverLogsErrorMessage", "None: no error.")
    deliver_logs_permission_arn: str | None = prop("DeliverLogsPermissionArn")
    log_destination_type: str | None = prop("LogDestinationType", "cloud-watch-logs, s3 or kinesis-data-firehose.")
    log_destination: str | None = prop("LogDestination", "ARN of a log group, a bucket or a stream.")
    log_group_name: str | None = prop("LogGroupName")
    log_format: str | None = prop("LogFormat")
    max_aggregation_interval: int | None = prop("MaxAggregationInterval", "In seconds.")
    creation_time: str | None = prop("CreationTime")
    relationships = (
        id_link("FLOW_LOG", "AWSVpc", "ResourceId", incoming=True),
        id_link("FLOW_LOG", "EC2Subnet", "ResourceId", incoming=True),
        id_link("FLOW_LOG", "NetworkInterface", "ResourceId", incoming=True),
    )


FLOW_LOGS: Final = ResourceType(
    "aws.ec2.flow_logs", Per.REGION, fetch=listing("ec2:DescribeFlowLogs"), yields=(EC2FlowLog,)
)
