"""The demo: simulated providers, a fleet and a graph on this machine, one `chartfleet sync`, and a check of the result.

python -m demo             stops everything it started at the end
python -m demo --keep      keeps the graph, the broker and the simulated providers running
python -m demo --stop      stops what --keep left running

Its data directory is emptied at the start and kept at the end: `chartfleet services start` starts the graph again.
Credentials and settings of the shell are not used. Exit codes: 0 as expected, 1 otherwise, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NoReturn

from rich.console import Console

from demo import sample_queries
from demo.inventory import ACCOUNT, REGIONS, Estate
from demo.organization import EXTERNAL_ID, READER, fill
from loaders.graph import Graph
from tasks.engine import registry
from tests.servers import company
from tests.servers.aws import START_SECONDS, AwsControl, Effect, Fault
from workers import embedded
from workers.embedded.process import ServerProcess, spawn, stop_all
from workers.report.exit_codes import NOT_COVERED

ROOT: Final = Path(__file__).parents[1]
CHARTFLEET: Final = str(Path(sys.executable).with_name("chartfleet"))
DENIED_REGION: Final = "eu-south-1"
COMPANY: Final = company.Size()
SEEN_REGIONS: Final = tuple(region for region in REGIONS if region != DENIED_REGION)

SETTINGS: Final = "demo.toml"  # empty; marks a data directory as the demo's
SIMULATED: Final = {"aws": "tests.servers.aws", "company": "tests.servers.company"}  # each runs in its own process

console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A sync of simulated providers, end to end.")
    parser.add_argument("--keep", action="store_true", help="keep graph, broker and simulated providers running")
    parser.add_argument("--stop", action="store_true", help="stop what --keep left running")
    parser.add_argument("--data-dir", type=Path, default=Path(".demo"), metavar="DIR", help="default: %(default)s")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    directory: Path = arguments.data_dir.absolute()
    hide_shell_environment(directory / SETTINGS)
    try:
        check(directory)
        stop(directory)
        if arguments.stop:
            return 0
        shutil.rmtree(directory, ignore_errors=True)  # every demo starts from scratch
        directory.mkdir(mode=0o700, parents=True)
        (directory / SETTINGS).touch()
        with ExitStack() as started:
            as_expected = demo(directory, started)
            if arguments.keep:
                started.pop_all()
                show_what_is_running(directory)
    except embedded.EmbeddedError as error:
        console.print(f"demo: {error}", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("demo: interrupted; everything it started has been stopped")
        return 130
    if not arguments.keep:
        console.print("Everything it started has been stopped. To explore the graph: [bold]make demo KEEP=1[/]")
    return 0 if as_expected else 1


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def hide_shell_environment(settings: Path) -> None:
    """Hide credentials, profiles and settings: the demo must not reach a real account or a real graph."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "GSUITE_", "CHARTFLEET_")):
            del os.environ[name]
    files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG")
    os.environ |= dict.fromkeys(files, os.devnull) | {"NO_GCE_CHECK": "true"}
    os.environ["CHARTFLEET_CONFIG"] = str(settings)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1")))


def demo(directory: Path, started: ExitStack) -> bool:
    """Start everything, sync once, and return whether the graph is as expected. `started` stops what was started."""
    title("A simulated AWS")
    aws = AwsControl(simulated("aws", directory, started))
    organization = fill(aws.url)
    aws.add(Fault(Effect.DENY, service="ec2", region=DENIED_REGION, account=ACCOUNT))
    accounts = len(organization.accounts) + 1
    console.print(f"{aws.url}: {accounts} accounts, {len(REGIONS)} regions; EC2 denied in {DENIED_REGION} of {ACCOUNT}")

    title("A company on GCP, Okta, GSuite, GitHub and CRXcavator")
    others = simulated("company", directory, started)
    console.print(
        f"{others}: {COMPANY.people} people, {COMPANY.projects} projects, {COMPANY.repositories} repositories"
    )

    title("A graph and a broker")
    started.callback(embedded.stop, directory)
    services = embedded.start(directory, say=say)

    title("The sync")
    os.environ |= {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "AKIADEMODEMODEMODEMO",
        "AWS_SECRET_ACCESS_KEY": "the-simulator-takes-any-key",
        "AWS_DEFAULT_REGION": REGIONS[0],
    }
    os.environ |= company.variables(others, directory)
    roles = ["--aws-assume-role", READER, "--aws-external-id", EXTERNAL_ID]
    flags = ["--data-dir", os.path.relpath(directory), *roles, "--aws-regions", ",".join(REGIONS)]
    flags += company.flags(others)
    console.print(f"$ chartfleet {shlex.join(['sync', *flags])}", markup=False)
    begin = time.monotonic()
    code = chartfleet("sync", *flags)
    seconds = time.monotonic() - begin

    title("The demo's own check")
    status = subprocess.run(
        [CHARTFLEET, "status", "--json", "--data-dir", str(directory)], capture_output=True, text=True, check=False
    )
    with closing(Graph.at(services.graph)) as graph:
        wrong = differences(organization.hub, graph, code, json.loads(status.stdout or "{}"))
        wrong += sample_queries.differences(graph)
        wrong += sample_queries.differences(graph, sample_queries.PEOPLE)
    for line in wrong:
        console.print(f"[red]not as expected:[/] {line}")
    if not wrong:
        summary = f"{seconds:.0f} s, exit code {code} (complete, but some scopes were not seen): only the EC2 scopes of"
        console.print(f"[green]As expected:[/] {summary} {DENIED_REGION} in {ACCOUNT} were not seen.")
        console.print("All sample queries in the documentation return the results stated there.")
    return not wrong


