"""The demo: simulated providers, a fleet and a graph on this machine, one `chartfleet sync`, a check of what it says.

python -m demo             everything it started is gone afterwards
python -m demo --keep      graph, broker and simulated providers stay up
python -m demo --stop      ends what --keep left up

Its data directory is emptied when it starts, and left behind at the end: `chartfleet services start` brings the graph
back. Credentials and settings of this shell aren't used. Exit codes: 0 as expected, 1 not, 130 interrupted.
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
from demo.estate import ACCOUNT, REGIONS, Estate
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

SETTINGS: Final = "demo.toml"  # empty; in the data directory, whose sign it is that it is a demo's
SIMULATED: Final = {"aws": "tests.servers.aws", "company": "tests.servers.company"}  # each a process of its own

console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A sync of simulated providers, end to end.")
    parser.add_argument("--keep", action="store_true", help="graph, broker and simulated providers stay up")
    parser.add_argument("--stop", action="store_true", help="end what --keep left up")
    parser.add_argument("--data-dir", type=Path, default=Path(".demo"), metavar="DIR", help="default: %(default)s")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    directory: Path = arguments.data_dir.absolute()
    use_nothing_of_this_shell(directory / SETTINGS)
    try:
        check(directory)
        stop(directory)
        if arguments.stop:
            return 0
        shutil.rmtree(directory, ignore_errors=True)  # every demo begins anew
        directory.mkdir(mode=0o700, parents=True)
        (directory / SETTINGS).touch()
        with ExitStack() as started:
            as_expected = demo(directory, started)
            if arguments.keep:
                started.pop_all()
                say_what_stays(directory)
    except embedded.EmbeddedError as error:
        console.print(f"demo: {error}", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("demo: interrupted; everything it started is gone")
        return 130
    if not arguments.keep:
        console.print("Everything it started is gone. To look around in the graph: [bold]make demo KEEP=1[/]")
    return 0 if as_expected else 1


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def use_nothing_of_this_shell(settings: Path) -> None:
    """No credentials, profiles or settings: the demo must not reach a real account or a real graph."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "GSUITE_", "CHARTFLEET_")):
            del os.environ[name]
    files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG")
    os.environ |= dict.fromkeys(files, os.devnull) | {"NO_GCE_CHECK": "true"}
    os.environ["CHARTFLEET_CONFIG"] = str(settings)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1")))


def demo(directory: Path, started: ExitStack) -> bool:
    """Everything up, one sync, its report; whether the graph says what the estate is. `started` ends what came up."""
    title("A simulated AWS")
    aws = AwsControl(simulated("aws", directory, started))
    organization = fill(aws.url)
    aws.add(Fault(Effect.DENY, service="ec2", region=DENIED_REGION, account=ACCOUNT))
    accounts = len(organization.accounts) + 1
    console.print(f"{aws.url}: {accounts} accounts, {len(REGIONS)} regions; {ACCOUNT} is denied EC2 in {DENIED_REGION}")

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
        told = f"{seconds:.0f} s, exit code {code} (complete, but parts not seen); not seen are the EC2 scopes of"
        console.print(f"[green]As expected:[/] {told} {DENIED_REGION} in {ACCOUNT}, no others.")
        console.print("Every query of the pages of sample queries has the response that its page states.")
    return not wrong


def chartfleet(*arguments: str) -> int:
    """Run the command as a user does. In a session of its own: Ctrl-C comes to the demo, which passes it on once."""
    process = subprocess.Popen([CHARTFLEET, *arguments], start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def differences(estate: Estate, graph: Graph, code: int, status: dict[str, Any]) -> list[str]:
    """What the run says of the account that has the most, against what was built; a line for each difference."""

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
    return [f"{what}: {found}, expected {expected}" for what, (found, expected) in pairs.items() if found != expected]


# -- what stays up, and its end


def simulated(name: str, directory: Path, started: ExitStack) -> str:
    """Where it answers, once it does."""
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
    """A directory that isn't a demo's is left alone: what is in it, and what runs there."""
    if directory.exists() and any(directory.iterdir()) and not (directory / SETTINGS).exists():
        raise embedded.EmbeddedError(f"{directory} holds something else than a demo's data: move it away")


def stop(directory: Path) -> None:
    """End what an earlier demo left up. Its data stay."""
    embedded.stop(directory)
    files = [_process_file(directory, name) for name in SIMULATED]
    stop_all([ServerProcess(**json.loads(file.read_text())) for file in files if file.exists()])


def say_what_stays(directory: Path) -> None:
    status = embedded.status(directory)
    title("Still up")
    say(f"Neo4j Browser   {status.browser_url} (user neo4j, password in {status.graph.password_file})")
    for name in SIMULATED:
        console.print(
            f"simulated {name:<8} {json.loads((directory / f'{name}.json').read_text())['url']}", soft_wrap=True
        )
    console.print("to stop it all  [bold]make demo-stop[/]")


def say(line: str) -> None:
    """A line with its paths as seen from here."""
    console.print(line.replace(f"{Path.cwd()}{os.sep}", ""), markup=False)


def title(text: str) -> None:
    console.print(f"\n[bold cyan]== {text}[/]")


if __name__ == "__main__":
    sys.exit(main())
