"""What botocore's parsers would give up a whole response for.

A time that is none, or a character that XML doesn't have, costs itself: the response is read; a time that can't be
one is
`NoTime`, which no declared type takes, so that it is told where it stands; a character that XML forbids is U+FFFD.

What isn't the operation's response is a bad one, as one that is cut is, and asked for again; not an error of ours:
of XML
with another root the parsers raise KeyError, of JSON that is no object AttributeError or TypeError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiobotocore.parsers import AioResponseParserFactory
from botocore.model import Shape
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

_REPLACEMENT: Final = "\ufffd".encode()
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BY_NUMBER: Final = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")


class ParserFactory(AioResponseParserFactory):
    """Parsers that say of whatever they can't read that they can't."""

    def create_parser(self, protocol_name: str) -> Any:
        return _Parser(super().create_parser(protocol_name))


class _Parser:
    def __init__(self, parser: Any) -> None:
        self._parser = parser

    async def parse(self, response: Mapping[str, Any], shape: Shape | None) -> Any:
        try:
            found = await self._parser.parse(response, shape)
        except (AttributeError, KeyError, TypeError) as error:
            raise _no(shape, type(error).__name__) from error
        if found is None:  # of JSON that is null
            raise _no(shape, "null")
        return found


def _no(shape: Shape | None, told: str) -> ResponseParserError:
    return ResponseParserError(f"the response is no {shape.name if shape else 'response to this call'}: {told}")


@dataclass(frozen=True, slots=True)
class NoTime:
    """What stands in the place of a time: out of range, as milliseconds read as seconds are, or no time at all."""

    said: Any

    def __repr__(self) -> str:
        return f"{self.said!r} (no time)"


def time_or_none(value: Any) -> Any:
    """The time that botocore's own parser finds, or what was said instead."""
    try:
        return parse_timestamp(value)
    except (ValueError, OverflowError, OSError, RuntimeError, TypeError):
        return NoTime(value)


def without_forbidden_characters(response_dict: dict[str, Any], **_: Any) -> None:
    """AWS escapes what users wrote and XML has no way to say, as `&#x7;`; no parser reads that."""
    body = response_dict.get("body")
    if isinstance(body, bytes) and body.lstrip()[:1] == b"<":
        response_dict["body"] = _BY_NUMBER.sub(_allowed, _CONTROL.sub(_REPLACEMENT, body))


def _allowed(found: re.Match[bytes]) -> bytes:
    number = int(found[1], 16) if found[1] else int(found[2])
    ranges = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    there = number in (0x9, 0xA, 0xD) or any(first <= number <= last for first, last in ranges)
    return found[0] if there else _REPLACEMENT
