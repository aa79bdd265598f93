"""What of a response decides where the next call goes."""

from __future__ import annotations

import pytest

from tasks.aws.client.client import _regions_of


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-4", "us-gov-west-1", "eusc-de-east-1", "us-isob-west-1"])
def test_buckets_are_asked_about_in_the_region_that_their_list_says(region: str) -> None:
    assert _regions_of({"Buckets": [{"Name": "logs", "BucketRegion": region}]}) == {"logs": region}


@pytest.mark.parametrize("region", [None, "", "EU", "eu-west-1.example.com", "example.com/#", "eu-west-1\n"])
def test_what_is_no_region_becomes_part_of_no_host(region: str | None) -> None:
    assert _regions_of({"Buckets": [{"Name": "logs", "BucketRegion": region}]}) == {}


def test_a_response_without_buckets_says_nothing() -> None:
    assert _regions_of({"Buckets": [{"BucketRegion": "eu-west-1"}, {}]}) == _regions_of({}) == {}
