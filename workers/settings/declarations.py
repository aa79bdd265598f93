"""The fleet's own settings: type, meaning, default and check of each. Those of the providers are beside their code."""

from __future__ import annotations

from pathlib import Path

from tasks.options import DeclaredSettings
from tasks.options import option as setting
from workers.settings import checks
from workers.settings.checks import between


class OwnSettings(DeclaredSettings):
    """A field per setting."""

    neo4j_uri: str | None = setting(
        "URI of the graph; without it and neo4j_user, the embedded graph of data_dir",
        default=None,
        check=checks.graph_uri,
        metavar="URI",
        secret=True,
    )
    neo4j_user: str | None = setting(
        "user of the graph; without it, no authentication is tried", default=None, metavar="USER"
    )
    neo4j_password_env_var: str | None = setting(
        "NAME of the variable that holds the graph's password", default=None, names_variable=True
    )
    neo4j_database: str | None = setting(
        "database of the graph; without it, the server's default database", default=None, metavar="NAME"
    )
    neo4j_ca_file: Path | None = setting(
        "certificates (PEM) of the authorities that vouch for the graph, instead of the system's; with +s",
        default=None,
        check=checks.ca_file,
        metavar="FILE",
    )
    broker_url: str | None = setting(
        "URL of the fleet's Redis; without it, an embedded Redis and a local fleet",
        default=None,
        check=checks.broker_url,
        metavar="URL",
        secret=True,
    )
    broker_password_env_var: str | None = setting(
        "NAME of the variable that holds the password of Redis", default=None, names_variable=True
    )
    broker_ca_file: Path | None = setting(
        "certificates (PEM) of the authorities that vouch for Redis, instead of the system's; with rediss://",
        default=None,
        check=checks.ca_file,
        metavar="FILE",
    )
    data_dir: Path | None = setting(
        "directory in which the embedded services keep their data", default=None, metavar="DIR"
    )
    selected_modules: tuple[str, ...] = setting(
        "providers to sync, instead of all that are configured",
        default=(),
        check=checks.modules,
        metavar="PROVIDER,...",
    )
    update_tag: int = setting(
        "value of lastupdated for everything that this run sees; 0: the current time in seconds",
        default=0,
        check=between(0, 2**53),
        metavar="INT",
    )
    expected_gaps: tuple[str, ...] = setting(
        "scopes known to be unreadable, with the wildcards * and ?: reported separately, without exit code 3",
        default=(),
        check=checks.scopes,
        metavar="TYPE/TENANT/REGION,...",
    )
    # Whether these exist, only the commands that read them check: the other processes of a fleet don't need them.
    analysis_job_directory: Path | None = setting(
        "directory of your own analysis jobs (JSON), searched recursively", default=None, metavar="DIR"
    )
    permission_relationships_file: Path | None = setting(
        "your own permission relationships (YAML), replacing the built-in ones", default=None, metavar="FILE"
    )
    rules_directory: Path | None = setting(
        "directory of your own rules (YAML), searched recursively, beside the built-in ones",
        default=None,
        metavar="DIR",
    )
    suppressions_file: Path | None = setting(
        "findings that you accept (YAML), each with a reason and an end", default=None, metavar="FILE"
    )
    schedule: str | None = setting(
        "when beat starts a run: the seconds between runs, or a crontab in UTC",
        default=None,
        check=checks.schedule,
        metavar="SECONDS|CRONTAB",
    )
    concurrency: int = setting(
        "scopes that one process has in flight; 0: according to its cores and its memory, 32 at most",
        default=0,
        check=between(0, 256),
        metavar="COUNT",
    )
    fetch_processes: int = setting(
        "processes of the local fleet that fetch; 0: one for every two cores, 4 at most",
        default=0,
        check=between(0, 64),
        metavar="COUNT",
    )
    admission_window: int = setting(
        "tenants in progress at a time", default=50, check=between(1, 10_000), metavar="COUNT"
    )
    lease_seconds: float = setting(
        "seconds without a heartbeat after which a scope is taken from its worker",
        default=60.0,
        check=between(1, 120),
        metavar="SECONDS",
    )
    max_crashes: int = setting(
        "worker crashes per scope before it is quarantined",
        default=3,
        check=between(1, 100),
        metavar="COUNT",
        aliases=("most_deaths",),
    )
    max_wait_seconds: float = setting(
        "seconds that a scope waits, over all its attempts, for an API that throttles it, before it fails",
        default=7200.0,
        check=between(1, 604_800),
        metavar="SECONDS",
    )
    max_run_seconds: float = setting(
        "seconds after which what a run hasn't read yet fails, and its analysis begins",
        default=86_400.0,
        check=between(1, 2_592_000),
        metavar="SECONDS",
    )
    hard_time_limit_seconds: int = setting(
        "seconds after which a task is killed", default=3300, check=between(10, 86_400), metavar="SECONDS"
    )
    visibility_timeout_seconds: int = setting(
        "seconds after which Redis redelivers an unacknowledged message",
        default=3600,
        check=between(20, 172_800),
        metavar="SECONDS",
    )
    sweep_seconds: float = setting(
        "seconds between two searches for lost work", default=2.0, check=between(0.1, 60), metavar="SECONDS"
    )
    redelivery_grace_seconds: float = setting(
        "seconds that a message may be in transit before it counts as lost",
        default=10.0,
        check=between(0.5, 600),
        metavar="SECONDS",
        aliases=("patience_seconds",),
    )
    backlog_bytes: int = setting(
        "fetches pause while more bytes than this wait for the writer",
        default=64_000_000,
        check=between(10_000, 10**11),
        metavar="BYTES",
    )
    rows_per_batch: int = setting(
        "maximum number of rows in a batch, the unit of loading",
        default=1_000,
        check=between(1, 100_000),
        metavar="ROWS",
    )
    max_response_bytes: int = setting(
        "bytes of one response of an API, decompressed, beyond which it is not read: its call fails",
        default=64_000_000,
        check=between(100_000, 10**10),
        metavar="BYTES",
    )
    max_response_seconds: float = setting(
        "seconds for one response of an API, from the request to the last byte, after which its call fails",
        default=300.0,
        check=between(5, 500),  # below the time after which an attempt without progress is abandoned
        metavar="SECONDS",
    )
    writer_lease_seconds: float = setting(
        "seconds without a heartbeat after which another writer may take over",
        default=30.0,
        check=between(1, 600),
        metavar="SECONDS",
    )
    transaction_seconds: float = setting(
        "seconds after which Neo4j ends a transaction", default=120.0, check=between(1, 3600), metavar="SECONDS"
    )
    run_lease_seconds: float = setting(
        "seconds without a heartbeat after which a run loses its claim on the graph",
        default=60.0,
        check=between(2, 3600),
        metavar="SECONDS",
    )
    retired_runs_kept: int = setting(
        "number of runs for which the data of a tenant or region is kept once it is no longer listed",
        default=5,
        check=between(0, 10_000),
        metavar="RUNS",
    )
    deletion_brake_rows: int = setting(
        "a scope that loses at least this many nodes at once may be held back; 1: even the smallest",
        default=100,
        check=between(1, 10**9),
        metavar="NODES",
    )
    deletion_brake_share: float = setting(
        "share of a scope's nodes that may be deleted at once; more is held back until a second run agrees",
        default=0.5,
        check=between(0.0, 1.0),
        metavar="SHARE",
    )
    runs_kept: int = setting(
        "number of runs that are kept: their summary in the ledger, their coverage in the graph",
        default=30,
        check=between(1, 10_000),
        metavar="RUNS",
    )
