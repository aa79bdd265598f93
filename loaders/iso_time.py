"""Times as they are written for others to read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def iso_time(milliseconds: float) -> str: ...
@overload
def iso_time(milliseconds: None) -> None: ...
@overload
def iso_time(milliseconds: float | None) -> str | None: ...
def iso_time(milliseconds: float | None) -> str | None:
    """Milliseconds since 1970 as ISO 8601 in UTC, to the second: `2026-09-21T14:13:20Z`."""
    if milliseconds is None:
        return None
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
