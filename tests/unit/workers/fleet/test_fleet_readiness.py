"""A run doesn't start on a fleet whose workers would refuse it."""

from __future__ import annotations

import pytest

from tests.fleet.command import Command
from workers.fleet.fleet_readiness import FleetReadiness, check_fleet
from workers.fleet.readiness import NotReady

WORKER = "fetch-1@host"


def fleet(**changes: object) -> FleetReadiness:
    worker = {"queues": ["coordinator", "loader", "fetch.aws"], "database": "d", "missing": [], "off": {}}
    return FleetReadiness({WORKER: worker}, {}, **changes)  # type: ignore[arg-type, dict-item]


def test_a_worker_with_the_same_key_is_ready() -> None:
    check_fleet(fleet(), ["aws"], "d", selected=False)


def test_a_worker_with_another_key_or_of_a_version_without_one_is_named() -> None:
    with pytest.raises(NotReady, match=f"worker {WORKER} has another CHARTFLEET_FLEET_KEY"):
        check_fleet(fleet(foreign=[WORKER]), ["aws"], "d", selected=False)


@pytest.mark.parametrize(("key", "problem"), [("", "isn't set"), ("short", "has 5 characters")])
def test_a_worker_without_a_usable_key_does_not_start(
    tmp_path_factory: pytest.TempPathFactory, broker_url: str, key: str, problem: str
) -> None:
    command = Command(tmp_path_factory.mktemp("worker"), {"CHARTFLEET_BROKER_URL": broker_url})
    for arguments in (("worker",), ("sync", "--neo4j-uri", "bolt://127.0.0.1:1")):
        ended = command(*arguments, CHARTFLEET_FLEET_KEY=key)
        assert ended.code == 2
        assert ended.error.startswith(f"chartfleet: CHARTFLEET_FLEET_KEY: {problem}")
        assert "openssl rand -hex 32" in ended.error
