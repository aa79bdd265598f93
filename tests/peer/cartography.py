"""Runs Cartography 0.143 in an environment of its own, against the same simulated AWS, into a graph.

    python -m tests.peer.cartography --endpoint http://127.0.0.1:5000 --neo4j-uri bolt://127.0.0.1:7687

The environment is made once, from requirements.lock, in the user's cache: 2 GB, two minutes.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import platformdirs

from loaders.graph import GraphAddress
from tests.servers.aws import AwsControl, Effect, Fault
from workers.embedded.flock import exclusive

LOCK: Final = Path(__file__).with_name("requirements.lock")
PASSWORD: Final = "CHARTFLEET_PEER_NEO4J_PASSWORD"  # the name of a variable

# What the simulator answers as AWS does; permissions and tags need services that it lacks.
SYNCS: Final = (
    "iam", "s3", "ec2:instance", "ec2:security_group", "ec2:subnet", "ec2:keypair", "ec2:autoscalinggroup",
    "ec2:load_balancer", "ec2:load_balancer_v2", "ec2:network_interface", "ec2:vpc", "rds",
)  # fmt: skip
# moto doesn't know the call, and would answer 500 to it, again and again for each principal.
UNKNOWN_CALL: Final = Fault(Effect.DENY, service="iam", action="GenerateServiceLastAccessedDetails")


def environment() -> Path:
    """The `cartography` command of an environment that holds exactly what the lock says."""
    name = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = platformdirs.user_cache_path("chartfleet") / "peer"
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / name
    with exclusive(cache / ".lock"):
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            venv.create(home, with_pip=True)
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
            (home / "complete").touch()
    return home / "bin" / "cartography"


def command(graph: GraphAddress, *, tag: int, regions: Iterable[str], syncs: Iterable[str] = SYNCS) -> list[str]:
    """The command line of one sync of the default credentials' account; its environment has `variables`."""
    return [
        str(environment()), "--neo4j-uri", graph.uri, "--neo4j-user", graph.user or "",
        "--neo4j-password-env-var", PASSWORD, "--selected-modules", "create-indexes,aws",
        "--aws-requested-syncs", ",".join(syncs), "--aws-regions", ",".join(regions), "--update-tag", str(tag),
    ]  # fmt: skip


def variables(endpoint: str, graph: GraphAddress, **more: str) -> dict[str, str]:
    """The environment of a sync: that of this process, without what says anything else of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CARTOGRAPHY_AWS_MAX_ATTEMPTS": "2",
        PASSWORD: graph.password or "",
        **more,
    }


def sync(
    endpoint: str,
    graph: GraphAddress,
    *,
    tag: int,
    account: str,
    regions: Iterable[str],
    syncs: Iterable[str] = SYNCS,
    log: Path | None = None,
) -> None:
    """One sync of an account of the simulated AWS. Raises CalledProcessError; `log` says what it had to say."""
    wanted = command(graph, tag=tag, regions=regions, syncs=syncs)
    keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "simulated"}
    with AwsControl(endpoint).during(UNKNOWN_CALL), (log or Path(os.devnull)).open("w") as said:
        subprocess.run(
            wanted,
            env=variables(endpoint, graph, **keys),
            stdout=said,
            stderr=subprocess.STDOUT,
            check=True,
            timeout=240,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Fills a graph as Cartography 0.143 does.")
    parser.add_argument("--endpoint", required=True, help="URL of the simulated AWS")
    parser.add_argument("--neo4j-uri", required=True)
    parser.add_argument("--neo4j-user", default="neo4j")
    parser.add_argument("--account", default="123456789012")
    parser.add_argument("--regions", default="us-east-1,eu-west-1")
    parser.add_argument("--update-tag", type=int, default=1_700_000_000)
    args = parser.parse_args()
    password = getpass.getpass(f"Password of {args.neo4j_user}: ")
    address = GraphAddress(uri=args.neo4j_uri, user=args.neo4j_user, password=password)
    sync(args.endpoint, address, tag=args.update_tag, account=args.account, regions=args.regions.split(","))


if __name__ == "__main__":
    main()
