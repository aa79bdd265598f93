"""DynamoDB tables and their global secondary indexes."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, incoming, key, parent, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


class DynamoDBTable(AWSNode, label="DynamoDBTable", tenant="AWSAccount", arn="dynamodb:table"):
    id: str = key("DescribeTable.Table.TableArn")
    arn: str = prop("DescribeTable.Table.TableArn", index=True)
    name: str = prop("TableName", index=True)
    table_status: str | None = prop("DescribeTable.Table.TableStatus")
    creation_date_time: str | None = prop("DescribeTable.Table.CreationDateTime")
    rows: int | None = prop("DescribeTable.Table.ItemCount", "Brought up to date by AWS every six hours.")
    size: int | None = prop("DescribeTable.Table.TableSizeBytes", "Bytes.")
    provisioned_throughput_read_capacity_units: int | None = prop(
        "DescribeTable.Table.ProvisionedThroughput.ReadCapacityUnits", "0: it is paid per request."
    )
    provisioned_throughput_write_capacity_units: int | None = prop(
        "DescribeTable.Table.ProvisionedThroughput.WriteCapacityUnits", "0: it is paid per request."
    )
    billing_mode: str | None = prop(
        "DescribeTable.Table.BillingModeSummary.BillingMode", "None: provisioned, and never was anything else."
    )
    deletion_protection_enabled: bool | None = prop("DescribeTable.Table.DeletionProtectionEnabled")
    region: str = prop(scope_region)


def index_arn(index: Source) -> str:
    """An index that is being created may have no ARN yet; it follows from the table's."""
    arn: str | None = index.item.get("IndexArn")
    return arn or f"{parent('TableArn')(index)}/index/{index.item['IndexName']}"


class DynamoDBGlobalSecondaryIndex(AWSNode, label="DynamoDBGlobalSecondaryIndex", arn=None):
    id: str = key(index_arn)
    arn: str = prop(index_arn, index=True)
    name: str = prop("IndexName")
    provisioned_throughput_read_capacity_units: int | None = prop(
        "ProvisionedThroughput.ReadCapacityUnits", "0: it is paid per request."
    )
    provisioned_throughput_write_capacity_units: int | None = prop(
        "ProvisionedThroughput.WriteCapacityUnits", "0: it is paid per request."
    )
    region: str = prop(scope_region)
    relationships = (incoming("GLOBAL_SECONDARY_INDEX", "DynamoDBTable", parent("TableArn")),)


class DynamoDBStream(AWSNode, label="DynamoDBStream", arn=None):
    id: str = key("LatestStreamArn")
    arn: str = prop("LatestStreamArn", index=True)
    stream_label: str | None = prop("LatestStreamLabel", "When it was made, in UTC.")
    stream_enabled: bool | None = prop("StreamSpecification.StreamEnabled", "None: it was switched off.")
    stream_view_type: str | None = prop("StreamSpecification.StreamViewType")
    relationships = (incoming("LATEST_STREAM", "DynamoDBTable", "TableArn"),)


def streams(table: Source) -> list[dict[str, object]]:
    described: dict[str, object] = table.item["DescribeTable"]["Table"]
    return [described] if "LatestStreamArn" in described else []


TABLES: Final = ResourceType(
    "aws.dynamodb.tables",
    Per.REGION,
    fetch=listing("dynamodb:ListTables", named="TableName", not_found_codes="ResourceNotFoundException").detail(
        "dynamodb:DescribeTable", TableName="TableName"
    ),
    yields=(
        DynamoDBTable,
        DynamoDBGlobalSecondaryIndex.each("DescribeTable.Table.GlobalSecondaryIndexes[]"),
        DynamoDBStream.each(streams),
    ),
    aliases=("dynamodb",),
)
