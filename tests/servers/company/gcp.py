"""The company's GCP: an organization with nested folders, and projects in them.

Each project has a network, an instance that the internet reaches and one that it doesn't, a bucket, a cluster, a zone,
a database and a service account. Project 1 hasn't enabled GKE.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from tests.servers.company import gsuite
from tests.servers.company.organization import Organization
from tests.servers.json_api import Asked, Reply, Route

_COMPUTE: Final = "https://www.googleapis.com/compute/v1"
_SERVICES: Final = ("bigquery", "cloudkms", "logging", "compute", "container", "dns", "iam", "sqladmin", "storage")


def _project(organization: Organization, number: int) -> dict[str, Any]:
    """Those with an even number are in folder 11, the others in 111 within it."""
    return {
        "name": f"projects/{organization.number + 1}{number:03}",
        "parent": f"folders/{_folder_id(organization, 111 if number % 2 else 11)}",
        "projectId": f"{organization.name}-{number}",
        "state": "ACTIVE",
        "displayName": f"{organization.name.title()} {number}",
    }


def _folder_id(organization: Organization, number: int) -> int:
    return organization.number * 1000 + number


def _folder(number: int, parent: str) -> dict[str, Any]:
    return {"name": f"folders/{number}", "parent": parent, "displayName": f"Folder {number}", "state": "ACTIVE"}


def denied(asked: Asked, projects: Collection[str]) -> Reply | None:
    """What whoever asks may not see anything of."""
    if not set(asked.path.split("/")) & set(projects):
        return None
    return Reply(
        {"error": {"code": 403, "message": "Permission denied on the project", "status": "PERMISSION_DENIED"}}, 403
    )


def routes(whose: Organization, projects: int, page: int) -> dict[str, Route]:
    """`page`: the most items of one."""
    all_projects = [_project(whose, number) for number in range(projects)]
    name = f"organizations/{123456789012 + whose.number}"
    outer, inner = _folder_id(whose, 11), _folder_id(whose, 111)
    folders = {name: [_folder(outer, name)], f"folders/{outer}": [_folder(inner, f"folders/{outer}")]}

    def paged(name: str, items: list[Any], asked: Asked) -> Reply:
        return gsuite.paged(name, items, asked, page)

    def projects_of(asked: Asked) -> Reply:
        return paged("projects", [one for one in all_projects if one["parent"] == asked.query["parent"]], asked)

    def services(asked: Asked) -> Reply:
        second = _number(_of(asked)) == 1
        enabled = [one for one in _SERVICES if not (second and one == "container")]
        found = [{"name": f"projects/1/services/{one}.googleapis.com", "state": "ENABLED"} for one in enabled]
        return paged("services", found, asked)

    organization = {"name": name, "displayName": whose.domain, "state": "ACTIVE"}
    return {
        "GET /v3/organizations:search": lambda asked: paged("organizations", [organization], asked),
        "GET /v3/organizations/{id}": lambda asked: Reply(organization),
        "GET /v3/folders": lambda asked: paged("folders", folders.get(asked.query["parent"], []), asked),
        "GET /v3/projects": projects_of,
        "GET /v3/projects:search": lambda asked: paged("projects", all_projects, asked),
        "GET /v3/projects/{id}": lambda asked: Reply(all_projects[_number(asked.parameters["id"])]),
        "POST /v3/projects/{id}:getIamPolicy": lambda asked: Reply(_policy(whose, asked.parameters["id"])),
        "GET /v1/projects/{project}/services": services,
        "GET /compute/v1/projects/{project}": lambda asked: Reply({"name": _of(asked), "commonInstanceMetadata": {}}),
        "GET /compute/v1/projects/{project}/global/networks": lambda asked: Reply({"items": [_network(_of(asked))]}),
        "GET /compute/v1/projects/{project}/global/firewalls": lambda asked: Reply({"items": [_firewall(_of(asked))]}),
        "GET /compute/v1/projects/{project}/aggregated/subnetworks": lambda asked: Reply(
            {"items": {"regions/europe-west1": {"subnetworks": [_subnet(_of(asked))]}}}
        ),
        "GET /compute/v1/projects/{project}/aggregated/instances": lambda asked: Reply(
            {"items": {"zones/europe-west1-b": {"instances": [_instance(_of(asked), n) for n in range(2)]}}}
        ),
        "GET /compute/v1/projects/{project}/aggregated/forwardingRules": lambda asked: Reply({"items": {}}),
        "GET /storage/v1/b": lambda asked: paged("items", [_bucket(whose, asked.query["project"])], asked),
        "GET /storage/v1/b/{bucket}/iam": lambda asked: Reply({"bindings": []}),
        "GET /storage/v1/b/{bucket}/acl": lambda asked: Reply({}),
        "GET /v1/projects/{project}/locations/-/clusters": lambda asked: Reply({"clusters": [_cluster(_of(asked))]}),
        "GET /dns/v1/projects/{project}/managedZones": lambda asked: Reply(
            {"managedZones": [_zone(whose, _of(asked))]}
        ),
        "GET /dns/v1/projects/{project}/managedZones/{zone}/rrsets": lambda asked: Reply(
            {"rrsets": [{"name": f"www.{whose.domain}.", "type": "A", "ttl": 300, "rrdatas": ["203.0.113.20"]}]}
        ),
        "GET /bigquery/v2/projects/{project}/datasets": lambda asked: Reply({}),
        "GET /v2/projects/{project}/sinks": lambda asked: Reply({}),
        "GET /v2/organizations/{id}/sinks": lambda asked: Reply({}),
        "GET /v1/projects/{project}/locations": lambda asked: Reply({}),
        "GET /v1/projects/{project}/instances": lambda asked: Reply({"items": [_database(_of(asked))]}),
        "GET /v1/projects/{project}/serviceAccounts": lambda asked: paged(
            "accounts", [_account(whose, _of(asked))], asked
        ),
        "GET /v1/projects/{project}/serviceAccounts/{account}/keys": lambda asked: Reply({}),
        "GET /v1/projects/{project}/roles": lambda asked: Reply({}),
    }


def _of(asked: Asked) -> str:
    return asked.parameters["project"]


def _number(project: str) -> int:
    return int(project.rpartition("-")[2])


def _network(project: str) -> dict[str, Any]:
    link = f"{_COMPUTE}/projects/{project}/global/networks/default"
    return {"name": "default", "selfLink": link, "autoCreateSubnetworks": True}


def _firewall(project: str) -> dict[str, Any]:
    return {
        "name": "allow-web",
        "selfLink": f"{_COMPUTE}/projects/{project}/global/firewalls/allow-web",
        "network": _network(project)["selfLink"],
        "direction": "INGRESS",
        "priority": 1000,
        "disabled": False,
        "sourceRanges": ["0.0.0.0/0"],
        "allowed": [{"IPProtocol": "tcp", "ports": ["443"]}],
    }


def _subnet(project: str) -> dict[str, Any]:
    return {
        "name": "default",
        "selfLink": f"{_COMPUTE}/projects/{project}/regions/europe-west1/subnetworks/default",
        "region": f"{_COMPUTE}/projects/{project}/regions/europe-west1",
        "network": _network(project)["selfLink"],
        "ipCidrRange": "10.132.0.0/20",
    }


def _instance(project: str, number: int) -> dict[str, Any]:
    """Number 0 has a public address."""
    zone = f"{_COMPUTE}/projects/{project}/zones/europe-west1-b"
    public = [{"type": "ONE_TO_ONE_NAT", "name": "External NAT", "natIP": "203.0.113.10"}] if number == 0 else []
    nic = {
        "name": "nic0",
        "network": _network(project)["selfLink"],
        "subnetwork": _subnet(project)["selfLink"],
        "networkIP": f"10.132.0.{number + 2}",
        "accessConfigs": public,
    }
    name = f"web-{number}"
    link = f"{zone}/instances/{name}"
    return {"name": name, "selfLink": link, "zone": zone, "status": "RUNNING", "networkInterfaces": [nic]}


def _bucket(organization: Organization, project: str) -> dict[str, Any]:
    name = f"{project}-logs"
    link = f"https://www.googleapis.com/storage/v1/b/{name}"
    number = _project(organization, _number(project))["name"].removeprefix("projects/")
    return {"id": name, "name": name, "selfLink": link, "projectNumber": number, "labels": {"team": "web"}}


def _cluster(project: str) -> dict[str, Any]:
    link = f"https://container.googleapis.com/v1/projects/{project}/locations/europe-west1/clusters/shop"
    return {
        "name": "shop",
        "selfLink": link,
        "status": "RUNNING",
        "location": "europe-west1",
        "endpoint": "203.0.113.20",
        "network": "default",
        "currentMasterVersion": "1.31.5-gke.1233000",
    }


def _zone(organization: Organization, project: str) -> dict[str, Any]:
    id_ = f"{organization.number + 1}9{_number(project)}"
    return {"id": id_, "name": "public", "dnsName": f"{organization.domain}.", "visibility": "public"}


def _database(project: str) -> dict[str, Any]:
    return {
        "name": "shop",
        "selfLink": f"https://sqladmin.googleapis.com/sql/v1/projects/{project}/instances/shop",
        "connectionName": f"{project}:europe-west1:shop",
        "databaseVersion": "POSTGRES_16",
        "state": "RUNNABLE",
        "region": "europe-west1",
        "settings": {"ipConfiguration": {"ipv4Enabled": False, "sslMode": "ENCRYPTED_ONLY"}},
    }


def _account(organization: Organization, project: str) -> dict[str, Any]:
    email = f"web@{project}.iam.gserviceaccount.com"
    name = f"projects/{project}/serviceAccounts/{email}"
    return {
        "name": name,
        "projectId": project,
        "uniqueId": f"{organization.number + 1}0{_number(project)}",
        "email": email,
    }


def _policy(organization: Organization, project: str) -> dict[str, Any]:
    members = [f"serviceAccount:web@{project}.iam.gserviceaccount.com", f"user:ada@{organization.domain}"]
    return {"version": 3, "etag": "BwW=", "bindings": [{"role": "roles/editor", "members": members}]}
