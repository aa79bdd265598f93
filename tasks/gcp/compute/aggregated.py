"""Lists over all zones or regions of a project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.provider import Item

if TYPE_CHECKING:
    from tasks.clients.google import GoogleApi


@dataclass(frozen=True)
class Aggregated:
    """Every item of an `aggregatedList`: `Aggregated("compute:instances.aggregatedList", "instances")`."""

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
        async for page in api.pages(self.action, maxResults=500):
            for found in page.get("items", {}).values():
                for one in found.get(self.name, ()):
                    yield Item(one)
