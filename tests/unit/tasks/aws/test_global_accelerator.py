"""At which ports an accelerator asks its endpoints."""

from __future__ import annotations

import pytest

from tasks.aws.global_accelerator import endpoint_ports


@pytest.mark.parametrize(
    ("ranges", "overrides", "asked"),
    [
        ([(443, 443)], [], [(443, 443)]),
        ([(80, 80), (443, 443)], [(80, 8080)], [(8080, 8080), (443, 443)]),
        ([(80, 90)], [(80, 1), (90, 2), (85, 3)], [(1, 1), (81, 84), (3, 3), (86, 89), (2, 2)]),
        ([(80, 90)], [(91, 1)], [(80, 90)]),
        ([], [], []),
    ],
)
def test_a_port_that_the_group_maps_is_asked_at_the_other(
    ranges: list[tuple[int, int]], overrides: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    said = [{"FromPort": first, "ToPort": last} for first, last in ranges]
    mapped = [{"ListenerPort": port, "EndpointPort": to} for port, to in overrides]
    assert list(endpoint_ports(said, mapped)) == asked
