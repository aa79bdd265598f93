"""Paging derived from the names in a model, compared with botocore's paginators."""

from __future__ import annotations

import pytest

from tasks.aws.client import credentials, paging
from tasks.aws.client.paging import Paging
from tasks.engine import registry

SERVICES = sorted({call.partition(":")[0] for type_ in registry.of("aws") for call in type_.fetch.calls})


@pytest.mark.parametrize("service", SERVICES)
def test_names_agree_with_the_paginators(service: str) -> None:
    """Derived paging is right for 2,824 of 2,853 paginators of all services; for these services, for all but one."""
    wrong = []
    for operation in credentials.paginators(service):
        action = f"{service}:{operation}"
        known, derived = paging.paging(action), paging.derived(paging._operation(action))
        assert known
        if tokens(derived) != tokens(known) and action != "s3:ListObjects":  # which may continue after the last key
            wrong.append(f"{action}: {derived}, and not {known}")
    assert not wrong, "\n".join(wrong)


def tokens(found: Paging | None) -> set[tuple[str, str]]:
    return set(zip(found.inputs, found.outputs, strict=True)) if found else set()


@pytest.mark.parametrize(
    ("action", "inputs", "outputs", "results"),
    [
        ("cloudfront:ListCachePolicies", ("Marker",), ("CachePolicyList.NextMarker",), ("CachePolicyList.Items",)),
        (
            "route53:ListHostedZonesByName",
            ("DNSName", "HostedZoneId"),
            ("NextDNSName", "NextHostedZoneId"),
            ("HostedZones",),
        ),
        ("wafv2:ListWebACLs", ("NextMarker",), ("NextMarker",), ("WebACLs",)),
        ("cloudtrail:DescribeQuery", (), (), ()),
    ],
)
def test_a_call_without_a_paginator(
    action: str, inputs: tuple[str, ...], outputs: tuple[str, ...], results: tuple[str, ...]
) -> None:
    found = paging.paging(action)
    if not inputs:
        assert found is None
        return
    assert found
    assert (found.inputs, found.outputs, found.results) == (inputs, outputs, results)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("ec2:GetTransitGatewayPolicyTableEntries", "it takes NextToken"),
        ("firehose:ListDeliveryStreams", "HasMoreDeliveryStreams marks further pages"),
        ("iottwinmaker:ListTagsForResource", "no member of its response is a list"),
    ],
)
def test_a_call_that_cannot_be_read_to_its_end_has_a_reason(action: str, reason: str) -> None:
    assert reason in str(paging.unclear(action))
