"""What botocore makes of a response with status 200 that isn't the operation's.

Its parsers expect the service's own form: of XML with another root they raise KeyError, of JSON that is no object
AttributeError or TypeError. That is a bad answer, as one that is cut is, and asked for again; not an error of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiobotocore.parsers import AioResponseParserFactory
from botocore.model import Shape
from botocore.parsers import ResponseParserError


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
    return ResponseParserError(f"the answer is no {shape.name if shape else 'answer to this call'}: {told}")
