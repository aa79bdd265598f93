"""The ports on which endpoints receive an accelerator's traffic."""

from __future__ import annotations

import pytest

from tasks.aws.global_accelerator import endpoint_ports


@pytest.mark.parametrize(
    ("ranges", "overrides", "ports"),
    [
        ([(443, 443)], [], [(443, 443)]),
        ([(80, 80), (443, 443)], [(80, 8080)], [(8080, 8080), (443, 443)]),
        ([(80, 90)], [(80, 1), (90, 2), (85, 3)], [(1, 1), (81, 84), (3, 3), (86, 89), (2, 2)]),
        ([(80, 90)], [(91, 1)], [(80, 90)]),
        ([], [], []),
    ],
)
def test_a_port_override_replaces_the_port_of_the_listener(
    ranges: list[tuple[int, int]], overrides: list[tuple[int, int]], ports: list[tuple[int, int]]
) -> None:
    listener = [{"FromPort": first, "ToPort": last} for first, last in ranges]
    mapped = [{"ListenerPort": port, "EndpointPort": to} for port, to in overrides]
    assert list(endpoint_ports(listener, mapped)) == ports
