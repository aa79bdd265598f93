"""Datasets of BigQuery, and who may read them."""

from __future__ import annotations

from typing import Final

from tasks.gcp.kinds import PROJECT
from tasks.gcp.storage import EVERYONE
from tasks.provider import Node, Per, ResourceType, Source, elements, key, listing, prop

# By which an entry names whom it admits; views, routines and datasets in its place read with their own rights.
_MEMBERS: Final = ("userByEmail", "groupByEmail", "domain", "specialGroup", "iamMember")


def entries(dataset: Source) -> list[str] | None:
    """`READER ada@example.com`; None if it wasn't read."""
    found = dataset.item["datasets"]
    if found is None:
        return None
    access = [entry for entry in elements(found.get("access")) if entry]
    return [f"{entry.get('role')} {entry[kind]}" for entry in access for kind in _MEMBERS if entry.get(kind)]


def public_roles(dataset: Source) -> list[str] | None:
    """The roles that everybody has, on any condition; None if they weren't read."""
    granted = entries(dataset)
    if granted is None:
        return None
    return sorted({role for role, _, member in (entry.partition(" ") for entry in granted) if member in EVERYONE})


def table_expiration(dataset: Source) -> int | None:
    found = (dataset.item["datasets"] or {}).get("defaultTableExpirationMs")
    return None if found is None else int(found)


class GCPBigQueryDataset(Node, label="GCPBigQueryDataset", labels=("Database",), tenant="GCPProject"):
    id: str = key("id", "<project>:<dataset>")
    dataset_id: str = prop("datasetReference.datasetId", index=True)
    friendly_name: str | None = prop("friendlyName")
    location: str | None = prop("location")
    description: str | None = prop("datasets.description")
    access_entries: list[str] | None = prop(
        entries, "Whom it admits, as `READER ada@example.com`; views aren't listed. None: not read."
    )
    iam_public_roles: list[str] | None = prop(public_roles, "Roles that it grants to everybody. None: not read.")
    default_kms_key_name: str | None = prop(
        "datasets.defaultEncryptionConfiguration.kmsKeyName", "Of new tables. None: a key of Google's, or not read."
    )
    default_table_expiration_ms: int | None = prop(table_expiration, "None: tables don't expire, or not read.")


DATASETS: Final = ResourceType(
    "gcp.bigquery.datasets",
    Per.TENANT,
    fetch=listing("bigquery:datasets.list", projectId="{project}", maxResults=500, not_found_codes="notFound").detail(
        "bigquery:datasets.get",
        datasetId="datasetReference.datasetId",
        constants={"projectId": "{project}"},
        gap=True,
    ),
    yields=(GCPBigQueryDataset,),
    aliases=("bigquery",),
    tenant_kind=PROJECT,
)
