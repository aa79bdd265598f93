from __future__ import annotations

import subprocess
import sys

CODE = """
import os
from workers.settings import process_settings
from workers.settings.settings import Settings
os.environ["CHARTFLEET_CONCURRENCY"] = "2"
{before}
print(process_settings.current().concurrency)
os.environ["CHARTFLEET_CONCURRENCY"] = "3"
print(process_settings.current().concurrency)
"""


def concurrency(before: str = "") -> list[str]:
    code = CODE.format(before=before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_a_worker_reads_its_environment_once() -> None:
    assert concurrency() == ["2", "2"]


def test_a_command_gives_its_process_what_it_has_read() -> None:
    assert concurrency('process_settings.use(Settings.load({"concurrency": "7"}))') == ["7", "7"]
