"""Clusters of Google Kubernetes Engine, and their node pools. Passwords are not stored, only whether there is one."""

from __future__ import annotations

from typing import Final

from tasks.gcp import gke_endpoints
from tasks.gcp.kinds import PROJECT
from tasks.provider import Node, Per, ResourceType, Source, at, incoming, key, link, listing, parent, prop


def network_policy(cluster: Source) -> str | bool:
    """Its provider if it is enabled, else false, as in the graph of 2020."""
    policy = cluster.item.get("networkPolicy") or {}
    return policy.get("provider") or True if policy.get("enabled") else False


def has_password(cluster: Source) -> bool:
    """Whether basic authentication is possible."""
    return bool((cluster.item.get("masterAuth") or {}).get("password"))


def has_client_certificate(cluster: Source) -> bool:
    """Whether one was issued, or is to be."""
    auth = cluster.item.get("masterAuth") or {}
    return bool(auth.get("clientCertificate") or at("clientCertificateConfig.issueClientCertificate", auth))


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
    datapath_provider: str | None = prop(
        "networkConfig.datapathProvider",
        "ADVANCED_DATAPATH: Dataplane V2, which enforces network policies whatever network_policy says.",
    )
    ip_endpoints: bool | None = prop(gke_endpoints.ip_endpoints, "Whether the control plane has IP endpoints at all.")
    public_endpoint_enabled: bool | None = prop(gke_endpoints.public, "Whether one of them is public.")
    public_endpoint: str | None = prop(gke_endpoints.public_endpoint)
    private_endpoint_enabled: bool | None = prop(
        gke_endpoints.private_only, "Whether all of them are private. None: off."
    )
    private_endpoint: str | None = prop(gke_endpoints.private_endpoint)
    master_authorized_networks: bool | None = prop(
        gke_endpoints.limited, "Whether access is limited to the authorized networks. None: off."
    )
    authorized_networks: list[str] | None = prop(gke_endpoints.networks, "In CIDR notation.")
    authorized_networks_wide: bool | None = prop(
        gke_endpoints.wide, "Whether one of the authorized networks is so wide that it limits nobody."
    )
    google_cloud_access: bool | None = prop(
        gke_endpoints.google_cloud,
        "Whether access is also allowed from every public address of Google Cloud, which anybody can rent.",
    )
    dns_endpoint: str | None = prop(
        gke_endpoints.dns_endpoint, "Reachable from the internet; IAM decides who is let in."
    )
    dns_endpoint_external: bool | None = prop(
        gke_endpoints.dns_external, "Whether it accepts traffic from outside Google Cloud."
    )
    private_nodes: bool | None = prop(gke_endpoints.private_nodes, "The default for node pools. None: off.")
    legacy_abac: bool | None = prop("legacyAbac.enabled", "None: off.")
    shielded_nodes: bool | None = prop("shieldedNodes.enabled", "None: off.")
    workload_identity_pool: str | None = prop("workloadIdentityConfig.workloadPool", "None: off.")
    autopilot: bool | None = prop("autopilot.enabled", "None: no.")
    release_channel: str | None = prop("releaseChannel.channel", "None or UNSPECIFIED: in none.")
    masterauth_username: str | None = prop("masterAuth.username")
    masterauth_has_password: bool = prop(has_password, "The password itself is not stored.")
    masterauth_client_certificate: bool = prop(has_client_certificate, "The certificate itself is not stored.")


def service_account_email(pool: Source) -> str | None:
    """In lower case, as for the account itself; `default` is not one."""
    email: str | None = at("config.serviceAccount", pool.item)
    return email.lower() if email and email != "default" else None


class GKENodePool(Node, label="GKENodePool", tenant="GCPProject"):
    id: str = key("selfLink")
    name: str = prop("name", index=True)
    status: str | None = prop("status")
    version: str | None = prop("version")
    image_type: str | None = prop("config.imageType")
    service_account_email: str | None = prop(
        service_account_email, "None: the default service account of the project.", index=True
    )
    oauth_scopes: list[str] | None = prop("config.oauthScopes[]", "They limit the permissions of the service account.")
    metadata_mode: str | None = prop(
        "config.workloadMetadataConfig.mode", "GKE_METADATA: pods don't get the node's own service account."
    )
    auto_upgrade: bool | None = prop("management.autoUpgrade", "None: off.")
    auto_repair: bool | None = prop("management.autoRepair", "None: off.")
    secure_boot: bool | None = prop("config.shieldedInstanceConfig.enableSecureBoot", "None: off.")
    integrity_monitoring: bool | None = prop("config.shieldedInstanceConfig.enableIntegrityMonitoring", "None: off.")
    private_nodes: bool | None = prop("networkConfig.enablePrivateNodes", "None: as the cluster's default.")
    relationships = (
        incoming("HAS_NODE_POOL", "GKECluster", parent("selfLink")),
        link("RUNS_AS", "GCPServiceAccount", on={"service_account_email": "email"}),
    )


CLUSTERS: Final = ResourceType(
    "gcp.gke.clusters",
    Per.TENANT,
    fetch=listing("container:projects.locations.clusters.list", parent="projects/{project}/locations/-"),
    yields=(GKECluster, GKENodePool.each("nodePools[]")),
    aliases=("gke",),
    tenant_kind=PROJECT,
)
