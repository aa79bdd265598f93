"""Bucket regions in responses: they decide which host the next call goes to."""

from __future__ import annotations

import pytest

from tasks.aws.client.client import _regions_of


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-4", "us-gov-west-1", "eusc-de-east-1", "us-isob-west-1"])
def test_calls_for_a_bucket_go_to_its_region(region: str) -> None:
    assert _regions_of({"Buckets": [{"Name": "logs", "BucketRegion": region}]}) == {"logs": region}


@pytest.mark.parametrize("region", [None, "", "EU", "eu-west-1.example.com", "example.com/#", "eu-west-1\n"])
def test_an_invalid_region_never_becomes_part_of_a_host_name(region: str | None) -> None:
    assert _regions_of({"Buckets": [{"Name": "logs", "BucketRegion": region}]}) == {}


def test_a_response_without_names_has_no_regions() -> None:
    assert _regions_of({"Buckets": [{"BucketRegion": "eu-west-1"}, {}]}) == _regions_of({}) == {}
