"""AWS Config: what it records in each region, whether it is on, and where it delivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, at, constant, id_link, key, listing, named, prop


def in_region(source: Source) -> str:
    """Names are unique within an account and region only."""
    return f"{source.item['name']}:{source.scope.tenant}:{source.scope.region}"


def status(name: str) -> Callable[[Source], Any]:
    @named(f"ConfigurationRecordersStatus.{name}")
    def value(recorder: Source) -> Any:
        return at(name, recorder.item["DescribeConfigurationRecorderStatus"].get(recorder.item["name"], {}))

    return value


class AWSConfigurationRecorder(RegionalNode, label="AWSConfigurationRecorder", tenant="AWSAccount"):
    id: str = key(in_region)
    name: str = prop("name")
    role_arn: str | None = prop("roleARN")
    recording: bool | None = prop(status("recording"), "Whether it is on. None: could not be read.")
    last_status: str | None = prop(
        status("lastStatus"), "Of its last recording: Pending, Success, Failure or NotApplicable."
    )
    last_error_code: str | None = prop(status("lastErrorCode"), "None: no error.")
    last_start_time: str | None = prop(status("lastStartTime"))
    last_stop_time: str | None = prop(status("lastStopTime"))
    recording_group_all_supported: bool | None = prop("recordingGroup.allSupported")
    recording_group_include_global_resource_types: bool | None = prop(
        "recordingGroup.includeGlobalResourceTypes", "Whether IAM users, groups, roles and policies are recorded."
    )
    recording_group_resource_types: list[str] | None = prop(
        "recordingGroup.resourceTypes", "Also empty if all are recorded, or all but those excluded."
    )
    recording_group_excluded_resource_types: list[str] | None = prop(
        "recordingGroup.exclusionByResourceTypes.resourceTypes"
    )
    recording_strategy: str | None = prop(
        "recordingGroup.recordingStrategy.useOnly",
        "ALL_SUPPORTED_RESOURCE_TYPES, INCLUSION_BY_RESOURCE_TYPES or EXCLUSION_BY_RESOURCE_TYPES.",
    )


RECORDERS: Final = ResourceType(
    "aws.config.recorders",
    Per.REGION,
    fetch=listing("config:DescribeConfigurationRecorders", items_path="ConfigurationRecorders").lookup(
        listing("config:DescribeConfigurationRecorderStatus", items_path="ConfigurationRecordersStatus"), key="name"
    ),
    yields=(AWSConfigurationRecorder,),
)


class AWSConfigDeliveryChannel(RegionalNode, label="AWSConfigDeliveryChannel", tenant="AWSAccount"):
    id: str = key(in_region)
    name: str = prop("name")
    s3_bucket_name: str | None = prop("s3BucketName")
    s3_key_prefix: str | None = prop("s3KeyPrefix")
    s3_kms_key_arn: str | None = prop("s3KmsKeyArn", "None: its files are encrypted as their bucket says.")
    sns_topic_arn: str | None = prop("snsTopicARN")
    config_snapshot_delivery_properties_delivery_frequency: str | None = prop(
        "configSnapshotDeliveryProperties.deliveryFrequency"
    )
    relationships = (
        id_link("DELIVERS_TO", "S3Bucket", arn_at("s3", "s3BucketName", region=constant(""))),
        *encrypted_by("s3KmsKeyArn"),
    )


DELIVERY_CHANNELS: Final = ResourceType(
    "aws.config.delivery_channels",
    Per.REGION,
    fetch=listing("config:DescribeDeliveryChannels", items_path="DeliveryChannels"),
    yields=(AWSConfigDeliveryChannel,),
)
