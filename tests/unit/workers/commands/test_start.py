"""Commands that only show something start fast: they import no cloud SDK, no Celery, and no Neo4j driver."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.command import clean_environment

HEAVY = {"boto3", "botocore", "aioboto3", "aiobotocore", "celery", "kombu", "neo4j", "googleapiclient", "google.auth"}
IMPORTED = """
import json, sys
from workers.cli import run

try:
    code = run(sys.argv[1:])
except SystemExit as end:
    code = end.code
print(json.dumps({"code": code, "modules": list(sys.modules)}))
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["sync", "--help"], 0),
        (["snyc"], 2),
        (["config"], 0),
        (["status", "--broker-url", "redis://127.0.0.1:1/0"], 1),
        (["runs", "--broker-url", "redis://127.0.0.1:1/0"], 1),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_it_imports_nothing_heavy(words: list[str], code: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    ended = json.loads(done.stdout.splitlines()[-1])
    assert ended["code"] == code, done.stderr
    assert not HEAVY & set(ended["modules"])
