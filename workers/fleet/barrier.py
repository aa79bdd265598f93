"""What comes after the barrier: coverage, retirement, links, shared nodes, analysis jobs, verdicts, the run's record.

One caller opens it. Each step can be repeated, and a shipped job records itself in its own transaction: a worker that
takes over after a crash begins at the top, and nothing takes effect twice.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import redis
from neo4j.exceptions import ClientError, DriverError, Neo4jError

from analysis import engine, links
from analysis.finding import OwnJob
from analysis.iam import assume_role
from analysis.iam import permissions as permission_relationships
from analysis.job import Job, JobFileError
from loaders import coverage, retirement
from loaders.cleanup import Cleanup
from loaders.ledger import Ledger, RunInfo, RunState
from loaders.writer import LostWriter, OutdatedRun, Writer, release_claim
from tasks.engine import registry
from workers.fleet import fetching, own_settings, permissions
from workers.fleet.lease import LeaseKeeper
from workers.fleet.loading import AWAY_SECONDS, Busy, graph_error_text, writing
from workers.fleet.process import Process
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

_REFUSED_FOR_GOOD: Final = "Neo.ClientError.Statement."  # the same statement would be refused again


def analyse(process: Process, run: str) -> None:
    """Open the barrier if the run is settled and nobody else holds it, and take every step after it."""
    ledger = process.ledger(run)
    if fetching.left(process, ledger):
        return
    token = f"{process.name}:{secrets.token_hex(4)}"
    lease = process.settings.lease_seconds
    if not ledger.open_barrier(token, lease_seconds=lease):
        return
    info = ledger.info()
    assert info is not None  # the barrier of an unknown run doesn't open
    wait = process.settings.writer_lease_seconds + process.settings.transaction_seconds

    def renew() -> bool:
        return ledger.renew_barrier(token, lease_seconds=lease)

    try:
        with (
            LeaseKeeper(f"run {run}", lease_seconds=lease, renew=renew, on_lost=process.writer.give_up),
            writing(process.writer, info.tag, wait_seconds=wait) as writer,
        ):
            state, report = _outcome(writer, ledger, info, process)
            if ledger.close(token, state, report):
                release_claim(writer, run)
    except (Busy, LostWriter):
        log.warning("run %s: another writer holds the graph; the analysis will be retried", run)
        ledger.renew_barrier(token, lease_seconds=AWAY_SECONDS)
    except OutdatedRun as error:
        ledger.close(token, RunState.FAILED, {"error": f"a later run has taken the graph ({error})"})
    except (DriverError, Neo4jError) as error:
        log.warning("run %s: %s; the analysis will be retried", run, graph_error_text(error))
        ledger.set_blocked_by(graph_error_text(error))
        ledger.renew_barrier(token, lease_seconds=AWAY_SECONDS)


def _outcome(writer: Writer, ledger: Ledger, info: RunInfo, process: Process) -> tuple[RunState, dict[str, Any]]:
    """Of all steps. A failure that would recur fails the run; after any other, the analysis is retried."""
    try:
        return _steps(writer, ledger, info, process)
    except (LostWriter, OutdatedRun, DriverError, redis.RedisError):
        raise
    except Exception as error:
        if isinstance(error, Neo4jError) and not (error.code or "").startswith(_REFUSED_FOR_GOOD):
            raise
        log.exception("run %s: the analysis failed", info.id)
        return RunState.FAILED, {"error": f"{type(error).__name__}: {error}"}


def _steps(writer: Writer, ledger: Ledger, info: RunInfo, process: Process) -> tuple[RunState, dict[str, Any]]:
    schema = registry.schema()
    seconds: dict[str, float] = {}
    with _timed(seconds, "coverage"):
        coverage.write(writer, info, ledger.proven_units(), now_ms=int(time.time() * 1000))
        listed = retirement.lists(ledger.proven_units())
        kept = retirement.retire(writer, schema, listed, info.tag, keep=process.settings.retired_runs_kept)
    with _timed(seconds, "links"):
        links.write(writer, schema)
    with _timed(seconds, "shared nodes"):
        Cleanup(writer, schema).delete_orphans()
    failed: list[str] = []
    findings: list[dict[str, Any]] = []
    with _timed(seconds, assume_role.JOB.name), _reported(failed):
        assume_role.write(writer, info.tag)
        findings += _verdict(writer, assume_role.JOB, info)
    with _timed(seconds, permission_relationships.JOB.name), _reported(failed):
        rules = permissions.of_run(info.config)
        permission_relationships.write(writer, rules, schema, info.tag)
        findings += _verdict(writer, permission_relationships.job(rules, schema), info)
    for job in engine.shipped_jobs():
        with _timed(seconds, job.name), _reported(failed):
            engine.run_shipped(writer, job, info.id, info.tag)
            if job.findings is not None:
                findings += _verdict(writer, job, info)
    own_jobs: list[OwnJob] = []
    shipped_failed = len(failed)
    for job in _user_jobs(info.config.get("analysis_job_directory"), process.settings, failed):
        with _timed(seconds, job.name), _reported(failed):
            findings += _run_own(writer, job, info, own_jobs)
    with _timed(seconds, "record"):
        _record(writer, info)
        coverage.forget_old_runs(writer, keep=process.settings.runs_kept)
    return RunState.COMPLETE, {
        "findings": findings,
        "failed_jobs": failed,
        "own_jobs": own_jobs,
        "own_jobs_failed": len(failed) - shipped_failed,
        "kept": [asdict(list_) for list_ in kept],
        "analysis_seconds": seconds,
    }


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


def _record(writer: Writer, info: RunInfo) -> None:
    query = "MATCH (r:SyncRun {id: $run}) SET r.state = $state, r.finished_at = timestamp()"
    writer.write(lambda tx: tx.run(query, run=info.id, state=str(RunState.COMPLETE)).consume())


@contextmanager
def _reported(failed: list[str]) -> Iterator[None]:
    """A failed job is reported, and stops no other job."""
    try:
        yield
    except (engine.JobError, ClientError) as error:
        log.exception("an analysis job failed")
        failed.append(str(error).splitlines()[0])


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    seconds[name] = round(time.monotonic() - start, 3)
