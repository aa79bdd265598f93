"""Organizations, their folders and their projects."""

from __future__ import annotations

from typing import Final

from tasks.gcp.kinds import ORGANIZATION, PROJECT
from tasks.gcp.resource_names import last_part
from tasks.gcp.tree import Folders
from tasks.provider import Node, Per, ResourceType, Source, incoming, key, listing, prop


def parent_organization(item: Source) -> str | None:
    return _parent(item, "organizations/")


def parent_folder(item: Source) -> str | None:
    return _parent(item, "folders/")


def _parent(item: Source, kind: str) -> str | None:
    name: str = item.item.get("parent") or ""
    return name if name.startswith(kind) else None


class GCPOrganization(Node, label="GCPOrganization"):
    id: str = key("name", "organizations/<number>")
    orgname: str = prop("name")
    displayname: str | None = prop("displayName", "Its domain.", index=True)
    lifecyclestate: str | None = prop("state")


ORGANIZATIONS: Final = ResourceType(
    "gcp.organizations",
    Per.TENANT,
    fetch=listing("resourcemanager:organizations.get", name="organizations/{organization}", items_path=""),
    yields=(GCPOrganization,),
    tenant_kind=ORGANIZATION,
)


class GCPFolder(Node, label="GCPFolder"):
    id: str = key("name", "folders/<number>")
    foldername: str = prop("name")
    displayname: str | None = prop("displayName", index=True)
    lifecyclestate: str | None = prop("state")
    relationships = (
        incoming("RESOURCE", "GCPOrganization", parent_organization),
        incoming("RESOURCE", "GCPFolder", parent_folder),
    )


FOLDERS: Final = ResourceType("gcp.folders", Per.TENANT, fetch=Folders(), yields=(GCPFolder,), tenant_kind=ORGANIZATION)


class GCPProject(Node, label="GCPProject"):
    id: str = key("projectId")
    projectid: str = prop("projectId")
    projectnumber: str | None = prop(last_part("name"), index=True)
    displayname: str | None = prop("displayName")
    lifecyclestate: str | None = prop("state", "ACTIVE, or DELETE_REQUESTED: deleted within 30 days.")
    relationships = (
        incoming("RESOURCE", "GCPOrganization", parent_organization),
        incoming("RESOURCE", "GCPFolder", parent_folder),
    )


PROJECTS: Final = ResourceType(
    "gcp.projects",
    Per.TENANT,
    fetch=listing("resourcemanager:projects.get", name="projects/{project}", items_path=""),
    yields=(GCPProject,),
    tenant_kind=PROJECT,
)
