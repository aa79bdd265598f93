"""Lists over all zones or regions of a project at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.failures import CallFailed, Failure
from tasks.google_api import GoogleApi
from tasks.resource import Item

_NONE = "NO_RESULTS_ON_PAGE"  # a warning that warns of nothing


@dataclass(frozen=True)
class Aggregated:
    """Every item of an `aggregatedList`: `Aggregated("compute:instances.aggregatedList", "instances")`.

    A zone that Google can't reach is a warning beside the others' items: the list isn't whole, and the scope fails.
    """

    action: str
    name: str

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.action,)

    @property
    def made(self) -> Mapping[str, str]:
        return {self.action: "1 per page"}

    def parts(self, api: GoogleApi) -> None:
        return None

    async def items(self, api: GoogleApi, part: str) -> AsyncIterator[Item]:
        unreached = list[str]()
        async for page in api.pages(self.action, maxResults=500):
            unreached += page.get("unreachables") or ()
            for place, found in (page.get("items") or {}).items():
                if self._says_unreached(found):
                    unreached.append(place)
                for one in found.get(self.name) or ():
                    yield Item(one)
        if unreached:
            told = f"Google couldn't reach {', '.join(sorted(set(unreached)))}"
            yield Item({}, failure=CallFailed(Failure.OTHER, self.action, told, code="UNREACHABLE"))

    def _says_unreached(self, found: Mapping[str, Any]) -> bool:
        warning = found.get("warning") or {}
        return bool(warning) and warning.get("code") != _NONE
