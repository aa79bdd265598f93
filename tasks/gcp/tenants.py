"""Tenants: every organization that the credentials may see, and every project."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tasks.clients.rate_limiter import RateLimiter
from tasks.failures import CallFailed, Failure, NotConfigured
from tasks.gcp import api, identity, states, tree
from tasks.resource import Listed, Options, Tenant

_OFF: Final = (
    f"application default credentials turn it on: {identity.VARIABLE} names a key file, "
    "or `gcloud auth application-default login`, or a service account of the machine"
)


async def tenants(options: Options, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Raises NotConfigured, CallFailed.

    The projects of an organization are those of its tree, which is whole unless some of it may not be read; those that
    are in no organization, or in one that may not be seen, a search adds: of them the list is never whole.
    """
    if not identity.there():
        raise NotConfigured(_OFF)
    endpoint = options.get("google_api_endpoint")
    access = {"endpoint": endpoint} if endpoint else {}
    connection = await api.connect(Tenant(provider="gcp", id="all", access=access), "", rate_limiter)
    listed = connection.pages("resourcemanager:organizations.search")
    organizations = [one async for page in listed for one in page["organizations"] if one and one.get("name")]
    projects: dict[str, Mapping[str, Any]] = {}
    unseen = ""
    for organization in organizations:
        if states.of(organization):
            continue  # it has no tree any more
        try:
            parents = [organization["name"]]
            folders = tree.folders_of(connection, organization["name"])
            parents += [folder["name"] async for folder in folders if folder and not states.of(folder)]
            for parent in parents:
                async for one in tree.projects_of(connection, parent):
                    projects |= _known([one])
        except CallFailed as error:
            if error.failure is not Failure.DENIED:
                raise
            unseen = f"{error.code} {error.action}: not all projects of {organization['name']} are known"
    async for page in connection.pages("resourcemanager:projects.search"):
        projects |= _known(page["projects"])
    found = [_organization(one, access) for one in organizations] + [_project(one, access) for one in projects.values()]
    owner = "+".join(sorted(one["name"].rpartition("/")[2] for one in organizations))
    return Listed(found, complete=bool(owner) and not unseen, owner=owner, incomplete_reason=unseen)


def _known(projects: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """By their ids. Raises CallFailed: of a list with one that has none, nobody can say what isn't in it."""
    if not all(one and one.get("projectId") for one in projects):
        raise CallFailed(Failure.INVALID_RESPONSE, tree.PROJECTS, "a project has no projectId")
    return {one["projectId"]: one for one in projects}


def _organization(one: Mapping[str, Any], access: Mapping[str, str]) -> Tenant:
    id_ = one["name"].rpartition("/")[2]
    return _tenant(id_, api.ORGANIZATION, one, access)


def _project(one: Mapping[str, Any], access: Mapping[str, str]) -> Tenant:
    return _tenant(one["projectId"], api.PROJECT, one, access)


def _tenant(id_: str, kind: str, one: Mapping[str, Any], access: Mapping[str, str]) -> Tenant:
    """With its state, where it is going: then nothing of it is asked but what it is."""
    state = states.of(one)
    way = {**access, "state": state} if state else access
    return Tenant(provider="gcp", id=id_, name=one.get("displayName") or "", kind=kind, access=way)


async def regions(connection: Any, options: Options) -> Listed[str]:
    return Listed()


def missing(options: Options) -> Iterable[str]:
    """Raises NotConfigured where there are no credentials."""
    if not identity.there():
        raise NotConfigured(_OFF)
    file = os.environ.get(identity.VARIABLE)
    if file and not os.path.isfile(file):
        yield f"{identity.VARIABLE}: {file} is no file"
        return
    try:
        identity.found()
    except CallFailed as error:
        yield f"{identity.VARIABLE if file else error.action}: {error.reason}"
