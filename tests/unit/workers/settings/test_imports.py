"""Help shows every setting, so what declares them must be there at once."""

from __future__ import annotations

import os
import subprocess
import sys

HEAVY = [
    "boto3",
    "botocore",
    "aioboto3",
    "google",
    "googleapiclient",
    "requests",
    "dns",
    "redis",
    "celery",
    "kombu",
    "neo4j",
    "msgpack",
    "rich",
]


def run(code: str, **variables: str) -> list[str]:
    environment = {**os.environ, **variables}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_setting_is_known_without_a_clients_library() -> None:
    code = f"""
import sys
from workers.settings.settings import known
names = [*known()]
print("lease_seconds" in names, "aws_regions" in names, "okta_org_id" in names, "gsuite_requested_syncs" in names)
print([name for name in {HEAVY} if name in sys.modules])
"""
    assert run(code) == ["True True True True", "[]"]


def test_loading_them_imports_no_cloud_sdk_and_no_celery() -> None:
    code = """
import sys
from workers.settings.settings import Settings
settings = Settings.load()
print(settings.broker, settings.modules)
print([name for name in ("boto3", "botocore", "aioboto3", "celery", "googleapiclient") if name in sys.modules])
"""
    broker = "redis://localhost:6379/0"
    modules = "('aws', 'crxcavator', 'gcp', 'github', 'gsuite', 'okta')"
    assert run(code, CHARTFLEET_BROKER_URL=broker) == [f"{broker} {modules}", "[]"]


def test_importing_reads_neither_environment_nor_files() -> None:
    code = """
import workers.settings.settings, workers.settings.process_settings
print("imported")
"""
    assert run(code, CHARTFLEET_CONCURRENCY="many", CHARTFLEET_CONFIG="/no/such/file") == ["imported"]
