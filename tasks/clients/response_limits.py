"""How much of a response is read: bytes, seconds, values and depth. Whoever sends more fails the call, not the process.

The limits of bytes and seconds are settings; a process sets them once, before its first request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

MAX_DEPTH: Final = 100  # of nested lists and objects; the deepest known response has about 15
# A value takes 60 to 100 bytes of memory, however few its text has: 64 MB of `{},{},...` would become 1.5 GB.
MAX_VALUES: Final = 5_000_000
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLimits:
    """max_bytes: of one response, decompressed. max_seconds: from the request to its last byte."""

    max_bytes: int = 64_000_000
    max_seconds: float = 300.0


class ResponseLimitExceeded(ValueError):
    """A response is larger, slower or deeper than what is read. It isn't requested again: it would be the same."""


_limits = ResponseLimits()


def response_limits() -> ResponseLimits:
    """Those of this process."""
    return _limits


def set_response_limits(limits: ResponseLimits) -> None:
    """Set those of this process."""
    global _limits
    _limits = limits


def too_large() -> ResponseLimitExceeded:
    return ResponseLimitExceeded(f"the response has more than {_limits.max_bytes:,} bytes (max_response_bytes)")


def too_slow() -> ResponseLimitExceeded:
    seconds = f"{_limits.max_seconds:g}"
    return ResponseLimitExceeded(f"the response takes longer than {seconds} s (max_response_seconds)")


def too_deep() -> ResponseLimitExceeded:
    return ResponseLimitExceeded(f"the response is nested deeper than {MAX_DEPTH} levels")


def read_json(content: bytes) -> Any:
    """A JSON document. Raises ResponseLimitExceeded, and ValueError if it isn't one."""
    check_json_size(content)
    try:
        document = _parsed(content)
    except RecursionError:
        raise too_deep() from None
    check_depth(document)
    return document


def check_depth(document: object) -> None:
    """Raises ResponseLimitExceeded for what functions that call themselves could not walk through."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for container in level for inner in _elements(container) if isinstance(inner, dict | list)]
        if not level:
            return
    raise too_deep()


def check_json_size(content: bytes) -> None:
    """Raises ResponseLimitExceeded for too many values."""
    _check_values(content, (b",", b"[", b"{"))


def check_xml(content: bytes) -> None:
    """Raises ResponseLimitExceeded for too many elements, and for declarations of entities: a few bytes of them can
    stand for any number.
    """
    _check_values(content, (b"<",))
    if _DECLARATION.search(content):
        raise ResponseLimitExceeded("the response declares a document type or entities, which no API does")


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python converts no more than 4,300 digits: the number costs itself, not the response
        return json.loads(content, parse_int=_number_or_text)


def _number_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) < 1_000 else digits


def _elements(container: Any) -> Iterable[Any]:
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, list) else ()


def _check_values(content: bytes, marks: Iterable[bytes]) -> None:
    if len(content) > MAX_VALUES and sum(content.count(mark) for mark in marks) > MAX_VALUES:
        raise ResponseLimitExceeded(f"the response has more than {MAX_VALUES:,} values")
