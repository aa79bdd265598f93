"""How long an API asks a worker to wait, and how much of that is believed.

A header may say anything: seconds or milliseconds, a date in another century, a negative number, no number at all.
Nothing that an API says may stop a scope, or a whole account, for more than some minutes: then it is asked again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

MAX_WAIT_SECONDS: Final = 900.0  # of one wait
# The longest window of any API here is an hour. What is further away is a mistake: milliseconds, another clock.
_MAX_PLAUSIBLE_SECONDS: Final = 7200.0
_MAX_DIGITS: Final = 15


class _Headers(Protocol):
    @property
    def headers(self) -> Mapping[str, str]: ...


def believed(seconds: float | None) -> float | None:
    """The wait that an API asks for, capped; None where it gives none, or one that can't be meant."""
    if seconds is None or not 0 <= seconds <= _MAX_PLAUSIBLE_SECONDS:  # a NaN is in no range
        return None
    return min(seconds, MAX_WAIT_SECONDS)


def capped(seconds: float) -> float:
    """A wait within the same bounds; 0 where it is not a number."""
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), MAX_WAIT_SECONDS)


def retry_after(response: _Headers) -> float | None:
    """Seconds of the Retry-After header, which may be a date."""
    return retry_after_of(response.headers)


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """The same. `headers`: by their names in lower case."""
    value = headers.get("retry-after", "").strip()
    if (number := number_of(value)) is not None:
        return float(number)
    until, now = _timestamp(value), _timestamp(headers.get("date", ""))
    return None if until is None or now is None else max(0.0, until - now)


def seconds_until(response: _Headers, moment: float) -> float:
    """Seconds until a Unix time, at least one. By the server's clock: this machine's may be wrong."""
    now = _timestamp(response.headers.get("date", ""))
    return max(1.0, moment - (time.time() if now is None else now))


def number_of(text: str) -> int | None:
    """A number of a header; None where it is none, or has more digits than any time or limit."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
