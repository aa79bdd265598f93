"""Settings of Compute Engine for all instances of a project."""

from __future__ import annotations

from typing import Final

from tasks.gcp.compute.metadata import metadata_flag
from tasks.gcp.kinds import PROJECT
from tasks.provider import Node, Per, ResourceType, Source, key, listing, prop, scope_tenant

_METADATA: Final = "commonInstanceMetadata"


def default_service_account(project: Source) -> str | None:
    """In lower case, as for the account itself."""
    email: str | None = project.item.get("defaultServiceAccount")
    return email.lower() if email else None


class GCPComputeSettings(Node, label="GCPComputeSettings", tenant="GCPProject"):
    id: str = key(scope_tenant, "The project's id.")
    name: str = prop("name")
    default_service_account: str | None = prop(
        default_service_account, "What instances run as unless another account is chosen.", index=True
    )
    enable_oslogin: bool | None = prop(
        metadata_flag("enable-oslogin", _METADATA), "Whether IAM decides who may sign in to instances. None: no."
    )
    serial_port_enable: bool | None = prop(
        metadata_flag("serial-port-enable", _METADATA), "Unless an instance says otherwise. None: no."
    )


PROJECT_SETTINGS: Final = ResourceType(
    "gcp.compute.project_settings",
    Per.TENANT,
    fetch=listing("compute:projects.get", items_path=""),
    yields=(GCPComputeSettings,),
    aliases=("compute",),
    tenant_kind=PROJECT,
)
