"""The command line. Thin: each command checks what it needs, then calls the part that does it."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import redis
from celery import Celery
from kombu.exceptions import OperationalError
from neo4j.exceptions import DriverError, Neo4jError
from rich.console import Console
from rich.table import Table

from analysis import engine
from analysis.iam.permission_rules import RuleFileError
from analysis.job import JobFileError
from loaders.graph import Graph, GraphAddress
from loaders.indexes import DuplicateNodes
from loaders.ledger import Ledger, RunState, runs
from loaders.writer import RunRefused, revoke_claim
from tasks.aws.doctor.iam_policy import ROLE, Policies
from tasks.aws.options import AwsOptions
from tasks.engine import registry
from workers import embedded, schema
from workers.commands import doctor
from workers.commands.adopt import adopt, preview
from workers.commands.forget import forget
from workers.embedded import flock
from workers.fleet import coordinator, fleet_readiness, health, permissions, programs, readiness
from workers.fleet.local import WorkerKeepsCrashing, local_fleet
from workers.fleet.process import connect_redis
from workers.fleet.publisher import Publisher
from workers.fleet.queues import COORDINATOR, FETCH, LOADER, every_queue
from workers.report import report, schema_view, watch
from workers.settings import configured, legacy_flags, process_settings
from workers.settings.settings import SettingError, Settings, known

FLEET_RESPONSE_SECONDS = (3, 7)  # a busy fleet is asked twice
PIPE_WIDTH = 110  # of a report that isn't shown on a terminal
EMBEDDED_PASSWORD = "CHARTFLEET_EMBEDDED_NEO4J_PASSWORD"  # noqa: S105  # the name of a variable
PROMPTED_PASSWORD = "CHARTFLEET_PROMPTED_NEO4J_PASSWORD"  # noqa: S105


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 complete, 1 failed, 2 usage, 3 complete but parts not covered, 130 interrupted."""
    for name in ("SIGTERM", "SIGHUP"):  # as Ctrl-C: what this command started ends with it
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def run(arguments: list[str]) -> int:
    parser = _parser()
    first = arguments[0] if arguments else ""
    if first not in _COMMANDS and first not in ("-h", "--help", "--version"):
        arguments = ["sync", *arguments]  # no sub-command means sync, as crontabs have it
    args = parser.parse_args(arguments)
    _set_up_logging(args)
    try:
        flags = {name: getattr(args, name) for name in (*known(), "config") if getattr(args, name, None) is not None}
        if getattr(args, "neo4j_password_prompt", False):
            flags["neo4j_password_env_var"] = PROMPTED_PASSWORD
            os.environ[PROMPTED_PASSWORD] = "to be asked for"
        settings = Settings.load(flags)
        return _COMMANDS[args.command](settings, args)
    except (SettingError, JobFileError, RuleFileError) as error:
        return _say(error, report.USAGE)
    except (readiness.NotReady, RunRefused, DuplicateNodes, embedded.EmbeddedError) as error:
        return _say(error, report.FAILED)
    except (WorkerKeepsCrashing, watch.RunLost) as error:
        return _say(error, report.FAILED)
    except (redis.RedisError, OperationalError) as error:
        return _say(f"the broker was lost: {error}", report.FAILED)
    except (DriverError, Neo4jError) as error:
        return _say(f"the graph was lost, or refuses: {readiness.first_line(error)}", report.FAILED)
    except OSError as error:
        return _say(f"{error.filename or 'this machine'}: {error.strerror or error}", report.FAILED)
    except EOFError:
        return _say("--neo4j-password-prompt: nobody is there to answer", report.FAILED)
    except KeyboardInterrupt:
        return _say("interrupted", report.INTERRUPTED)


def _say(what: object, code: int) -> int:
    print(f"chartfleet: {what}", file=sys.stderr)
    return code


# -- sync


