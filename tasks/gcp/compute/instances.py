"""Instances, their interfaces, and their external addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.gcp.compute.aggregated import Aggregated
from tasks.gcp.compute.firewalls import GCPNetworkTag, tag_id
from tasks.gcp.compute.metadata import metadata_flag
from tasks.gcp.kinds import PROJECT
from tasks.gcp.resource_names import last_part, partial_uri, partial_uri_at
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
    outgoing,
    parent,
    prop,
    scope_tenant,
)


def vpcs(instance: Source) -> list[str]:
    """The networks that its interfaces are in."""
    nics = [nic for nic in at("networkInterfaces[]", instance.item) or () if nic.get("network")]
    return list(dict.fromkeys(partial_uri(nic["network"]) for nic in nics))


def tags(instance: Source) -> list[Mapping[str, str]]:
    """Its tags, in each of its networks."""
    items = at("tags.items[]", instance.item) or ()
    return [{"id": tag_id(vpc, tag), "tag": tag, "vpc": vpc} for vpc in vpcs(instance) for tag in items]


def tag_ids(instance: Source) -> list[str]:
    return [tag["id"] for tag in tags(instance)]


def service_account_email(instance: Source) -> str | None:
    """The service account that it runs as, if any. In lower case, as for the account itself."""
    email: str | None = _account(instance).get("email")
    return email.lower() if email else None


def service_account_scopes(instance: Source) -> list[str] | None:
    scopes: list[str] | None = _account(instance).get("scopes")
    return scopes


def _account(instance: Source) -> Mapping[str, Any]:
    return next((one for one in at("serviceAccounts[]", instance.item) or () if one), {})


class GCPInstance(Node, label="GCPInstance", labels=("Instance",), tenant="GCPProject"):
    id: str = key(partial_uri_at("selfLink"), "projects/<project>/zones/<zone>/instances/<name>")
    partial_uri: str = prop(partial_uri_at("selfLink"))
    self_link: str = prop("selfLink")
    instancename: str = prop("name", index=True)
    hostname: str | None = prop("hostname")
    zone_name: str | None = prop(last_part("zone"))
    project_id: str = prop(scope_tenant)
    status: str | None = prop("status", "RUNNING, TERMINATED, ...")
    machine_type: str | None = prop(last_part("machineType"))
    can_ip_forward: bool | None = prop(
        "canIpForward", "Whether it may send packets with source addresses other than its own."
    )
    creation_timestamp: str | None = prop("creationTimestamp")
    service_account_email: str | None = prop(service_account_email, "The account whose permissions it has.", index=True)
    service_account_scopes: list[str] | None = prop(
        service_account_scopes, "OAuth scopes that limit these permissions."
    )
    block_project_ssh_keys: bool | None = prop(
        metadata_flag("block-project-ssh-keys"), "Whether the project's SSH keys don't open it. None: they do."
    )
    enable_oslogin_metadata: bool | None = prop(
        metadata_flag("enable-oslogin"), "Whether IAM decides who may sign in. None: as the project has it."
    )
    serial_port_enable: bool | None = prop(
        metadata_flag("serial-port-enable"),
        "Whether its serial port accepts connections, from any address. None: as the project has it.",
    )
    enable_secure_boot: bool | None = prop("shieldedInstanceConfig.enableSecureBoot", "None: not a Shielded VM.")
    enable_vtpm: bool | None = prop("shieldedInstanceConfig.enableVtpm", "None: not a Shielded VM.")
    enable_integrity_monitoring: bool | None = prop(
        "shieldedInstanceConfig.enableIntegrityMonitoring", "None: not a Shielded VM."
    )
    enable_confidential_compute: bool | None = prop(
        "confidentialInstanceConfig.enableConfidentialCompute", "Whether its memory is encrypted. None: no."
    )
    confidential_instance_type: str | None = prop(
        "confidentialInstanceConfig.confidentialInstanceType", "SEV, SEV_SNP or TDX. None: no, or not reported."
    )
    relationships = (
        outgoing("TAGGED", "GCPNetworkTag", tag_ids),
        id_link("MEMBER_OF_GCP_VPC", "GCPVpc", vpcs),
        link("RUNS_AS", "GCPServiceAccount", on={"service_account_email": "email"}),
    )


def nic_id(nic: Source) -> str | None:
    return _nic_id(parent("selfLink")(nic), nic.item or {})


def _nic_id(instance: str, nic: Mapping[str, Any]) -> str | None:
    return f"{partial_uri(instance)}/networkinterfaces/{nic['name']}" if nic.get("name") else None


class GCPNetworkInterface(Node, label="GCPNetworkInterface", labels=("NetworkInterface",)):
    id: str = key(nic_id, "<instance>/networkinterfaces/<name>")
    nic_id: str = prop(nic_id)
    name: str = prop("name")
    private_ip: str | None = prop("networkIP")
    vpc_partial_uri: str = prop(partial_uri_at("network"), "The network that it is in.", index=True)
    relationships = (
        incoming("NETWORK_INTERFACE", "GCPInstance", lambda nic: partial_uri(parent("selfLink")(nic))),
        outgoing("PART_OF_SUBNET", "GCPSubnet", partial_uri_at("subnetwork")),
    )


def access_configs(instance: Source) -> Iterator[Mapping[str, Any]]:
    """Of IPv4 and IPv6, each with its interface."""
    for nic in filter(None, elements(instance.item.get("networkInterfaces"))):
        for config in (*elements(nic.get("accessConfigs")), *elements(nic.get("ipv6AccessConfigs"))):
            yield {**(config or {}), "nic": _nic_id(instance.item["selfLink"], nic)}


def access_config_id(config: Source) -> str | None:
    nic, kind = config.item["nic"], config.item.get("type")
    return f"{nic}/accessconfigs/{kind}" if nic and kind else None


class GCPNicAccessConfig(Node, label="GCPNicAccessConfig"):
    """The external address of an interface: one per address family."""

    id: str = key(access_config_id, "<interface>/accessconfigs/<type>")
    access_config_id: str = prop(access_config_id)
    type: str = prop("type", "ONE_TO_ONE_NAT, or DIRECT_IPV6.")
    name: str | None = prop("name")
    public_ip: str | None = prop("natIP", "None: no address at the moment, as for a stopped instance.")
    external_ipv6: str | None = prop("externalIpv6", "An IPv6 range of its own.")
    set_public_ptr: bool | None = prop("setPublicPtr")
    public_ptr_domain_name: str | None = prop("publicPtrDomainName")
    network_tier: str | None = prop("networkTier")
    relationships = (incoming("RESOURCE", "GCPNetworkInterface", "nic"),)


INSTANCES: Final = ResourceType(
    "gcp.compute.instances",
    Per.TENANT,
    fetch=Aggregated("compute:instances.aggregatedList", "instances"),
    yields=(
        GCPInstance,
        GCPNetworkInterface.each("networkInterfaces[]"),
        GCPNicAccessConfig.each(access_configs),
        GCPNetworkTag.each(tags),
    ),
    aliases=("compute",),
    tenant_kind=PROJECT,
)
