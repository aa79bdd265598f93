"""The steps of a sync: check the user's files, find the services, start the run, follow it, show its report."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import redis
from neo4j.exceptions import DriverError, Neo4jError
from rich.console import Console

from analysis import engine
from loaders.ledger import Ledger
from tasks.engine import registry
from workers.commands import password_prompt, terminal
from workers.commands.cancel import cancel
from workers.commands.connections import celery_app, checked_broker, data_dir, opened
from workers.commands.following import Choice, Interrupted, follow
from workers.commands.interruption import ignore_further
from workers.commands.local_key import use_local_key
from workers.commands.services import how_to_browse, relative
from workers.embedded import flock
from workers.embedded import services as embedded
from workers.fleet import coordinator, fleet_readiness, judging, permissions, queues
from workers.fleet.local import local_fleet
from workers.fleet.process import connect_redis
from workers.fleet.publisher import Publisher
from workers.fleet.readiness import NotReady
from workers.report import report, view, watch
from workers.settings import configured, fleet_key, legacy_flags
from workers.settings.settings import SettingError, Settings

if TYPE_CHECKING:
    from celery import Celery

    from loaders.graph import Graph

AT_ONCE_SECONDS: Final = 1  # within which all respond, unless some are busy or gone
RESPONSE_SECONDS: Final = (AT_ONCE_SECONDS, 3, 7)  # a busy fleet is asked again
EMBEDDED_PASSWORD: Final = "CHARTFLEET_EMBEDDED_NEO4J_PASSWORD"  # noqa: S105  # the name of a variable


@dataclass(frozen=True, slots=True)
class Target:
    """What a run is started on. `local`: with a fleet of its own; `browser`: how to look at an embedded graph.

    `off`: providers that aren't configured, and what enables them.
    """

    settings: Settings
    local: bool
    app: Celery
    graph: Graph
    client: redis.Redis
    off: Mapping[str, str]
    browser: str | None = None


def sync(settings: Settings, args: argparse.Namespace) -> int:
    """Raises ChartfleetError."""
    _check_files(settings)
    _prompt_for_password(settings, args)
    for note in (*settings.notes(), *legacy_flags.responses(args)):
        _warn(note)
    quiet: bool = args.quiet
    notes = terminal.console(stderr=True, quiet=quiet)
    with ExitStack() as stack:
        connect = _connect_local if settings.broker_url is None else _connect_fleet
        target = connect(settings, stack, notes, verbose=args.verbose)
        done = _run(target, args.resume, stack, notes, confirm_deletions=args.confirm_deletions)
        if args.json:
            print(json.dumps(asdict(done) | {"exit_code": done.exit_code}, indent=2))
        else:
            view.show(done, terminal.console(), browser=target.browser, verbose=args.verbose)
    return done.exit_code


def _check_files(settings: Settings) -> None:
    """A bad file of the user's is found before anything is started."""
    engine.user_jobs(settings.analysis_job_directory, registry.types())
    permissions.rules(settings.permission_relationships_file)
    judging.rules(settings.rules_directory)


def _prompt_for_password(settings: Settings, args: argparse.Namespace) -> None:
    if args.neo4j_password_prompt and settings.neo4j_user:
        password_prompt.ask(settings.neo4j_user, settings.neo4j_uri)
    elif settings.neo4j_user and not settings.neo4j_password_env_var:
        _warn("--neo4j-user without a password: --neo4j-password-env-var names the variable that holds it")


# -- the services that it runs on


def _connect_local(settings: Settings, stack: ExitStack, notes: Console, *, verbose: bool) -> Target:
    off = _check_providers(settings, notes, verbose=verbose)
    settings, browser = _with_services(settings, stack, notes)
    use_local_key(settings)
    target = _target(settings, stack, off, local=True, browser=browser)
    directory = data_dir(settings)  # two fleets at one broker would take each other's tasks
    problem = f"another sync runs with the data directory {directory}: wait for it, or give this one --data-dir"
    stack.enter_context(flock.only(directory / "sync.lock", problem))
    return target


def _connect_fleet(settings: Settings, stack: ExitStack, notes: Console, *, verbose: bool) -> Target:
    if settings.neo4j_uri is None:
        raise SettingError("neo4j_uri", None, "with --broker-url, name the graph that its loader writes to")
    fleet_key.fleet_key()
    target = _target(settings, stack, {}, local=False)
    with notes.status("Asking the workers of the fleet what they serve"):
        off = _check_fleet(target, notes)
    return _target_with(target, off)


def _target(
    settings: Settings, stack: ExitStack, off: Mapping[str, str], *, local: bool, browser: str | None = None
) -> Target:
    broker, address = settings.broker, settings.graph_address
    assert broker is not None
    assert address is not None
    checked_broker(broker)
    graph = opened(address, stack)
    judging.check_queries(graph, settings.rules_directory)
    return Target(settings, local, celery_app(settings), graph, connect_redis(broker), off, browser)


