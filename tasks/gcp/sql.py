"""Instances of Cloud SQL, who may connect to them, and the networks that they accept connections from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tasks.gcp.kinds import PROJECT
from tasks.ip_range import is_wide
from tasks.provider import (
    Node,
    Per,
    ResourceType,
    Source,
    at,
    elements,
    id_link,
    incoming,
    key,
    link,
    listing,
    named,
    parent,
    prop,
)

_IP: Final = "settings.ipConfiguration"
_BACKUP: Final = "settings.backupConfiguration"


def engine(instance: Source) -> str | None:
    """`POSTGRES_16` -> postgres."""
    version: str | None = instance.item.get("databaseVersion")
    return version.partition("_")[0].lower() if version else None


def private_network(instance: Source) -> str | None:
    """As the network itself has it: without what comes before `projects/`."""
    network: str | None = at(f"{_IP}.privateNetwork", instance.item)
    _, found, name = (network or "").partition("projects/")
    return found + name or None


def disk_size(instance: Source) -> int | None:
    size = at("settings.dataDiskSizeGb", instance.item)
    return None if size is None else int(size)


def address(kind: str) -> Callable[[Source], str | None]:
    """Its address of a kind: PRIMARY, the public one, PRIVATE or OUTGOING."""

    @named(f"address({kind!r})", f"`ipAddresses[].ipAddress`, of the type {kind}.")
    def found(instance: Source) -> str | None:
        addresses = [one for one in elements(instance.item.get("ipAddresses")) if one and one.get("type") == kind]
        return addresses[0].get("ipAddress") if addresses else None

    return found


def networks(instance: Source) -> list[str]:
    """In CIDR notation; without duplicates, which Cloud SQL accepts."""
    values = [(one or {}).get("value") for one in elements(at(f"{_IP}.authorizedNetworks", instance.item))]
    return list(dict.fromkeys(value for value in values if value))


def wide(instance: Source) -> bool:
    return any(is_wide(network) for network in networks(instance))


def flags(instance: Source) -> list[str]:
    """`log_connections=on`, in alphabetical order."""
    found = [one for one in elements(at("settings.databaseFlags", instance.item)) if one and one.get("name")]
    return sorted(f"{one['name']}={one.get('value') or ''}" for one in found)


class GCPCloudSQLInstance(Node, label="GCPCloudSQLInstance", labels=("Database",), tenant="GCPProject"):
    id: str = key("selfLink")
    name: str = prop("name", index=True)
    connection_name: str | None = prop("connectionName", "<project>:<region>:<name>", index=True)
    database_version: str | None = prop("databaseVersion", "POSTGRES_16, MYSQL_8_0, SQLSERVER_2022_STANDARD, ...")
    database_engine: str | None = prop(engine, "postgres, mysql or sqlserver.")
    state: str | None = prop("state", "RUNNABLE: it is running, or was stopped by its owner.")
    activation_policy: str | None = prop("settings.activationPolicy", "NEVER: it was stopped.")
    backend_type: str | None = prop("backendType", "EXTERNAL: not run by Google.")
    instance_type: str | None = prop("instanceType", "READ_REPLICA_INSTANCE has no backups of its own.")
    region: str | None = prop("region")
    gce_zone: str | None = prop("gceZone")
    tier: str | None = prop("settings.tier")
    availability_type: str | None = prop("settings.availabilityType", "REGIONAL: in two zones.")
    disk_size_gb: int | None = prop(disk_size)
    disk_type: str | None = prop("settings.dataDiskType")
    kms_key_name: str | None = prop("diskEncryptionConfiguration.kmsKeyName", "None: encrypted with a key of Google's.")
    deletion_protection: bool | None = prop("settings.deletionProtectionEnabled", "None: off.")
    ipv4_enabled: bool | None = prop(f"{_IP}.ipv4Enabled", "Whether it has a public IPv4 address.")
    public_ip: str | None = prop(address("PRIMARY"), "None: no public address.")
    private_ip: str | None = prop(address("PRIVATE"))
    ip_addresses: list[str] = prop("ipAddresses[].ipAddress", "Of any type, also those that it connects from.")
    network_id: str | None = prop(private_network, "The network of its private address.")
    authorized_networks: list[str] = prop(
        networks, "From which the public address may be reached directly, in CIDR notation."
    )
    authorized_networks_wide: bool = prop(
        wide, "Whether one of the authorized networks is so wide that it limits nobody."
    )
    connector_enforcement: str | None = prop(
        "settings.connectorEnforcement", "REQUIRED: nobody connects directly, whatever networks are authorized."
    )
    ssl_mode: str | None = prop(
        f"{_IP}.sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED, or it requires encryption. None: require_ssl decides."
    )
    require_ssl: bool | None = prop(f"{_IP}.requireSsl", "Only counts where ssl_mode is None. None: no.")
    backup_enabled: bool | None = prop(f"{_BACKUP}.enabled", "Whether backups are made automatically. None: no.")
    point_in_time_recovery: bool | None = prop(
        f"{_BACKUP}.pointInTimeRecoveryEnabled", "Of PostgreSQL and SQL Server. None: no."
    )
    binary_log: bool | None = prop(f"{_BACKUP}.binaryLogEnabled", "Of MySQL: point-in-time recovery. None: no.")
    backups_retained: int | None = prop(f"{_BACKUP}.backupRetentionSettings.retainedBackups")
    database_flags: list[str] = prop(flags, "Those that are set, as `log_connections=on`.")
    service_account_email: str | None = prop("serviceAccountEmailAddress", "For imports and exports.", index=True)
    relationships = (
        id_link("ASSOCIATED_WITH", "GCPVpc", private_network),
        link("USES_SERVICE_ACCOUNT", "GCPServiceAccount", on={"service_account_email": "email"}),
    )


def authorized(instance: Source) -> Iterator[Mapping[str, Any]]:
    """Each network once, as it is named first."""
    entries = [one for one in elements(at(f"{_IP}.authorizedNetworks", instance.item)) if one and one.get("value")]
    yield from {one["value"]: one for one in reversed(entries)}.values()


def network_key(network: Source) -> str:
    return f"{parent('selfLink')(network)}/authorizedNetworks/{network.item['value']}"


class GCPCloudSQLAuthorizedNetwork(Node, label="GCPCloudSQLAuthorizedNetwork", tenant="GCPProject"):
    id: str = key(network_key, "<instance>/authorizedNetworks/<range>")
    instance_id: str = prop(parent("selfLink"))
    name: str | None = prop("name", "As its owner named it.")
    value: str = prop("value", "In CIDR notation.", index=True)
    expiration_time: str | None = prop("expirationTime", "None: never.")
    relationships = (incoming("AUTHORIZED_NETWORK", "GCPCloudSQLInstance", parent("selfLink")),)


INSTANCES: Final = ResourceType(
    "gcp.sql.instances",
    Per.TENANT,
    fetch=listing("sqladmin:instances.list", maxResults=500),
    yields=(GCPCloudSQLInstance, GCPCloudSQLAuthorizedNetwork.each(authorized)),
    aliases=("cloud_sql",),
    tenant_kind=PROJECT,
)
