"""Times as the graph has them since 2020: `06/24/2013, 16:39:18`, UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tasks.provider import Source, at, named


def okta_time(path: str) -> Callable[[Source], str | None]:
    """The time at a path of the item, which Okta gives in ISO 8601."""

    @named(f"okta_time({path!r})", f"`{path}`, as `06/24/2013, 16:39:18`, UTC.")
    def time(item: Source) -> str | None:
        found = at(path, item.item)
        if found is None or found == "":
            return None
        if not isinstance(found, str):
            raise TypeError(f"{path}: {found!r:.50} is not a time")
        return f"{datetime.fromisoformat(found).astimezone(UTC):%m/%d/%Y, %H:%M:%S}"

    return time
