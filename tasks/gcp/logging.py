"""Sinks of Cloud Logging: which entries are sent where."""

from __future__ import annotations

from typing import Final

from tasks.gcp.kinds import ORGANIZATION, PROJECT
from tasks.provider import (
    Node,
    Per,
    ResourceType,
    Source,
    elements,
    id_link,
    incoming,
    key,
    listing,
    prop,
    scope_tenant,
)

_BUCKET: Final = "storage.googleapis.com/"


def sink_id(sink: Source) -> str | None:
    return _sink_id(f"projects/{scope_tenant(sink)}", sink)


def organization_sink_id(sink: Source) -> str | None:
    return _sink_id(organization(sink), sink)


def _sink_id(owner: str, sink: Source) -> str | None:
    name = sink.item.get("name")
    return f"{owner}/sinks/{name}" if name else None


def organization(sink: Source) -> str:
    return f"organizations/{scope_tenant(sink)}"


def sends_all(sink: Source) -> bool:
    """Whether it has neither a filter nor an exclusion that is in force."""
    exclusions = [one for one in elements(sink.item.get("exclusions")) if one and not one.get("disabled")]
    return not sink.item.get("filter") and not exclusions


def bucket(sink: Source) -> str | None:
    destination: str = sink.item.get("destination") or ""
    return destination.removeprefix(_BUCKET) if destination.startswith(_BUCKET) else None


class GCPLogSink(Node, label="GCPLogSink"):
    id: str = key(sink_id, "projects/<project>/sinks/<name>, or organizations/<number>/sinks/<name>")
    name: str = prop("name", index=True)
    destination: str | None = prop("destination", "A bucket, a dataset, a topic, a log bucket or a project.")
    filter: str | None = prop("filter", "The entries that are sent. None: all.")
    sends_all: bool = prop(sends_all, "Whether it has neither a filter nor an exclusion.")
    disabled: bool | None = prop("disabled", "None: no.")
    include_children: bool | None = prop(
        "includeChildren", "Of an organization: whether entries of its folders and projects are sent. None: no."
    )
    writer_identity: str | None = prop("writerIdentity", "The account that writes to the destination.")


class GCPProjectLogSink(GCPLogSink, label="GCPProjectLogSink", tenant="GCPProject"):
    id: str = key(sink_id)
    relationships = (id_link("EXPORTS_TO", "GCPBucket", bucket),)


class GCPOrganizationLogSink(GCPLogSink, label="GCPOrganizationLogSink"):
    id: str = key(organization_sink_id)
    relationships = (
        incoming("RESOURCE", "GCPOrganization", organization),
        id_link("EXPORTS_TO", "GCPBucket", bucket),
    )


SINKS: Final = ResourceType(
    "gcp.logging.sinks",
    Per.TENANT,
    fetch=listing("logging:projects.sinks.list", parent="projects/{project}", pageSize=500),
    yields=(GCPProjectLogSink,),
    tenant_kind=PROJECT,
)
ORGANIZATION_SINKS: Final = ResourceType(
    "gcp.logging.organization_sinks",
    Per.TENANT,
    fetch=listing("logging:organizations.sinks.list", parent="organizations/{organization}", pageSize=500),
    yields=(GCPOrganizationLogSink,),
    tenant_kind=ORGANIZATION,
)
