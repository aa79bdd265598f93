"""What runs on Windows can't use what only POSIX has: tested by removing that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.command import clean_environment
from workers.fleet.configuration import configuration
from workers.settings.settings import Settings

# Other packages handle the platform themselves when they are imported; ours are imported again without POSIX.
WITHOUT_POSIX = """
import importlib, os, pkgutil, signal, sys
import workers.app, workers.cli, workers.commands

for module in pkgutil.iter_modules(workers.commands.__path__, "workers.commands."):
    importlib.import_module(module.name)
for name in list(sys.modules):
    if name.partition(".")[0] in ("workers", "tasks", "loaders", "analysis"):
        del sys.modules[name]
for name in ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "killpg", "getpgid", "setpgid", "setsid", "getuid", "geteuid", "getgid", "uname"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGSTOP", "SIGCONT"):
    delattr(signal, name)

import workers.app, workers.cli
workers.cli.main(sys.argv[1:])
"""


def without_posix(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, *arguments],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--help"], 0, "run Flower, the fleet's web page"),
        (["config"], 0, "lease_seconds"),
        (["status", "--broker-url", "redis://127.0.0.1:1/0"], 1, "the broker redis://127.0.0.1:1/0 isn't responding"),
        (["worker", "--broker-url", "redis://127.0.0.1:1/0"], 1, "the broker redis://127.0.0.1:1/0 isn't responding"),
        (["health", "flower", "--port", "1"], 1, "flower isn't responding on port 1"),
        (["services", "start", "--data-dir", "data"], 1, "Embedded services need Linux or macOS"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_command_needs_nothing_that_only_posix_has(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = without_posix(tmp_path, *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_has_threads_as_it_must_on_windows() -> None:
    assert configuration(Settings.load({}, {}))["worker_pool"] == "threads"
