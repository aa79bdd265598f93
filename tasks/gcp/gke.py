"""Clusters of Google Kubernetes Engine. Passwords of their masters are not kept: only whether there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from loaders.model import Node, Source, key, prop
from tasks.failures import CallFailed, Failure
from tasks.gcp.api import PROJECT
from tasks.google_api import GoogleApi
from tasks.resource import Item, Per, ResourceType

_LIST: Final = "container:projects.locations.clusters.list"


@dataclass(frozen=True, slots=True)
class Clusters:
    """All of a project's. Zones that Google couldn't ask are named in the answer: the list isn't whole then."""

    calls: tuple[str, ...] = (_LIST,)
    made: ClassVar[Mapping[str, str]] = {_LIST: "1"}

    def parts(self, api: GoogleApi) -> None:
        return None

    async def items(self, api: GoogleApi, part: str) -> AsyncIterator[Item]:
        async for page in api.pages(_LIST, parent="projects/{project}/locations/-"):
            for cluster in page["clusters"]:
                yield Item(cluster)
            if missing := page.get("missingZones"):
                told = f"Google couldn't ask {', '.join(sorted(missing))}"
                yield Item({}, failure=CallFailed(Failure.OTHER, _LIST, told, code="missingZones"))


def network_policy(cluster: Source) -> str | bool:
    """Its provider where one is on, else false: as the graph has it since 2020."""
    policy = cluster.item.get("networkPolicy") or {}
    return policy.get("provider") or True if policy.get("enabled") else False


def has_password(cluster: Source) -> bool:
    """Whether somebody may sign in by a password, with the user name beside it."""
    return bool((cluster.item.get("masterAuth") or {}).get("password"))


class GKECluster(Node, label="GKECluster", tenant="GCPProject"):
    id: str = key("selfLink")
    self_link: str = prop("selfLink")
    name: str = prop("name", index=True)
    created_at: str | None = prop("createTime")
    description: str | None = prop("description")
    status: str | None = prop("status")
    location: str | None = prop("location")
    zone: str | None = prop("zone")
    endpoint: str | None = prop("endpoint")
    network: str | None = prop("network")
    subnetwork: str | None = prop("subnetwork")
    cluster_ipv4cidr: str | None = prop("clusterIpv4Cidr")
    services_ipv4cidr: str | None = prop("servicesIpv4Cidr")
    initial_version: str | None = prop("initialClusterVersion")
    current_master_version: str | None = prop("currentMasterVersion")
    logging_service: str | None = prop("loggingService")
    monitoring_service: str | None = prop("monitoringService")
    database_encryption: str | None = prop("databaseEncryption.state")
    network_policy: str | bool = prop(network_policy, "Its provider, or false.")
    master_authorized_networks: bool | None = prop("masterAuthorizedNetworksConfig.enabled", "None: off.")
    legacy_abac: bool | None = prop("legacyAbac.enabled", "None: off.")
    shielded_nodes: bool | None = prop("shieldedNodes.enabled")
    private_nodes: bool | None = prop("privateClusterConfig.enablePrivateNodes", "None: off.")
    private_endpoint_enabled: bool | None = prop("privateClusterConfig.enablePrivateEndpoint", "None: off.")
    private_endpoint: str | None = prop("privateClusterConfig.privateEndpoint")
    public_endpoint: str | None = prop("privateClusterConfig.publicEndpoint")
    workload_identity_pool: str | None = prop("workloadIdentityConfig.workloadPool")
    masterauth_username: str | None = prop("masterAuth.username")
    masterauth_has_password: bool = prop(has_password, "The password itself is not kept.")


CLUSTERS: Final = ResourceType(
    "gcp.gke.clusters", Per.TENANT, fetch=Clusters(), yields=(GKECluster,), also=("gke",), of=PROJECT
)
