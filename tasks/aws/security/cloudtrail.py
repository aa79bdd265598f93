"""CloudTrail trails: whether each is on, which events it logs, and where to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.engine.details import ListedApi
from tasks.engine.responses import at_or_none
from tasks.provider import Listing, Per, ResourceType, Source, constant, id_link, key, named, prop

if TYPE_CHECKING:
    from tasks.aws.client.client import AwsApi

Json = Mapping[str, Any]

_READS, _WRITES = "reads", "writes"
_LOGGED: Final = {"All": {_READS, _WRITES}, "ReadOnly": {_READS}, "WriteOnly": {_WRITES}}  # by ReadWriteType
_READ_ONLY: Final = {("true",): "ReadOnly", ("false",): "WriteOnly"}  # by that field of an advanced selector
_S3_OBJECTS: Final = "AWS::S3::Object"


class HomeTrails(Listing):
    """The trails whose home is this region.

    A trail of all regions is listed in each of them, as a shadow; that of an organization in each of its accounts, too.
    """

    async def _pages(self, api: ListedApi) -> AsyncIterator[list[Any]]:
        region = cast("AwsApi", api).region
        async for page in super()._pages(api):
            yield [trail for trail in page if at_or_none("HomeRegion", trail) in (None, region)]


def account_trail(trail: Source) -> str:
    return f"{trail.scope.tenant}|{trail.item['TrailARN']}"


def selectors(name: str) -> Callable[[Source], str | None]:
    @named(f"GetEventSelectors.{name}")
    def as_json(trail: Source) -> str | None:
        response = trail.item["GetEventSelectors"]
        found = response.get(name) if response else None
        return json.dumps(found) if found else None

    return as_json


def logs(kind: str, selected: Callable[[Json, str], Iterator[str]]) -> Callable[[Source], bool | None]:
    """Whether some selector selects these events, and reads or writes among them."""

    @named(f"{selected.__name__}_{kind}")
    def value(trail: Source) -> bool | None:
        response = trail.item["GetEventSelectors"]
        if not response:
            return None
        return any(kind in _LOGGED[read_write_type] for read_write_type in selected(response, trail.partition))

    return value


def management_events(response: Json, partition: str) -> Iterator[str]:
    """The ReadWriteType of each selector of all management events, but for services that it excludes."""
    for selector in response.get("EventSelectors") or ():
        if selector.get("IncludeManagementEvents", True):
            yield selector.get("ReadWriteType") or "All"
    yield from _advanced(response, {"eventCategory": "Management"})


def s3_object_events(response: Json, partition: str) -> Iterator[str]:
    """The ReadWriteType of each selector of the data events of all S3 objects."""
    every_bucket = {f"arn:{partition}:s3", f"arn:{partition}:s3:::"}
    for selector in response.get("EventSelectors") or ():
        for resource in selector.get("DataResources") or ():
            if resource.get("Type") == _S3_OBJECTS and every_bucket & set(resource.get("Values") or ()):
                yield selector.get("ReadWriteType") or "All"
    yield from _advanced(response, {"eventCategory": "Data", "resources.type": _S3_OBJECTS})


def _advanced(response: Json, wanted: Mapping[str, str]) -> Iterator[str]:
    """The ReadWriteType of each advanced selector that selects what is wanted, and nothing less."""
    for selector in response.get("AdvancedEventSelectors") or ():
        fields = {field["Field"]: field for field in selector.get("FieldSelectors") or ()}
        read_only = fields.pop("readOnly", None)
        logged = _READ_ONLY.get(tuple(read_only.get("Equals") or ())) if read_only else "All"
        selects = all(fields.pop(name, {}).get("Equals") == [value] for name, value in wanted.items())
        if logged and selects and all(_only_excludes_services(field) for field in fields.values()):
            yield logged


def _only_excludes_services(field: Json) -> bool:
    return field["Field"] == "eventSource" and set(field) == {"Field", "NotEquals"}


_NOT_READ: Final = "None: not known."
_EVENTS_NOT_READ: Final = (
    "None: not known. Only the account that owns a trail may read this: its node for the trail has the same arn."
)


class CloudTrailTrail(RegionalNode, label="CloudTrailTrail", tenant="AWSAccount", arn="cloudtrail:trail"):
    """An account that an organization's trail covers has a node of its own for it. All are in their home region."""

    account_trail: str = key(account_trail, "The key: each account that a trail covers has a node of its own.")
    id: str = prop("TrailARN", index=True)
    arn: str = prop("TrailARN", index=True)
    name: str | None = prop("Name", index=True)
    home_region: str | None = prop("HomeRegion")
    is_multi_region_trail: bool | None = prop("IsMultiRegionTrail")
    is_organization_trail: bool | None = prop("IsOrganizationTrail")
    include_global_service_events: bool | None = prop("IncludeGlobalServiceEvents")
    is_logging: bool | None = prop("GetTrailStatus.IsLogging", f"Whether it is on. {_NOT_READ}")
    latest_delivery_time: str | None = prop("GetTrailStatus.LatestDeliveryTime")
    latest_delivery_error: str | None = prop("GetTrailStatus.LatestDeliveryError", "Of S3. '' or None: no error.")
    latest_cloudwatch_logs_delivery_time: str | None = prop("GetTrailStatus.LatestCloudWatchLogsDeliveryTime")
    logs_management_reads: bool | None = prop(logs(_READS, management_events), _EVENTS_NOT_READ)
    logs_management_writes: bool | None = prop(logs(_WRITES, management_events), _EVENTS_NOT_READ)
    logs_s3_object_reads: bool | None = prop(
        logs(_READS, s3_object_events), f"Those of every bucket. {_EVENTS_NOT_READ}"
    )
    logs_s3_object_writes: bool | None = prop(
        logs(_WRITES, s3_object_events), f"Those of every bucket. {_EVENTS_NOT_READ}"
    )
    event_selectors: str | None = prop(selectors("EventSelectors"), "JSON.")
    advanced_event_selectors: str | None = prop(selectors("AdvancedEventSelectors"), "JSON.")
    has_custom_event_selectors: bool | None = prop("HasCustomEventSelectors")
    has_insight_selectors: bool | None = prop("HasInsightSelectors")
    log_file_validation_enabled: bool | None = prop("LogFileValidationEnabled")
    s3_bucket_name: str | None = prop("S3BucketName", index=True)
    s3_key_prefix: str | None = prop("S3KeyPrefix")
    cloudwatch_logs_log_group_arn: str | None = prop("CloudWatchLogsLogGroupArn", "None: not sent to CloudWatch Logs.")
    cloudwatch_logs_role_arn: str | None = prop("CloudWatchLogsRoleArn")
    sns_topic_arn: str | None = prop("SnsTopicARN")
    kms_key_id: str | None = prop("KmsKeyId", "None: its files are encrypted as their bucket says.")
    relationships = (
        id_link("LOGS_TO", "S3Bucket", arn_at("s3", "S3BucketName", region=constant(""))),
        *encrypted_by("KmsKeyId"),
    )


TRAILS: Final = ResourceType(
    "aws.cloudtrail.trails",
    Per.REGION,
    # "Not found" doesn't mean deleted: a member of an organization is told so of the organization's trail.
    fetch=HomeTrails("cloudtrail:DescribeTrails", items_path="trailList")
    .detail("cloudtrail:GetTrailStatus", Name="TrailARN", absent_codes="TrailNotFoundException", gap=True)
    .detail("cloudtrail:GetEventSelectors", TrailName="TrailARN", absent_codes="TrailNotFoundException", gap=True),
    yields=(CloudTrailTrail,),
)
