"""A message of Celery's remote control changes nothing in a worker."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from celery.worker.control import Panel

from workers.fleet import inspect as inspect  # adds the commands of the fleet
from workers.fleet import remote_control


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, object]:
    monkeypatch.setattr(Panel, "data", dict(Panel.data))
    remote_control.restrict()
    return Panel.data


@pytest.mark.parametrize(
    "name",
    ["shutdown", "pool_restart", "pool_grow", "pool_shrink", "autoscale", "rate_limit", "time_limit", "terminate"],
)
def test_a_worker_is_not_changed_from_outside(commands: dict[str, object], name: str) -> None:
    assert name not in commands


@pytest.mark.parametrize("name", ["add_consumer", "cancel_consumer", "revoke", "revoke_by_stamped_headers", "objgraph"])
def test_it_takes_no_queue_and_writes_no_file(commands: dict[str, object], name: str) -> None:
    assert name not in commands


def test_what_tells_of_a_worker_stays(commands: dict[str, object]) -> None:
    assert commands.keys() == remote_control.ALLOWED


def test_celery_calls_everything_that_changes_a_worker_a_control_command() -> None:
    """A command that a later version of Celery adds is not allowed, either."""
    changing = {name for name, command in Panel.meta.items() if command.type == "control"}
    assert changing & remote_control.ALLOWED == {"enable_events", "disable_events", "heartbeat"}
