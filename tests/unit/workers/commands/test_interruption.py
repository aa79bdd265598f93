"""An interruption is one, whatever fails on the way out of it."""

from __future__ import annotations

import pytest

from workers import cli
from workers.commands.interruption import Terminated, follows


def test_a_library_that_fails_as_it_is_interrupted() -> None:
    with pytest.raises(BufferError) as raised:
        read_in_part()
    assert follows(raised.value)


def test_an_error_of_its_own() -> None:
    with pytest.raises(ValueError, match="b") as raised:
        fail_twice()
    assert not follows(raised.value)


def read_in_part() -> None:
    try:
        try:
            raise Terminated
        finally:
            raise ConnectionError("the rest of a message")
    except ConnectionError:
        raise BufferError("it is being read") from None


def fail_twice() -> None:
    try:
        raise KeyError("a")
    except KeyError:
        raise ValueError("b")  # noqa: B904


def test_the_command_says_no_more_than_that_it_was_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_run", lambda words: read_in_part())
    assert cli.run(["sync"]) == 130
    assert capsys.readouterr().err == "chartfleet: interrupted\n"
