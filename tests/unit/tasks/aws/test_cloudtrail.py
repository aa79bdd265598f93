"""Which events a trail logs, by its event selectors."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.engine import registry
from tasks.engine.rows import rows_of

TYPE = "aws.cloudtrail.trails"
NOTHING, ALL, UNKNOWN = (False, False), (True, True), (None, None)


def logged(response: dict[str, Any] | None) -> dict[str, Any]:
    arn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"
    trail = {"TrailARN": arn, "GetTrailStatus": {"IsLogging": True}, "GetEventSelectors": response}
    source = Source(trail, Scope(type=TYPE, tenant="111122223333", region="eu-west-1"))
    [(_, row)] = rows_of(registry.types()[TYPE], source)
    return dict(row["p"])


def management(response: dict[str, Any] | None) -> tuple[Any, Any]:
    properties = logged(response)
    return properties["logs_management_reads"], properties["logs_management_writes"]


def s3_objects(response: dict[str, Any]) -> tuple[Any, Any]:
    properties = logged(response)
    return properties["logs_s3_object_reads"], properties["logs_s3_object_writes"]


def basic(**selector: Any) -> dict[str, Any]:
    return {"EventSelectors": [selector]}


def advanced(**fields: Any) -> dict[str, Any]:
    """`eventSource={"NotEquals": [...]}`; a text stands for one equal value, `__` for a dot."""
    selectors = [
        {"Field": name.replace("__", "."), **(field if isinstance(field, dict) else {"Equals": [field]})}
        for name, field in fields.items()
    ]
    return {"AdvancedEventSelectors": [{"FieldSelectors": selectors}]}


@pytest.mark.parametrize(
    ("response", "reads_and_writes"),
    [
        (basic(ReadWriteType="All", IncludeManagementEvents=True), ALL),
        (basic(ReadWriteType="WriteOnly", IncludeManagementEvents=True), (False, True)),
        (basic(ReadWriteType="All", IncludeManagementEvents=False), NOTHING),
        (basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), ALL),
        (advanced(eventCategory="Management"), ALL),
        (advanced(eventCategory="Management", readOnly="true"), (True, False)),
        (advanced(eventCategory="Management", eventSource={"NotEquals": ["kms.amazonaws.com"]}), ALL),
        (advanced(eventCategory="Management", eventSource="ec2.amazonaws.com"), NOTHING),
        (advanced(eventCategory="Management", userIdentity__arn={"NotStartsWith": ["arn:"]}), NOTHING),
        (advanced(eventCategory="Data", resources__type="AWS::S3::Object"), NOTHING),
        ({"TrailARN": "arn"}, NOTHING),
        ({}, UNKNOWN),  # the trail of another account
        (None, UNKNOWN),
    ],
)
def test_management_events_count_only_if_all_are_logged(
    response: dict[str, Any] | None, reads_and_writes: tuple[Any, Any]
) -> None:
    assert management(response) == reads_and_writes


@pytest.mark.parametrize(
    ("response", "reads_and_writes"),
    [
        (basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]), ALL),
        (basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::one/"]}]), NOTHING),
        (basic(DataResources=[{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]), NOTHING),
        (advanced(eventCategory="Data", resources__type="AWS::S3::Object", readOnly="false"), (False, True)),
        (
            advanced(
                eventCategory="Data",
                resources__type="AWS::S3::Object",
                resources__ARN={"StartsWith": ["arn:aws:s3:::one/"]},
            ),
            NOTHING,
        ),
        (advanced(eventCategory="Management"), NOTHING),
    ],
)
def test_data_events_of_s3_count_only_for_every_bucket(
    response: dict[str, Any], reads_and_writes: tuple[Any, Any]
) -> None:
    assert s3_objects(response) == reads_and_writes
