"""What leaves a process: logs, printed texts, and the exceptions that Celery keeps."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from loaders.masking import keep_secret
from workers.commands import terminal
from workers.fleet.outgoing_text import TaskFailed, guard_logs, guarded_streams, without_secrets

SECRET = "kd83-a-secret-of-tests"  # as a test needs one


@pytest.fixture(autouse=True)
def secret() -> None:
    keep_secret(SECRET)


def logged(name: str, message: str, *args: object, error: BaseException | None = None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    guard_logs([handler])
    handler.handle(
        logging.LogRecord(name, logging.ERROR, "", 0, message, args, (type(error), error, None) if error else None)
    )
    return stream.getvalue()


def test_a_log_has_no_secret_and_one_record_a_line() -> None:
    assert logged("tasks.x", "%s: %s", "a\nERROR forged", SECRET) == "ERROR a\\nERROR forged: ***\n"


def test_nor_has_the_traceback() -> None:
    text = logged("tasks.x", "failed", error=ValueError(f"token {SECRET}\x1b[2J"))
    assert "ValueError: token ***\\x1b[2J" in text
    assert SECRET not in text


def test_what_is_printed_controls_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_streams():
        print(f"bucket \x1b[31m{SECRET}\u202e")
        print("error \x07", file=sys.stderr)
    assert capsys.readouterr() == ("bucket \\x1b[31m***\\u202e\n", "error \\x07\n")


def test_nor_does_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_streams():
        terminal.console().print(f"name \x1b]0;{SECRET}\u202e", markup=False)
    assert capsys.readouterr().out == "name \\x1b]0;***\\u202e\n"


def test_a_task_raises_no_secret() -> None:
    @without_secrets
    def task() -> None:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ValueError("no such tenant") from error

    with pytest.raises(TaskFailed, match="ValueError: no such tenant") as caught:
        task()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_other_exceptions_of_a_task_stay_as_they_are() -> None:
    @without_secrets
    def task() -> None:
        raise ValueError("no such tenant")

    with pytest.raises(ValueError, match="no such tenant"):
        task()
