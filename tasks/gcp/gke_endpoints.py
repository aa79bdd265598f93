"""How the control plane of a cluster is reached: from `controlPlaneEndpointsConfig`, otherwise from the older fields,
which Google still fills in. What neither has is off, except for the public endpoint, which is on.
"""

from __future__ import annotations

from typing import Any

from tasks.ip_range import is_wide
from tasks.provider import Source, at, elements

_IP = "controlPlaneEndpointsConfig.ipEndpointsConfig"
_DNS = "controlPlaneEndpointsConfig.dnsEndpointConfig"
_OLD = "privateClusterConfig"


def _first(cluster: Source, *paths: str) -> Any:
    return next((found for path in paths if (found := at(path, cluster.item)) is not None), None)


def ip_endpoints(cluster: Source) -> bool:
    return _first(cluster, f"{_IP}.enabled") is not False


def public(cluster: Source) -> bool:
    is_public = _first(cluster, f"{_IP}.enablePublicEndpoint")
    return ip_endpoints(cluster) and (not _old_private_only(cluster) if is_public is None else bool(is_public))


def private_only(cluster: Source) -> bool | None:
    """As the graph has had it since 2020."""
    is_public = _first(cluster, f"{_IP}.enablePublicEndpoint")
    return _old_private_only(cluster) if is_public is None else not is_public


def _old_private_only(cluster: Source) -> bool | None:
    found: bool | None = _first(cluster, f"{_OLD}.enablePrivateEndpoint")
    return found


def public_endpoint(cluster: Source) -> str | None:
    found: str | None = _first(cluster, f"{_IP}.publicEndpoint", f"{_OLD}.publicEndpoint")
    return found


def private_endpoint(cluster: Source) -> str | None:
    found: str | None = _first(cluster, f"{_IP}.privateEndpoint", f"{_OLD}.privateEndpoint")
    return found


def _allowed(cluster: Source) -> dict[str, Any]:
    """The networks from which the IP endpoints are reached."""
    return _first(cluster, f"{_IP}.authorizedNetworksConfig", "masterAuthorizedNetworksConfig") or {}


def limited(cluster: Source) -> bool | None:
    found: bool | None = _allowed(cluster).get("enabled")
    return found


def networks(cluster: Source) -> list[str]:
    return [one["cidrBlock"] for one in elements(_allowed(cluster).get("cidrBlocks")) if (one or {}).get("cidrBlock")]


def wide(cluster: Source) -> bool:
    return any(is_wide(network) for network in networks(cluster))


def google_cloud(cluster: Source) -> bool:
    return bool(limited(cluster)) and bool(_allowed(cluster).get("gcpPublicCidrsAccessEnabled"))


def dns_endpoint(cluster: Source) -> str | None:
    found: str | None = _first(cluster, f"{_DNS}.endpoint")
    return found


def dns_external(cluster: Source) -> bool:
    return bool(_first(cluster, f"{_DNS}.allowExternalTraffic"))


def private_nodes(cluster: Source) -> bool | None:
    found: bool | None = _first(cluster, "networkConfig.defaultEnablePrivateNodes", f"{_OLD}.enablePrivateNodes")
    return found
