"""Parsing that keeps a response where botocore would reject all of it for one invalid value.

A time that can't be parsed becomes `NoTime`, which fits no declared type and so is reported where it occurs. A
character that XML forbids becomes U+FFFD.

A body that isn't the operation's response at all is an invalid response, like a truncated one, and is requested again.
botocore's parsers raise KeyError for XML with another root, AttributeError or TypeError for JSON that is not an object.
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

from tasks.aws.client.response_roots import check_root

_REPLACEMENT: Final = "\ufffd".encode()
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BY_NUMBER: Final = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")


class ParserFactory(AioResponseParserFactory):
    """Parsers that raise ResponseParserError for everything they can't read."""

    def create_parser(self, protocol_name: str) -> Any:
        return _Parser(super().create_parser(protocol_name))


class _Parser:
    def __init__(self, parser: Any) -> None:
        self._parser = parser

    async def parse(self, response: Mapping[str, Any], shape: Shape | None) -> Any:
        check_root(response, shape)
        try:
            parsed = await self._parser.parse(response, shape)
        except (AttributeError, KeyError, TypeError) as error:
            raise _invalid(shape, type(error).__name__) from error
        if parsed is None:  # for the JSON text null
            raise _invalid(shape, "null")
        return parsed


def _invalid(shape: Shape | None, reason: str) -> ResponseParserError:
    return ResponseParserError(f"the response is not {f'a {shape.name}' if shape else 'one to this call'}: {reason}")


@dataclass(frozen=True, slots=True)
class NoTime:
    """In place of a time: a value out of range, such as milliseconds read as seconds, or not a time at all."""

    value: object

    def __repr__(self) -> str:
        return f"{self.value!r} (not a time)"


def time_or_none(value: Any) -> Any:
    """The time as botocore parses it, or NoTime."""
    try:
        return parse_timestamp(value)
    except (ValueError, OverflowError, OSError, RuntimeError, TypeError):
        return NoTime(value)


def without_forbidden_characters(response_dict: dict[str, Any], **_: Any) -> None:
    """AWS escapes characters that users wrote but XML can't contain, as `&#x7;`, which no parser accepts."""
    body = response_dict.get("body")
    if isinstance(body, bytes) and body.lstrip()[:1] == b"<":
        response_dict["body"] = _BY_NUMBER.sub(_allowed, _CONTROL.sub(_REPLACEMENT, body))


def _allowed(reference: re.Match[bytes]) -> bytes:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    ranges = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    is_allowed = number in (0x9, 0xA, 0xD) or any(first <= number <= last for first, last in ranges)
    return reference[0] if is_allowed else _REPLACEMENT