def _target_with(target: Target, off: Mapping[str, str]) -> Target:
    return Target(target.settings, target.local, target.app, target.graph, target.client, off, target.browser)


def _check_providers(settings: Settings, notes: Console, *, verbose: bool) -> Mapping[str, str]:
    """A local fleet sees what this process sees: what a provider lacks is found before anything is started.

    Returns the modules that aren't configured, and what enables each.
    """
    found = configured.check(settings.modules, settings.run_config()["options"])
    if verbose:
        for name, why in found.off.items():
            notes.print(f"Not configured: {name}: {why}", highlight=False, soft_wrap=True, markup=False)
    problem = configured.problem(settings.modules, found.off, selected=settings.selects)
    for line in (problem, *found.lacks):
        if line:
            raise NotReady(line)
    return found.off


def _check_fleet(target: Target, notes: Console) -> Mapping[str, str]:
    """The same, as the workers see it."""
    settings = target.settings
    for seconds in RESPONSE_SECONDS:
        responses = fleet_readiness.ask_fleet(target.app, settings.run_config(), seconds=seconds)
        if not responses.lacks(settings.modules) and (seconds > AT_ONCE_SECONDS or not responses.silent):
            break
    for line in responses.notes:
        notes.print(line, highlight=False, soft_wrap=True)
    fleet_readiness.check_fleet(responses, settings.modules, target.graph.database_id(), selected=settings.selects)
    return responses.off


def _with_services(settings: Settings, stack: ExitStack, notes: Console) -> tuple[Settings, str | None]:
    """The settings with the embedded services in place of those that aren't named, and how to look at the graph."""
    wants_graph = settings.neo4j_uri is None

    def say(line: str) -> None:
        notes.print(line, highlight=False, soft_wrap=True)

    services = stack.enter_context(embedded.using(data_dir(settings), say=say, broker=True, graph=wants_graph))
    values: dict[str, Any] = {"broker_url": services.broker_url}
    if not wants_graph:
        return settings.with_values(values, "embedded"), None
    os.environ[EMBEDDED_PASSWORD] = services.graph.password or ""
    values |= {
        "neo4j_uri": services.graph.uri,
        "neo4j_user": services.graph.user,
        "neo4j_database": services.graph.database,
        "neo4j_password_env_var": EMBEDDED_PASSWORD,
    }
    how = how_to_browse(embedded.status(services.data_dir), settings)
    if not services.running["graph"].kept:
        where = f" --data-dir {relative(settings.data_dir)}" if settings.data_dir else ""
        how = f"`chartfleet services start{where}`, then {how}"
    return settings.with_values(values, "embedded"), how


# -- the run


def _run(
    target: Target, resume: str | None, stack: ExitStack, notes: Console, *, confirm_deletions: bool
) -> report.Report:
    """Start a run, or resume one, and follow it to its end."""
    settings, graph, client, publisher = target.settings, target.graph, target.client, Publisher(target.app)

    def say(line: str) -> None:
        notes.print(line, highlight=False, soft_wrap=True, markup=False)

    fleet = None
    if target.local:  # it starts while the run is prepared
        on = [queues.fetch_queue(name) for name in settings.modules if name not in target.off]
        fetched = [queues.FETCH] if resume else on  # the run that is resumed may have had others
        fleet = stack.enter_context(local_fleet(settings, data_dir(settings) / "logs", fetched))
    if resume:
        ledger = coordinator.resume(
            settings, graph, client, resume, publisher, say, confirm_deletions=confirm_deletions
        )
    else:
        ledger = coordinator.start(
            settings, graph, client, publisher, target.off, say, confirm_deletions=confirm_deletions
        )
    with _left_in_order(ledger, target, notes):
        follow(ledger.run, lambda: watch.until_the_end(ledger, graph, notes, fleet), notes, local=target.local)
    return report.of(ledger)


@contextmanager
def _left_in_order(ledger: Ledger, target: Target, notes: Console) -> Iterator[None]:
    """When the command ends before its run.

    What was chosen happens. Where nobody was asked, a fleet goes on, and a local run is cancelled, because nothing
    would continue it. A run that the broker has lost gives back the graph.
    """
    try:
        yield
    except BaseException as error:
        ignore_further()
        run = ledger.run
        if isinstance(error, Interrupted):
            cancels = error.choice is Choice.CANCEL
        else:
            cancels = target.local or isinstance(error, watch.RunLost)
        if cancels:
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
            with suppress(redis.RedisError, DriverError, Neo4jError):
                cancel(ledger, target.graph, reason)
        elif not target.local:
            commands = f"`chartfleet status {run}`, `chartfleet cancel {run}`"
            notes.print(f"The fleet continues with run {run}: {commands}", highlight=False, soft_wrap=True)
        raise


def _warn(line: str) -> None:
    print(f"chartfleet: {line}", file=sys.stderr)
