"""The command line: finds the command, reads its settings, runs it, and turns errors into one line and an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from workers.commands.interruption import follows, terminate
from workers.import_path import check_packages
from workers.report.exit_codes import FAILED, INTERRUPTED

if TYPE_CHECKING:
    import argparse

# Nothing but this file's own needs is imported at the top: each command imports what it needs when it is run.


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 complete, 1 failed, 2 usage, 3 complete but parts not covered, 130 interrupted."""
    _exit_with(run, arguments)


def detectdrift(arguments: Sequence[str] | None = None) -> NoReturn:
    """`chartfleet-detectdrift`."""
    _exit_with(_run_detectdrift, arguments)


def _exit_with(program: Callable[[Sequence[str]], int], arguments: Sequence[str] | None) -> NoReturn:
    for name in ("SIGTERM", "SIGHUP"):  # as Ctrl-C: what this command started ends with it
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, terminate)
    check_packages()
    sys.exit(program(list(sys.argv[1:] if arguments is None else arguments)))


def run(words: Sequence[str]) -> int:
    """Run one command line. Returns its exit code."""
    from workers.fleet.outgoing_text import guarded_streams

    with guarded_streams():
        return _guarded(lambda: _run(words))


def _run_detectdrift(words: Sequence[str]) -> int:
    from workers.fleet.outgoing_text import guarded_streams

    with guarded_streams():
        return _guarded(lambda: _detectdrift(words))


def _guarded(command: Callable[[], int]) -> int:
    from loaders.errors import ChartfleetError

    try:
        return command()
    except ChartfleetError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # `chartfleet config | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        from workers.commands.lost_connections import describe

        if follows(error):
            return _fail("interrupted", INTERRUPTED)
        if message := describe(error):
            return _fail(message, FAILED)
        raise


def _run(words: Sequence[str]) -> int:
    if words[:1] in (["-h"], ["--help"], ["--help-all"], ["--version"]):
        from workers.commands import overview

        return overview.show_version() if words[0] == "--version" else overview.show_help()
    from workers.commands.parser import parse
    from workers.commands.table import flags_of
    from workers.settings.settings import Settings

    command, args = parse(words)
    _set_up_logging(args)
    return command.run(Settings.load(flags_of(args)), args)


def _detectdrift(words: Sequence[str]) -> int:
    from workers.commands import detectdrift

    args = detectdrift.parser().parse(words)
    _set_up_logging(args, detectdrift.LOGGER)
    return detectdrift.run(args)


def _fail(message: str, exit_code: int) -> int:
    print(f"chartfleet: {message}", file=sys.stderr)
    return exit_code


def _set_up_logging(args: argparse.Namespace, *names: str) -> None:
    from workers.fleet.outgoing_text import guard_logs

    level = logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=form)
    guard_logs(logging.getLogger().handlers)
    for name in ("workers", "tasks", "loaders", "analysis", *names):
        logging.getLogger(name).setLevel(level)
