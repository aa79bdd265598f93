"""The barrier: no job before the last commit, and each shipped job takes effect once, whichever process is killed."""

from __future__ import annotations

from typing import Any

from analysis import engine
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.locks import locked, wait_until_blocked
from tests.fleet.running import Fleet, info_of, wait_for, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault

SHIPPED = [job.name for job in engine.shipped_jobs()]


def test_no_job_runs_before_the_last_commit(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    last = Fault(Effect.PAUSE, action="DescribeSubnets", region="eu-west-1")
    aws.add(last)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    fleet.app.send_task("chartfleet.analyse", args=(ledger.run,))
    wait_for(lambda: fleet.ended("loader", "chartfleet.analyse"))
    assert record(fleet) == {}
    aws.remove(last)
    fleet.finish(ledger)
    info = info_of(ledger)
    assert info.committed_ms <= info.settled_ms <= info.barrier_ms <= record(fleet)["firstseen"]
    assert record(fleet)["jobs_done"] == SHIPPED
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_loader_killed_during_the_analysis_is_replaced_at_the_first_job_not_recorded(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    """A late job waits for a lock when its process is killed. The result of an early one is changed, and stays so."""
    recorded = SHIPPED[: SHIPPED.index("aws_s3acl_analysis")]
    last = Fault(Effect.PAUSE, action="DescribeSubnets", region="eu-west-1")
    aws.add(last)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    with locked(fleet.graph, "MATCH (bucket:S3Bucket) SET bucket.held = true"):
        aws.remove(last)
        wait_until_blocked(fleet.graph, "MATCH (bucket:S3Bucket)")
        assert record(fleet)["jobs_done"] == recorded
        unexposed = "MATCH (i:EC2Instance) WHERE i.exposed_internet IS NULL"
        assert by_hand(fleet, f"{unexposed} SET i.exposed_internet_type = ['by hand']")
        fleet.kill("loader")
    report = fleet.finish(ledger)
    assert record(fleet)["jobs_done"] == SHIPPED
    of_aws = {j.name for j in engine.shipped_jobs() if j.findings and all(t.startswith("aws.") for t in j.reads)}
    assert of_aws <= {finding["job"] for finding in report.findings}
    assert by_hand(fleet, "MATCH (i:EC2Instance {exposed_internet_type: ['by hand']}) REMOVE i.exposed_internet_type")
    assert difference(graph_state(fleet.graph), undisturbed) == []


def by_hand(fleet: Fleet, query: str) -> bool:
    """Whether it changed anything."""
    return fleet.graph.write(lambda tx: tx.run(query).consume()).counters.contains_updates


def record(fleet: Fleet) -> dict[str, Any]:
    return next((row["r"] for row in fleet.graph.rows("MATCH (r:SyncRun) RETURN r")), {})