def _sync(settings: Settings, args: argparse.Namespace) -> int:
    engine.user_jobs(settings.analysis_job_directory)  # a bad file is found before anything is touched
    permissions.rules(settings.permission_relationships_file)
    if args.neo4j_password_prompt and settings.neo4j_user:
        asked = f"Password of {settings.neo4j_user} at {settings.neo4j_uri}: "
        os.environ[PROMPTED_PASSWORD] = getpass.getpass(asked)
    elif settings.neo4j_user and not settings.neo4j_password_env_var:
        _say("--neo4j-user without a password: --neo4j-password-env-var names its variable", report.COMPLETE)
    for line in (*settings.notes(), *legacy_flags.responses(args)):
        _say(line, report.COMPLETE)
    notes = Console(stderr=True, quiet=args.quiet)
    local = settings.broker_url is None
    with ExitStack() as stack:
        browser = None
        if local:
            off = _check_providers(settings)
            settings, browser = _with_services(settings, stack, notes)
        elif settings.neo4j_uri is None:
            raise SettingError("neo4j_uri", None, "with --broker-url, name the graph that its loader writes to")
        broker = settings.broker
        assert broker is not None
        assert settings.graph_address is not None
        client = connect_redis(broker)
        readiness.check_redis(_impatient(broker), broker)
        graph = stack.enter_context(closing(readiness.check_graph(settings.graph_address)))
        app = _app(settings)
        if not local:
            off = _check_fleet(app, settings, graph, notes)
        publisher = Publisher(app)
        if local:  # two fleets at one broker would take each other's tasks
            where = _data_dir(settings)
            problem = f"another sync runs with the data directory {where}: wait for it, or give this one --data-dir"
            stack.enter_context(flock.only(where / "sync.lock", problem))
        if args.resume:
            ledger = coordinator.resume(settings, graph, client, args.resume, publisher)
        else:
            ledger = coordinator.start(settings, graph, client, publisher, off)
        try:
            fleet = None
            if local:
                fleet = stack.enter_context(local_fleet(settings, _data_dir(settings) / "logs"))
            watch.until_the_end(ledger, graph, notes, fleet)
        except BaseException as error:
            if local:  # nobody is left who would go on with it
                interrupted = isinstance(error, KeyboardInterrupt)
                with suppress(redis.RedisError, DriverError, Neo4jError):
                    _cancel_run(ledger, graph, "interrupted" if interrupted else f"{type(error).__name__}: {error}")
            else:
                commands = f"`chartfleet status {ledger.run}`, `chartfleet cancel {ledger.run}`"
                notes.print(f"The fleet goes on with run {ledger.run}: {commands}", highlight=False, soft_wrap=True)
            raise
        done = report.of(ledger)
        if args.json:
            print(json.dumps(asdict(done) | {"exit_code": done.exit_code}, indent=2))
        else:
            report.show(done, _console(), browser=browser)
        return done.exit_code


def _check_providers(settings: Settings) -> Mapping[str, str]:
    """A local fleet sees what this process sees: what a provider lacks is found here, before anything is started.

    Returns the modules that aren't configured, and what turns each on.
    """
    found = configured.look(settings.modules, settings.run_config()["options"])
    told = configured.problem(settings.modules, found.off, selected=settings.selects)
    for line in (told, *found.lacks):
        if line:
            raise readiness.NotReady(line)
    return found.off


def _check_fleet(app: Celery, settings: Settings, graph: Graph, notes: Console) -> Mapping[str, str]:
    """The same, as the workers see it."""
    options = settings.run_config()["options"]
    for seconds in FLEET_RESPONSE_SECONDS:
        responses = fleet_readiness.ask_fleet(app, settings.modules, options, seconds=seconds)
        if not responses.lacks(settings.modules):
            break
    for line in responses.notes:
        notes.print(line, highlight=False, soft_wrap=True)
    fleet_readiness.check_fleet(responses, settings.modules, graph.database_id(), selected=settings.selects)
    return responses.off


