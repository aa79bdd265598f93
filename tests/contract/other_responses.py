"""What comes with status 200 and is no response."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tasks.clients.response_limits import ResponseLimits, response_limits, set_response_limits
from tests.contract.stand_in import OtherResponse

_OBJECT: Final = '{"message": "The service is being maintained", "items": {"next": null}}'
_PAGE: Final = "<html><head><title>Sign in</title></head><body><p>Wi-Fi of the hotel<br></body></html>"
EMPTY_OBJECT: Final = "an empty object"
HANGS: Final = "nothing for a long time"
OTHERS: Final = {
    "another object": OtherResponse(
        _OBJECT, "<Maintenance><Message>The service is being maintained</Message></Maintenance>"
    ),
    EMPTY_OBJECT: OtherResponse("{}", "<{call}Response><{call}Result/></{call}Response>"),
    "a list": OtherResponse(
        '[{"message": "The service is being maintained"}]', "<list><member>maintenance</member></list>"
    ),
    "null": OtherResponse("null", "<null/>"),
    "a page": OtherResponse(_PAGE, _PAGE, "text/html"),
    "nothing": OtherResponse("", ""),
    "half of it": OtherResponse('{"items": [{"id": "1"}, {"i', "<{call}Response><{call}Result><Users><member><Arn>a"),
    "deep": OtherResponse("[" * 300 + "]" * 300, "<a>" * 300 + "</a>" * 300),
    HANGS: OtherResponse("{}", "<a/>", seconds=1.5),
}


@contextmanager
def time_for_a_response(seconds: float) -> Iterator[None]:
    before = response_limits()
    set_response_limits(ResponseLimits(max_seconds=seconds))
    yield
    set_response_limits(before)