def chartfleet(*arguments: str) -> int:
    """Run the command as a user would, in its own session: the demo receives Ctrl-C, and passes it on once."""
    process = subprocess.Popen([CHARTFLEET, *arguments], start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def differences(estate: Estate, graph: Graph, code: int, status: dict[str, Any]) -> list[str]:
    """Compare the graph and the status with what was created in the management account; a line for each difference."""

    def ids(query: str, value: Any = True) -> set[str]:
        parameters = {"value": value, "account": estate.account}
        return {row["id"] for row in graph.rows(f"{query} RETURN n.id AS id", parameters)}

    own = "MATCH (:AWSAccount {id: $account})-[:RESOURCE]->"
    exposed = f"{own}(n:EC2Instance) WHERE $value IN n.exposed_internet_type"
    buckets = f"{own}(n:S3Bucket) WHERE n.anonymous_access = $value"
    ec2 = {t.name for t in registry.of("aws") if any(call.startswith("ec2:") for call in t.fetch.calls)}
    pairs: dict[str, tuple[object, object]] = {
        "exit code": (code, NOT_COVERED),
        "scopes not seen": (
            {(line["type"], line["tenant"], line["region"], line["status"]) for line in status.get("not_seen", [])},
            {(name, ACCOUNT, DENIED_REGION, "denied") for name in ec2},
        ),
        "instances exposed directly": (ids(exposed, "direct"), estate.exposed_directly(*SEEN_REGIONS)),
        "instances exposed by a load balancer": (ids(exposed, "elb"), estate.exposed_by_elb(*SEEN_REGIONS)),
        "exposed load balancers": (
            ids(f"{own}(n:LoadBalancer) WHERE n.exposed_internet = $value"),
            estate.exposed_load_balancers(*SEEN_REGIONS),
        ),
        "public buckets": (ids(buckets, True), estate.public_buckets),
        "private buckets": (ids(buckets, False), estate.private_buckets),
    }
    return [
        f"{name}: {actual}, expected {expected}" for name, (actual, expected) in pairs.items() if actual != expected
    ]


# -- processes that --keep leaves running


def simulated(name: str, directory: Path, started: ExitStack) -> str:
    """Start a simulator, and return its URL once it is ready."""
    state, log = directory / f"{name}.json", directory / "logs" / f"{name}.log"
    process = spawn([sys.executable, "-m", SIMULATED[name], "--state", state], directory=ROOT, log=log)
    started.callback(stop_all, [process])
    _process_file(directory, name).write_text(json.dumps(asdict(process)))
    deadline = time.monotonic() + START_SECONDS
    while not state.exists():
        if not process.alive or time.monotonic() > deadline:
            raise embedded.EmbeddedError(f"the simulated {name} didn't start; see {log}")
        time.sleep(0.05)
    return str(json.loads(state.read_text())["url"])


def _process_file(directory: Path, name: str) -> Path:
    return directory / f"{name}.process.json"


def check(directory: Path) -> None:
    """Refuse a directory that belongs to something else: neither its files nor what runs there are touched."""
    if directory.exists() and any(directory.iterdir()) and not (directory / SETTINGS).exists():
        raise embedded.EmbeddedError(f"{directory} contains data that is not a demo's: use another directory")


def stop(directory: Path) -> None:
    """Stop what an earlier demo left running. Its data are kept."""
    embedded.stop(directory)
    files = [_process_file(directory, name) for name in SIMULATED]
    stop_all([ServerProcess(**json.loads(file.read_text())) for file in files if file.exists()])


def show_what_is_running(directory: Path) -> None:
    status = embedded.status(directory)
    title("Still running")
    say(f"Neo4j Browser   {status.browser_url} (user neo4j, password in {status.graph.password_file})")
    for name in SIMULATED:
        console.print(
            f"simulated {name:<8} {json.loads((directory / f'{name}.json').read_text())['url']}", soft_wrap=True
        )
    console.print("to stop everything  [bold]make demo-stop[/]")


def say(line: str) -> None:
    """Print a line, with paths relative to the working directory."""
    console.print(line.replace(f"{Path.cwd()}{os.sep}", ""), markup=False)


def title(text: str) -> None:
    console.print(f"\n[bold cyan]== {text}[/]")


if __name__ == "__main__":
    sys.exit(main())
