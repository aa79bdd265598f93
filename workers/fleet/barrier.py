"""What comes after the barrier: coverage, retirement, links, shared nodes, analysis jobs, verdicts, the run's record.

One caller opens it. Each step can be repeated, and a shipped job records itself in its own transaction: a worker that
takes over after a crash begins at the top, and nothing takes effect twice.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import redis
from neo4j.exceptions import DriverError, Neo4jError

from analysis import engine, links
from analysis.finding import OwnJob
from analysis.iam import assume_role
from analysis.iam import permissions as permission_relationships
from analysis.job import Job, JobFileError
from loaders import coverage, retirement
from loaders.cleanup import Cleanup
from loaders.ledger import RunInfo, RunState
from loaders.schema import GraphSchema
from loaders.writer import LostWriter, OutdatedRun, Writer, release_claim
from tasks.engine import registry
from workers.fleet import attempt, judging, own_settings, permissions
from workers.fleet.lease import LeaseKeeper
from workers.fleet.loading import AWAY_SECONDS, Busy, graph_error_text, writing
from workers.fleet.process import Process
from workers.fleet.steps import Steps, TryAgain
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

MAX_ANALYSES: Final = 5  # attempts that may end with their process

PRINCIPAL: Final = "AWSPrincipal"  # both ends, or one, of the relationships that follow from policies


def analyse(process: Process, run: str) -> None:
    """Open the barrier if the run is settled and nobody else holds it, and take every step after it."""
    ledger = process.ledger(run)
    if attempt.left(process, ledger):
        return
    token = f"{process.name}:{secrets.token_hex(4)}"
    lease = process.settings.lease_seconds
    if not ledger.open_barrier(token, lease_seconds=lease):
        return
    info = ledger.info()
    assert info is not None  # the barrier of an unknown run doesn't open
    wait = process.settings.writer_wait_seconds

    def renew() -> bool:
        return ledger.renew_barrier(token, lease_seconds=lease)

    def begin_again(reason: str) -> None:
        """The sweeper wakes the next attempt. What happens at every attempt is counted elsewhere, not here."""
        log.warning("run %s: %s; the analysis will be retried", run, reason)
        ledger.set_blocked_by(reason)
        ledger.give_back_barrier(token, wait_seconds=AWAY_SECONDS, counts=False)

    try:
        with (
            LeaseKeeper(f"run {run}", lease_seconds=lease, renew=renew, on_lost=process.writer.give_up) as keeper,
            writing(process.writer, info.tag, wait_seconds=wait) as writer,
        ):
            state, report = _outcome(Steps(writer, ledger, token), info, process)
            keeper.end()  # a run that is closed has no lease to renew: it would read as lost, and the claim would stay
            if ledger.close(token, state, report):
                release_claim(writer, run)
    except (Busy, LostWriter):
        begin_again("another writer holds the graph")
    except TryAgain as error:
        begin_again(f"the analysis failed and begins again: {error}")
    except OutdatedRun as error:
        ledger.close(token, RunState.FAILED, {"error": f"a later run has taken the graph ({error})"})
    except (DriverError, Neo4jError) as error:
        begin_again(graph_error_text(error))


def _outcome(steps: Steps, info: RunInfo, process: Process) -> tuple[RunState, dict[str, Any]]:
    """Of all steps. A failure that would recur fails the run; after any other, the analysis is retried."""
    if info.analyses > MAX_ANALYSES:
        during = f", the last in the step {info.step}" if info.step else ""
        return RunState.FAILED, {"error": f"{MAX_ANALYSES} attempts at the analysis ended with their process{during}"}
    try:
        return _analysis(steps, info, process)
    except (LostWriter, OutdatedRun, TryAgain, DriverError, Neo4jError, redis.RedisError):
        raise
    except Exception as error:
        log.exception("run %s: the analysis failed", info.id)
        return RunState.FAILED, {"error": f"{type(error).__name__}: {error}"}


def _analysis(steps: Steps, info: RunInfo, process: Process) -> tuple[RunState, dict[str, Any]]:
    writer, schema = steps.writer, registry.schema()
    kept: list[retirement.Kept] = []
    findings: list[dict[str, Any]] = []
    own_jobs: list[OwnJob] = []
    shipped_failed = 0
    own_failed = 0
    judged: dict[str, Any] = {}
    with steps.step("coverage"):
        coverage.write(writer, info, steps.ledger.proven_units(), now_ms=steps.ledger.now_ms())
    if not steps.failed:  # without it, no deletion and no verdict would be right
        with steps.step("retirement"):
            listed = retirement.lists(steps.ledger.proven_units())
            kept += retirement.retire(writer, schema, listed, info.tag, keep=process.settings.retired_runs_kept)
        steps.each("links", links.parts(writer, schema))
        with steps.step("shared nodes"):
            Cleanup(writer, schema).delete_orphans()
        findings += _shipped_jobs(steps, info, schema)
        shipped_failed = len(steps.failed_jobs)
        findings += _own_jobs(steps, info, process.settings, own_jobs)
        own_failed = len(steps.failed_jobs) - shipped_failed
        with steps.step("rules"):
            judged = judging.judge(steps, info, schema, process.settings)
    state = RunState.FAILED if steps.failed else RunState.COMPLETE
    with steps.step("record"):
        _record(writer, info, state, steps.ledger.now_ms())
        coverage.forget_old_runs(writer, keep=process.settings.runs_kept)
    return RunState.FAILED if steps.failed else RunState.COMPLETE, {
        "error": "; ".join(steps.failed),
        "findings": findings,
        "failed_jobs": steps.failed_jobs,
        "own_jobs": own_jobs,
        "own_jobs_failed": own_failed,
        "rules": judged,
        "kept": [asdict(list_) for list_ in kept],
        "analysis_seconds": steps.seconds,
    }


def _shipped_jobs(steps: Steps, info: RunInfo, schema: GraphSchema) -> list[dict[str, Any]]:
    writer = steps.writer
    findings: list[dict[str, Any]] = []
    present = writer.labels()  # planning a statement that finds nothing takes longer than running it
    with steps.step(assume_role.JOB.name, job=True):
        if PRINCIPAL in present:
            assume_role.write(writer, info.tag)
        findings += _verdict(writer, assume_role.JOB, info)
    with steps.step(permission_relationships.JOB.name, job=True):
        rules = permissions.of_run(info.config)
        if PRINCIPAL in present:
            permission_relationships.write(writer, rules, schema, info.tag)
        findings += _verdict(writer, permission_relationships.job(rules, schema), info)
    for job in engine.shipped_jobs():
        with steps.step(job.name, job=True):
            engine.run_shipped(writer, job, info.id, info.tag, present=present)
            if job.findings is not None:
                findings += _verdict(writer, job, info)
    return findings


def _own_jobs(steps: Steps, info: RunInfo, settings: Settings, ran: list[OwnJob]) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = []
    for job in _user_jobs(info.config.get("analysis_job_directory"), settings, steps.failed_jobs):
        with steps.step(job.name, job=True):
            findings += _run_own(steps.writer, job, info, ran)
    return findings


def _verdict(writer: Writer, job: Job, info: RunInfo) -> list[dict[str, Any]]:
    """What the job found; nothing for a provider that isn't synced."""
    if not engine.concerns(writer, job):
        return []
    finding = engine.verdict(writer, job, info.tag)
    return [asdict(finding) | {"text": str(finding), "judged": finding.judged}]