def _with_services(settings: Settings, stack: ExitStack, notes: Console) -> tuple[Settings, str | None]:
    """The settings with the embedded services in the place of those that aren't named."""
    wants_graph = settings.neo4j_uri is None

    def say(line: str) -> None:
        notes.print(line, highlight=False, soft_wrap=True)

    services = stack.enter_context(embedded.using(_data_dir(settings), say=say, broker=True, graph=wants_graph))
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
    how = _how_to_browse(embedded.status(services.data_dir))
    if not services.running["graph"].kept:
        where = f" --data-dir {_from_here(settings.data_dir)}" if settings.data_dir else ""
        how = f"`chartfleet services start{where}`, then {how}"
    return settings.with_values(values, "embedded"), how


def _data_dir(settings: Settings) -> Path:
    return Path(settings.data_dir) if settings.data_dir else embedded.default_data_dir()


def _how_to_browse(status: embedded.Status) -> str:
    """The address of Neo4j Browser; never the password, only where it stands."""
    return f"{status.browser_url} (user neo4j, password in {_from_here(status.graph.password_file)})"


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _app(settings: Settings) -> Celery:
    """The app of this process, with the settings of this command."""
    process_settings.use(settings)
    from workers.fleet.app import app

    return app


def _impatient(broker: str) -> redis.Redis:
    """For the first look: says at once that nothing answers."""
    return redis.Redis.from_url(broker, socket_connect_timeout=5, socket_timeout=10, retry=None)


# -- before a first run


def _doctor(settings: Settings, args: argparse.Namespace) -> int:
    found = doctor.diagnose(settings, _impatient)
    if args.json:
        print(found.as_json())
    else:
        doctor.show(found, _console(), verbose=args.verbose)
    return found.exit_code


# -- looking at runs


def _with_broker(settings: Settings, stack: ExitStack) -> redis.Redis:
    if settings.broker is None:
        services = stack.enter_context(embedded.using(_data_dir(settings), say=lambda _: None, graph=False))
        settings = settings.with_values({"broker_url": services.broker_url}, "embedded")
    broker = settings.broker
    assert broker is not None
    client = _impatient(broker)
    readiness.check_redis(client, broker)
    return client


