"""An organization's tree: folders in folders, and the projects in them. Each parent is listed, because that reports
what may not be seen; a search would omit it. What is to be deleted is listed until it is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tasks.gcp import states
from tasks.provider import Item

if TYPE_CHECKING:
    from tasks.clients.google import GoogleApi

FOLDERS: Final = "resourcemanager:folders.list"
PROJECTS: Final = "resourcemanager:projects.list"


async def folders_of(api: GoogleApi, parent: str) -> AsyncIterator[Mapping[str, Any]]:
    """All folders below a parent, at any depth, those nearer to the root first."""
    waiting, seen = [parent], {parent}
    while waiting:
        async for page in api.pages(FOLDERS, parent=waiting.pop(0), pageSize=300, showDeleted=True):
            for folder in page["folders"]:
                name = folder.get("name") if folder else None
                if name and name not in seen and not states.of(folder):  # only an empty one can be deleted
                    seen.add(name)
                    waiting.append(name)
                yield folder


async def projects_of(api: GoogleApi, parent: str) -> AsyncIterator[Mapping[str, Any]]:
    """The projects directly in a folder, or in the organization itself."""
    async for page in api.pages(PROJECTS, parent=parent, pageSize=300, showDeleted=True):
        for project in page["projects"]:
            yield project


@dataclass(frozen=True, slots=True)
class Folders:
    calls: tuple[str, ...] = (FOLDERS,)
    made: ClassVar[Mapping[str, str]] = {FOLDERS: "1 per page of the organization, and of each folder"}

    def parts(self, api: GoogleApi) -> None:
        return None

    async def items(self, api: GoogleApi, part: str) -> AsyncIterator[Item]:
        async for folder in folders_of(api, f"organizations/{api.tenant.id}"):
            yield Item(folder)