def _run_own(writer: Writer, job: Job, info: RunInfo, ran: list[OwnJob]) -> list[dict[str, Any]]:
    """Run a user's job. Returns its findings, where the file states any."""
    start = time.monotonic()
    engine.run_user(writer, job, info.tag)
    findings = _verdict(writer, job, info) if job.findings is not None else []
    ran.append({"name": job.name, "seconds": round(time.monotonic() - start, 3)})
    return findings


def _user_jobs(directory: str | None, settings: Settings, failed: list[str]) -> list[Job]:
    """The jobs of the user's directory, which run with the graph's rights: one that this worker's own settings name.

    A directory that it can't read is reported, and stops nothing.
    """
    if not directory:
        return []
    if problem := own_settings.foreign_directory(settings, directory):
        failed.append(problem)
        return []
    if not Path(directory).is_dir():
        failed.append(f"{directory}: is not a directory on the worker that runs the analysis")
        return []
    try:
        return engine.user_jobs(directory, registry.types())
    except JobFileError as error:
        failed.append(str(error))
        return []


def _record(writer: Writer, info: RunInfo, state: RunState, now_ms: int) -> None:
    query = "MATCH (r:SyncRun {id: $run}) SET r.state = $state, r.finished_at = $now"
    writer.write(lambda tx: tx.run(query, run=info.id, state=str(state), now=now_ms).consume())
