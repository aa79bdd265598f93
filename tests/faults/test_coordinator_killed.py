"""The coordinator is killed while it publishes the scopes of a tenant."""

from __future__ import annotations

from collections.abc import Callable

from loaders.ledger import Ledger
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.running import COORDINATOR, PLANNERS, Fleet, info_of
from tests.fleet.short_lived_graph import empty
from tests.servers.tcp_proxy import TcpProxy
from workers.embedded.broker import Broker

FIRST_SCOPE = b"LPUSH\r\n$9\r\nfetch.aws\r\n"  # as it is on the wire: the command, and the queue
OF_THE_PLAN = 3  # messages before the first scope's: find tenants, admit, plan regions
TRIES = 10  # at the right moment: between the first messages and the last


def test_a_coordinator_killed_in_the_middle_of_a_header_is_replaced(fleet: Fleet, undisturbed: State) -> None:
    """Some of the tenant's scopes are in the queue, the others are not, and the chord will never call back."""
    ledger = caught(
        fleet,
        at=lambda _: fleet.queued("fetch.aws") >= 5,
        good=lambda run, published: OF_THE_PLAN + 5 <= published < OF_THE_PLAN + info_of(run).planned - PLANNERS,
    )
    fleet.kill("coordinator")
    fleet.thaw("fetch")
    report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_coordinator_killed_between_planning_and_publishing_is_replaced(
    fleet: Fleet, fleet_broker: Broker, undisturbed: State
) -> None:
    """The ledger says that every scope was published, and none was."""
    with (
        TcpProxy("127.0.0.1", fleet_broker.port, hold=FIRST_SCOPE) as proxy,
        fleet.also("interrupted", [COORDINATOR], broker_url=behind(proxy, fleet_broker)),
    ):
        fleet.kill("coordinator")
        ledger = fleet.start()
        assert proxy.holds.wait(30)
        assert fleet.queued("fetch.aws") == 0
        assert info_of(ledger).planned > PLANNERS
        assert sum(unit.attempt for unit in ledger.units()) == PLANNERS  # they alone were begun, each once
        fleet.kill("interrupted")
    report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def caught(fleet: Fleet, *, at: Callable[[str], bool], good: Callable[[Ledger, int], bool]) -> Ledger:
    """A run whose coordinator is stopped at the moment `at`, if that is a `good` one; so are the fetch workers.

    `at` is given the run's key, `good` the messages that were published so far.
    """
    for _ in range(TRIES):
        fleet.freeze("fetch")
        coordinator = fleet.processes("coordinator")
        before = messages(fleet)
        ledger = fleet.start()
        key = f"chartfleet:ledger:{ledger.run}"
        while not at(key):
            pass
        for process in coordinator:
            process.suspend()
        if good(ledger, messages(fleet) - before):
            return ledger
        empty(fleet.graph)
        fleet.at_rest()
    raise AssertionError(f"the coordinator wasn't caught in the act in {TRIES} runs")


def behind(proxy: TcpProxy, broker: Broker) -> str:
    """The broker's URL, by way of the proxy."""
    return broker.url.replace(f":{broker.port}/", f":{proxy.port}/")


def messages(fleet: Fleet) -> int:
    """How many the broker was given since it started, whoever has them now."""
    return int(fleet.redis.info("commandstats")["cmdstat_lpush"]["calls"])
