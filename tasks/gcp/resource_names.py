"""Google's names of resources: partial URIs, `projects/<project>/global/networks/<name>`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tasks.provider import Source, at, named

_COMPUTE: Final = "/compute/v1/"


def partial_uri(url: str) -> str:
    """What follows the version in a URL of Compute Engine."""
    _, found, rest = url.partition(_COMPUTE)
    if not found:
        raise ValueError(f"{url!r} is not a URL of Compute Engine")
    return rest


def partial_uri_at(path: str) -> Callable[[Source], str | None]:
    """The partial URI of the resource named at a path, or None."""

    @named(f"partial_uri_at({path!r})", f"The partial URI of `{path}`.")
    def uri(source: Source) -> str | None:
        url = at(path, source.item)
        return partial_uri(url) if url else None

    return uri


def last_part(path: str) -> Callable[[Source], str | None]:
    """What follows the last slash: the name in a zone's URL."""

    @named(f"last_part({path!r})", f"The end of `{path}`.")
    def part(source: Source) -> str | None:
        found = at(path, source.item)
        return found.rpartition("/")[2] if found else None

    return part