def _status(settings: Settings, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        client = _with_broker(settings, stack)
        chosen = args.run or next(iter(runs(client)), None)
        if chosen is None:
            return _say("no run yet: `chartfleet sync` starts one", report.FAILED)
        try:
            found = report.of(Ledger(client, chosen))
        except KeyError:
            return _say(f"{chosen}: this broker knows no such run; `chartfleet runs` lists them", report.FAILED)
        if args.json:
            print(json.dumps(asdict(found), indent=2))
            return report.COMPLETE
        report.show(found, _console())
        report.show_tenants(found, _console())
    return report.COMPLETE


def _runs(settings: Settings, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        client = _with_broker(settings, stack)
        table = Table("run", "tag", "started (UTC)", "state", "scopes", "open", "seconds", box=None, pad_edge=False)
        for name in runs(client):
            info = Ledger(client, name).info()
            if info is None:
                continue
            started = f"{datetime.fromtimestamp(info.created_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
            seconds = f"{(info.finished_ms - info.created_ms) / 1000:.1f}" if info.finished_ms else "-"
            table.add_row(name, str(info.tag), started, info.state, str(info.planned), str(info.open), seconds)
        _console().print(table)
    return report.COMPLETE


def _cancel(settings: Settings, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        client = _with_broker(settings, stack)
        ledger = Ledger(client, args.run)
        if ledger.info() is None:
            return _say(f"{args.run}: this broker knows no such run; `chartfleet runs` lists them", report.FAILED)
        address = settings.graph_address or _running_graph(_data_dir(settings), stack)
        graph = stack.enter_context(closing(readiness.check_graph(address))) if address else None
        state = _cancel_run(ledger, graph, "cancelled by `chartfleet cancel`")
        if state != RunState.CANCELLED:
            return _say(f"run {args.run} is {state} already", report.FAILED)
        print(f"run {args.run}: {state}; nothing more is loaded or deleted")
    return report.COMPLETE


def _running_graph(directory: Path, stack: ExitStack) -> GraphAddress | None:
    """The embedded graph, if it runs: a run can be cancelled without it as well, its claim then lapses."""
    if not embedded.status(directory).graph.running:
        return None
    return stack.enter_context(embedded.using(directory, say=lambda _: None, broker=False)).graph


def _cancel_run(ledger: Ledger, graph: Graph | None, reason: str) -> str:
    state = ledger.cancel(reason)
    if graph is not None:
        revoke_claim(graph, ledger.run)
    return state


def _forget(settings: Settings, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        address = settings.graph_address
        if address is None:
            services = embedded.using(_data_dir(settings), say=lambda _: None, broker=False)
            address = stack.enter_context(services).graph
        graph = stack.enter_context(closing(readiness.check_graph(address)))
        forgotten = forget(address, graph, args.tenant, settings)
    if not forgotten.scopes:
        return _say(f"{args.tenant}: no run ever planned a scope of this tenant", report.FAILED)
    print(f"{args.tenant}: {forgotten.deleted} nodes and relationships of {forgotten.scopes} scopes deleted")
    return report.COMPLETE


def _adopt(settings: Settings, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        address = settings.graph_address
        if address is None:
            services = embedded.using(_data_dir(settings), say=lambda _: None, broker=False)
            address = stack.enter_context(services).graph
        graph = stack.enter_context(closing(readiness.check_graph(address)))
        found = preview(graph) if args.dry_run else adopt(address, graph, settings)
    if args.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        report.show_adopted(found, _console(), dry_run=args.dry_run)
    return report.COMPLETE


# -- what follows from the declarations


def _schema(settings: Settings, args: argparse.Namespace) -> int:
    try:
        found = schema.described(args.provider, args.words)
    except ValueError as error:
        return _say(error, report.USAGE)
    if args.json:
        print(json.dumps({"types": schema.as_json(found)}, indent=2))
    else:
        schema_view.show(found, _console())
    return report.COMPLETE


def _iam_policy(settings: Settings, args: argparse.Namespace) -> int:
    types = registry.requested("aws", settings.requested_syncs("aws"))
    policies = Policies(
        types=types, role=settings.options(AwsOptions).aws_assume_role or ROLE, hub=args.account == "hub"
    )
    formats = {
        "json": policies.document,
        "cloudformation": policies.cloudformation,
        "terraform": policies.terraform,
    }
    print(json.dumps(formats[args.format](), indent=2))
    return report.COMPLETE


# -- services, settings, Celery's own commands


def _services(settings: Settings, args: argparse.Namespace) -> int:
    directory = _data_dir(settings)
    if args.action == "start":
        embedded.start(directory, say=lambda line: print(line, file=sys.stderr))
    elif args.action == "stop":
        embedded.stop(directory)
    status = embedded.status(directory)
    table = Table("service", "address", "pid", "version", "password in", box=None, pad_edge=False)
    for service in (status.broker, status.graph):
        told = (service.address or "stopped", str(service.pid or "-"), service.version or "-")
        table.add_row(service.name, *told, str(_from_here(service.password_file)))
    console = _console(250)
    console.print(table)
    if status.browser_url:
        console.print(f"Neo4j Browser: {_how_to_browse(status)}", soft_wrap=True)
    return report.COMPLETE


def _config(settings: Settings, args: argparse.Namespace) -> int:
    table = Table("setting", "value", "from", "meaning", box=None, pad_edge=False)
    meanings = {name: setting.meaning for name, setting in known().items()}
    for name, value, origin in settings.shown():
        table.add_row(name, value, origin, meanings[name])
    _console(250).print(table)
    return report.COMPLETE


def _console(pipe_width: int = PIPE_WIDTH) -> Console:
    """A terminal as it is, or as COLUMNS says; a pipe takes lines of the given width."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else pipe_width, highlight=False)


def _worker(settings: Settings, args: argparse.Namespace) -> int:
    queues = [word.strip() for word in args.queues.split(",") if word.strip()]
    known = {FETCH, *every_queue()}
    if unknown := [queue for queue in queues if queue not in known]:
        raise SettingError("--queues", unknown[0], f"no such queue; known: {', '.join(sorted(known))}")
    if LOADER in queues and settings.neo4j_uri is None:
        raise SettingError("neo4j_uri", None, "a loader needs the graph: --neo4j-uri or CHARTFLEET_NEO4J_URI")
    concurrency = 1 if queues == [LOADER] else settings.concurrency or None  # there is one writer
    return _celery(settings, programs.worker_command(queues, concurrency, args.hostname, args.celery))


def _beat(settings: Settings, args: argparse.Namespace) -> int:
    if not settings.schedule:
        raise SettingError("schedule", None, "beat needs one: set CHARTFLEET_SCHEDULE, e.g. '0 3 * * *'")
    return _celery(settings, programs.beat_command(args.celery))


def _flower(settings: Settings, args: argparse.Namespace) -> int:
    return _celery(settings, programs.flower_command(args.celery))


def _health(settings: Settings, args: argparse.Namespace) -> int:
    if args.process == "flower":
        found = health.flower(args.port)
    elif settings.broker is None:
        raise SettingError("broker_url", None, "name the fleet's Redis: --broker-url or CHARTFLEET_BROKER_URL")
    elif args.process == "beat":
        found = health.beat(_app(settings), _impatient(settings.broker))
    else:
        found = health.worker(_app(settings), _impatient(settings.broker), settings, args.hostname)
    if not found.healthy:
        return _say(found.text, report.FAILED)
    print(found.text)
    return report.COMPLETE


def _celery(settings: Settings, command: list[str]) -> int:
    """Become Celery, or where that can't be, run it: its signals, its exit code, its options after `--`."""
    if settings.broker is None:
        raise SettingError("broker_url", None, "name the fleet's Redis: --broker-url or CHARTFLEET_BROKER_URL")
    readiness.check_redis(_impatient(settings.broker), settings.broker)
    sys.stdout.flush()
    environment = {**os.environ, **settings.as_environment()}
    if sys.platform != "win32":  # there, exec is another process, and nobody waits for it
        os.execve(sys.executable, command, environment)  # noqa: S606
    return subprocess.run(command, env=environment, check=False).returncode


_COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "sync": _sync,
    "doctor": _doctor,
    "status": _status,
    "runs": _runs,
    "cancel": _cancel,
    "forget": _forget,
    "adopt": _adopt,
    "schema": _schema,
    "iam-policy": _iam_policy,
    "services": _services,
    "config": _config,
    "worker": _worker,
    "beat": _beat,
    "flower": _flower,
    "health": _health,
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(report.USAGE, f"chartfleet: {message}; see `{self.prog} --help`\n")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("-v", "--verbose", action="store_true", help="tell more")
    common.add_argument("-q", "--quiet", action="store_true", help="tell warnings and errors only")
    common.add_argument(
        "--config", metavar="FILE", help="settings file (TOML); else chartfleet.toml, where there is one"
    )
    group = common.add_argument_group("settings", "also from CHARTFLEET_... variables and the settings file")
    for setting in known().values():
        how: dict[str, Any] = {"metavar": setting.metavar or "VALUE"}
        if setting.is_switch:
            how = {"action": "store_const", "const": "true"}
        group.add_argument(*setting.flags, dest=setting.name, help=setting.meaning, **how)

    parser = _Parser(
        prog="chartfleet", description="Cloud assets and how they relate, in a Neo4j graph. No command means sync."
    )
    parser.add_argument("--version", action="version", version=version("chartfleet"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    sync = commands.add_parser("sync", parents=[common], help="fetch everything into the graph, then analyse it")
    sync.add_argument("--neo4j-password-prompt", action="store_true", help="ask for the graph's password")
    sync.add_argument("--resume", metavar="RUN", help="fetch again what an earlier run didn't see, and analyse again")
    sync.add_argument("--json", action="store_true", help="the report as JSON on stdout; all else on stderr")
    legacy_flags.add(sync)
    asking = commands.add_parser("doctor", parents=[common], help="before a run: what the credentials may not do")
    asking.add_argument("--json", action="store_true", help="every tenant, action and region")
    status = commands.add_parser("status", parents=[common], help="where a run stands, the newest by default")
    status.add_argument("run", nargs="?", metavar="RUN")
    status.add_argument("--json", action="store_true")
    commands.add_parser("runs", parents=[common], help="the runs that the broker knows")
    cancel = commands.add_parser("cancel", parents=[common], help="end a run; nothing more is loaded or deleted")
    cancel.add_argument("run", metavar="RUN")
    forgetting = commands.add_parser("forget", parents=[common], help="delete all that the graph holds of a tenant")
    forgetting.add_argument("tenant", metavar="TENANT", help="its id (an account number), or provider/id")
    adopting = commands.add_parser("adopt", parents=[common], help="take over a graph that Cartography filled")
    adopting.add_argument("--dry-run", action="store_true", help="only say what it would do")
    adopting.add_argument("--json", action="store_true")
    described = commands.add_parser("schema", parents=[common], help="labels, properties, relationships and calls")
    described.add_argument(
        "words", nargs="*", metavar="TYPE|LABEL", help="only these: aws.ec2.instances, ec2, S3Bucket"
    )
    described.add_argument("--provider", metavar="NAME", help="only the types of this provider")
    described.add_argument("--json", action="store_true")
    policy = commands.add_parser("iam-policy", parents=[common], help="what AWS must allow, for the selected types")
    policy.add_argument("--account", choices=("spoke", "hub"), default="spoke", help="read, or where it runs")
    policy.add_argument("--format", choices=("json", "cloudformation", "terraform"), default="json")
    services = commands.add_parser(
        "services", parents=[common], help="the embedded graph and broker of a data directory"
    )
    services.add_argument("action", choices=("start", "stop", "status"))
    commands.add_parser("config", parents=[common], help="every setting, its value and where that came from")
    worker = commands.add_parser("worker", parents=[common], help="a worker of the fleet")
    worker.add_argument(
        "--queues", default=f"{COORDINATOR},{FETCH}", help="coordinator, fetch (or fetch.aws, ...), loader"
    )
    worker.add_argument("--hostname", help="name of the worker, unique on its host (default: one of its own)")
    for name, meaning in (("beat", "starts runs by the schedule"), ("flower", "the fleet in a web page")):
        commands.add_parser(name, parents=[common], help=meaning)
    for name in ("worker", "beat", "flower"):
        commands.choices[name].add_argument("celery", nargs="*", help="after --: options for Celery itself")
    asked = commands.add_parser("health", parents=[common], help="does a process on this host get on? 0 or 1")
    asked.add_argument("process", choices=("worker", "beat", "flower"))
    asked.add_argument("--hostname", help="of a worker: as it was started (default: all of this host)")
    port = os.environ.get("FLOWER_PORT", "5555")  # which Flower itself reads
    asked.add_argument("--port", type=int, default=port, help="of Flower; else FLOWER_PORT")
    return parser


def _set_up_logging(args: argparse.Namespace) -> None:
    level = logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=form)
    for name in ("workers", "tasks", "loaders", "analysis"):
        logging.getLogger(name).setLevel(level)
