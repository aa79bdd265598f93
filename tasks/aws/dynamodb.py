"""DynamoDB tables and their global secondary indexes."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.provider import Per, ResourceType, Source, incoming, key, listing, parent, prop


class DynamoDBTable(RegionalNode, label="DynamoDBTable", tenant="AWSAccount", arn="dynamodb:table"):
    id: str = key("DescribeTable.Table.TableArn")
    arn: str = prop("DescribeTable.Table.TableArn", index=True)
    name: str = prop("TableName", index=True)
    table_status: str | None = prop("DescribeTable.Table.TableStatus")
    creation_date_time: str | None = prop("DescribeTable.Table.CreationDateTime")
    rows: int | None = prop("DescribeTable.Table.ItemCount", "Updated by AWS about every six hours.")
    size: int | None = prop("DescribeTable.Table.TableSizeBytes", "In bytes.")
    provisioned_throughput_read_capacity_units: int | None = prop(
        "DescribeTable.Table.ProvisionedThroughput.ReadCapacityUnits", "0 for on-demand capacity."
    )
    provisioned_throughput_write_capacity_units: int | None = prop(
        "DescribeTable.Table.ProvisionedThroughput.WriteCapacityUnits", "0 for on-demand capacity."
    )
    billing_mode: str | None = prop(
        "DescribeTable.Table.BillingModeSummary.BillingMode", "None: provisioned since its creation."
    )
    deletion_protection_enabled: bool | None = prop("DescribeTable.Table.DeletionProtectionEnabled")


def index_arn(index: Source) -> str:
    """An index may have no ARN while it is being created; it follows from the table's."""
    arn: str | None = index.item.get("IndexArn")
    return arn or f"{parent('TableArn')(index)}/index/{index.item['IndexName']}"


class DynamoDBGlobalSecondaryIndex(RegionalNode, label="DynamoDBGlobalSecondaryIndex", arn=None):
    id: str = key(index_arn)
    arn: str = prop(index_arn, index=True)
    name: str = prop("IndexName")
    provisioned_throughput_read_capacity_units: int | None = prop(
        "ProvisionedThroughput.ReadCapacityUnits", "0 for on-demand capacity."
    )
    provisioned_throughput_write_capacity_units: int | None = prop(
        "ProvisionedThroughput.WriteCapacityUnits", "0 for on-demand capacity."
    )
    relationships = (incoming("GLOBAL_SECONDARY_INDEX", "DynamoDBTable", parent("TableArn")),)


class DynamoDBStream(AWSNode, label="DynamoDBStream", arn=None):
    id: str = key("LatestStreamArn")
    arn: str = prop("LatestStreamArn", index=True)
    stream_label: str | None = prop("LatestStreamLabel", "When it was created, in UTC.")
    stream_enabled: bool | None = prop("StreamSpecification.StreamEnabled", "None: disabled.")
    stream_view_type: str | None = prop("StreamSpecification.StreamViewType")
    relationships = (incoming("LATEST_STREAM", "DynamoDBTable", "TableArn"),)


def streams(table: Source) -> list[dict[str, object]]:
    described: dict[str, object] = table.item["DescribeTable"]["Table"]
    return [described] if "LatestStreamArn" in described else []


TABLES: Final = ResourceType(
    "aws.dynamodb.tables",
    Per.REGION,
    fetch=listing("dynamodb:ListTables", name_field="TableName", not_found_codes="ResourceNotFoundException").detail(
        "dynamodb:DescribeTable", TableName="TableName"
    ),
    yields=(
        DynamoDBTable,
        DynamoDBGlobalSecondaryIndex.each("DescribeTable.Table.GlobalSecondaryIndexes[]"),
        DynamoDBStream.each(streams),
    ),
)
