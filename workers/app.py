"""Where `celery -A workers.app` finds the app: the name that scripts and unit files use.

`python -P -m workers.app worker ...` is Celery's own command line with this app. Unlike `celery -A`, it never imports
anything from the working directory.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from workers.import_path import WithoutWorkingDirectory, check_packages

with WithoutWorkingDirectory():
    check_packages()
    if __name__ == "__main__":
        from celery import maybe_patch_concurrency

        maybe_patch_concurrency()  # for the pools gevent and eventlet, before anything else is imported
    from loaders.errors import ChartfleetError
    from workers.fleet.app import app as app


def main() -> int:
    """Celery's command line: what its script does, except for the search for the app."""
    try:
        return int(_command(sys.argv[1:2])(prog_name="celery", auto_envvar_prefix="CELERY") or 0)
    except ChartfleetError as error:
        print(f"chartfleet: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code


def _command(word: Sequence[str]) -> Callable[..., Any]:
    """A worker and beat without the other commands: one of them is Flower, which takes 25 MB."""
    if word in (["worker"], ["beat"]):
        from celery.bin.base import CLIContext

        command = import_module(f"celery.bin.{word[0]}").__dict__[word[0]]
        context = CLIContext(app=app, no_color=False, workdir=None)
        return partial(command, args=sys.argv[2:], obj=context)
    from celery.bin.celery import celery

    celery.params[0].default = app
    return celery


if __name__ == "__main__":
    sys.exit(main())
