"""Settings are typed: a wrong name or type is found by mypy, before anything runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]

SNIPPET = """
from tasks.aws.options import AwsOptions
from tasks.options import ProviderOptions, option
from workers.settings.settings import Settings

settings = Settings.load()
seconds: float = settings.lease_seconds
regions: tuple[str, ...] = settings.options(AwsOptions).aws_regions

settings.lease_secnds  # wrong
x: int = settings.broker_url  # wrong
settings.lease_seconds.no_such()  # wrong
settings.lease_seconds = 1.0  # wrong
settings.options(AwsOptions).aws_region  # wrong
y: str = settings.options(AwsOptions).aws_regions  # wrong


def is_domain(value: str) -> str | None:
    return None


class Options(ProviderOptions):
    network: str | None = option("the network", default=None, check=is_domain)
    pages: int = option("pages at a time", default="4")  # wrong
    name: str = option("the name", default=None)  # wrong
    count: int = option("how many", default=1, check=is_domain)  # wrong
"""


def test_mypy_finds_every_wrong_line_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(SNIPPET)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache"), str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    assert found == {n for n, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# wrong")}, done.stdout
