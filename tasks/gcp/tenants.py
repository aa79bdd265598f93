"""The tenants: every organization that the credentials may see, and every project."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tasks.clients.google_access import GoogleAccess
from tasks.clients.google_options import GoogleOptions
from tasks.gcp import api, identity, kinds, states, tree
from tasks.provider import Api, CallFailed, Failure, Listed, NotConfigured, RateLimiter, Tenant

_OFF: Final = (
    f"application default credentials enable it: {identity.VARIABLE} names a key file, "
    "or `gcloud auth application-default login`, or a service account of the machine"
)


async def tenants(options: GoogleOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Raises NotConfigured, CallFailed.

    The projects of an organization are listed through its folders, completely unless some of them may not be read. A
    search adds projects without an organization, or of one that may not be seen: of those no list is complete.
    """
    if not identity.is_configured():
        raise NotConfigured(_OFF)
    access = GoogleAccess(endpoint=options.google_api_endpoint or "")
    connection = await api.connect(Tenant(provider="gcp", id="all", access=access.as_json()), "", rate_limiter)
    pages = connection.pages("resourcemanager:organizations.search")
    organizations = [org async for page in pages for org in page["organizations"] if org and org.get("name")]
    projects: dict[str, Mapping[str, Any]] = {}
    unseen = ""
    for organization in organizations:
        if states.of(organization):
            continue  # being deleted: its tree is gone
        try:
            parents = [organization["name"]]
            folders = tree.folders_of(connection, organization["name"])
            parents += [folder["name"] async for folder in folders if folder and not states.of(folder)]
            for parent in parents:
                async for project in tree.projects_of(connection, parent):
                    projects |= _by_id([project])
        except CallFailed as error:
            if error.failure is not Failure.DENIED:
                raise
            unseen = f"{error.code} {error.action}: not all projects of {organization['name']} are known"
    async for page in connection.pages("resourcemanager:projects.search"):
        projects |= _by_id(page["projects"])
    tenants_ = [_organization(org, access) for org in organizations]
    tenants_ += [_project(project, access) for project in projects.values()]
    owner = "+".join(sorted(org["name"].rpartition("/")[2] for org in organizations))
    return Listed(tenants_, complete=bool(owner) and not unseen, owner=owner, incomplete_reason=unseen)


def _by_id(projects: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """Raises CallFailed for a project without an id: the list then doesn't tell which projects are gone."""
    if not all(project and project.get("projectId") for project in projects):
        raise CallFailed(Failure.INVALID_RESPONSE, tree.PROJECTS, "a project has no projectId")
    return {project["projectId"]: project for project in projects}


def _organization(organization: Mapping[str, Any], access: GoogleAccess) -> Tenant:
    id_ = organization["name"].rpartition("/")[2]
    return _tenant(id_, kinds.ORGANIZATION, organization, access)


def _project(project: Mapping[str, Any], access: GoogleAccess) -> Tenant:
    return _tenant(project["projectId"], kinds.PROJECT, project, access)


def _tenant(id_: str, kind: str, item: Mapping[str, Any], access: GoogleAccess) -> Tenant:
    """With its state if it is being deleted: only the item itself is then fetched."""
    own = replace(access, state=states.of(item))
    return Tenant(provider="gcp", id=id_, name=item.get("displayName") or "", kind=kind, access=own.as_json())


async def regions(connection: Api, options: GoogleOptions) -> Listed[str]:
    return Listed()


def missing(options: GoogleOptions) -> Iterable[str]:
    """Raises NotConfigured where there are no credentials."""
    if not identity.is_configured():
        raise NotConfigured(_OFF)
    file = os.environ.get(identity.VARIABLE)
    if file and not os.path.isfile(file):
        yield f"{identity.VARIABLE}: {file} is not a file"
        return
    try:
        identity.default_credentials()
    except CallFailed as error:
        yield f"{identity.VARIABLE if file else error.action}: {error.reason}"
