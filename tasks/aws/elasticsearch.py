"""OpenSearch and Elasticsearch domains, what their policies allow anybody to do, and the addresses of their endpoints.

Read by the older Elasticsearch API, which serves both engines and has the fields that the graph has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from analysis.iam.resource_policy import Verdict
from tasks.aws.client.access import AwsAccess
from tasks.aws.client.name_server import NotResolved, addresses
from tasks.aws.options import NOBODY
from tasks.aws.vocabulary.dns import AWSDNSRecord, Ip, as_ips, host
from tasks.aws.vocabulary.node import RegionalNode
from tasks.aws.vocabulary.public_policy import NOT_KNOWN, PublicPolicy, resource, verdict_on
from tasks.engine.details import ListedApi
from tasks.provider import (
    Gap,
    Item,
    Listing,
    NotSeen,
    Per,
    ResourceType,
    Source,
    at,
    bounded,
    constant,
    id_link,
    key,
    outgoing,
    prop,
)

_CONCURRENCY: Final = 25  # names resolved concurrently


class SearchDomains(Listing):
    """The domains, each with the addresses that its public endpoint resolves to: `Addresses`.

    None where they are not known, [] where the name doesn't exist, as while a domain is being created.
    """

    async def items(self, api: ListedApi, part: str) -> AsyncIterator[Item]:
        domains = [item async for item in Listing.items(self, api, part)]
        server = AwsAccess.from_json(api.tenant.access).name_server or None
        async for item in bounded((_resolved(item, server) for item in domains), _CONCURRENCY):
            yield item


async def _resolved(item: Item, server: str | None) -> Item:
    try:
        name = at("DescribeElasticsearchDomains.Endpoint", item.value)
    except NotSeen:
        return item
    if not name or server == NOBODY:
        return replace(item, value=item.value | {"Addresses": None})
    try:
        return replace(item, value=item.value | {"Addresses": await addresses(name, server)})
    except NotResolved as error:
        gap = Gap("name server", f"{error} of the endpoint")
        return replace(item, value=item.value | {"Addresses": None}, gaps=(*item.gaps, gap))


def of_domain(path: str) -> str:
    """A path in the description of the domain."""
    return f"DescribeElasticsearchDomains.{path}"


def log(type_: str, field: str) -> Callable[[Source], Any]:
    """How logs of one type are published: `Enabled`, or the ARN of the log group."""

    def option(domain: Source) -> Any:
        options = domain.item["DescribeElasticsearchDomains"].get("LogPublishingOptions", {})
        return options.get(type_, {}).get(field)

    return option


def _verdict(domain: Source) -> Verdict:
    described = domain.item["DescribeElasticsearchDomains"]
    document: str | None = described.get("AccessPolicies")
    if document is None:
        return Verdict(None, "AWS did not report the policy")
    return verdict_on(document, resource("es", described["ARN"], separator="/")) if document else Verdict(())


_POLICY: Final = PublicPolicy(_verdict)


def vpc_endpoint(domain: Source) -> str | None:
    endpoints: Mapping[str, str] = domain.item["DescribeElasticsearchDomains"].get("Endpoints", {})
    return endpoints.get("vpc")


def domain_host(domain: Source) -> str | None:
    name = at("DescribeElasticsearchDomains.Endpoint", domain.item) or vpc_endpoint(domain)
    return host(name) if name else None


class ESDomain(RegionalNode, label="ESDomain", tenant="AWSAccount", arn="es:domain"):
    arn: str = key(of_domain("ARN"))
    id: str | None = prop(
        of_domain("DomainId"), "Account and name; the same for a domain of that name in another region.", index=True
    )
    domainid: str | None = prop(of_domain("DomainId"))
    name: str | None = prop("DomainName", index=True)
    engine: str | None = prop("EngineType", "OpenSearch or Elasticsearch.")
    created: bool | None = prop(of_domain("Created"), "Whether creation is complete; it may not be ready yet.")
    deleted: bool | None = prop(of_domain("Deleted"), "Whether it is being deleted.")
    endpoint: str | None = prop(of_domain("Endpoint"), "Its public host name. None: in a VPC, or not ready yet.")
    vpc_endpoint: str | None = prop(vpc_endpoint, "Its host name in a VPC.")
    vpc_id: str | None = prop(of_domain("VPCOptions.VPCId"), "None: public.")
    policy_anonymous_actions: list[str] | None = prop(
        _POLICY.anonymous_actions,
        "What its policy allows anybody to do, regardless of the network. None: not known, see policy_not_known.",
    )
    policy_not_known: str | None = prop(_POLICY.not_known, NOT_KNOWN)
    fine_grained_access_control: bool | None = prop(
        of_domain("AdvancedSecurityOptions.Enabled"),
        "Whether it authenticates callers itself.",
    )
    enforce_https: bool | None = prop(of_domain("DomainEndpointOptions.EnforceHTTPS"))
    elasticsearch_version: str | None = prop(of_domain("ElasticsearchVersion"), "Such as 7.10 or OpenSearch_2.11.")
    elasticsearch_cluster_config_instancetype: str | None = prop(of_domain("ElasticsearchClusterConfig.InstanceType"))
    elasticsearch_cluster_config_instancecount: int | None = prop(of_domain("ElasticsearchClusterConfig.InstanceCount"))
    elasticsearch_cluster_config_dedicatedmasterenabled: bool | None = prop(
        of_domain("ElasticsearchClusterConfig.DedicatedMasterEnabled")
    )
    elasticsearch_cluster_config_zoneawarenessenabled: bool | None = prop(
        of_domain("ElasticsearchClusterConfig.ZoneAwarenessEnabled")
    )
    elasticsearch_cluster_config_dedicatedmastertype: str | None = prop(
        of_domain("ElasticsearchClusterConfig.DedicatedMasterType")
    )
    elasticsearch_cluster_config_dedicatedmastercount: int | None = prop(
        of_domain("ElasticsearchClusterConfig.DedicatedMasterCount")
    )
    ebs_options_ebsenabled: bool | None = prop(of_domain("EBSOptions.EBSEnabled"))
    ebs_options_volumetype: str | None = prop(of_domain("EBSOptions.VolumeType"))
    ebs_options_volumesize: int | None = prop(of_domain("EBSOptions.VolumeSize"), "In GiB.")
    ebs_options_iops: int | None = prop(of_domain("EBSOptions.Iops"))
    encryption_at_rest_options_enabled: bool | None = prop(of_domain("EncryptionAtRestOptions.Enabled"))
    encryption_at_rest_options_kms_key_id: str | None = prop(of_domain("EncryptionAtRestOptions.KmsKeyId"))
    log_publishing_index_slow_logs_enabled: bool | None = prop(log("INDEX_SLOW_LOGS", "Enabled"))
    log_publishing_index_slow_logs_arn: str | None = prop(log("INDEX_SLOW_LOGS", "CloudWatchLogsLogGroupArn"))
    log_publishing_search_slow_logs_enabled: bool | None = prop(log("SEARCH_SLOW_LOGS", "Enabled"))
    log_publishing_search_slow_logs_arn: str | None = prop(log("SEARCH_SLOW_LOGS", "CloudWatchLogsLogGroupArn"))
    log_publishing_es_application_logs_enabled: bool | None = prop(log("ES_APPLICATION_LOGS", "Enabled"))
    log_publishing_es_application_logs_arn: str | None = prop(log("ES_APPLICATION_LOGS", "CloudWatchLogsLogGroupArn"))
    log_publishing_audit_logs_enabled: bool | None = prop(log("AUDIT_LOGS", "Enabled"))
    log_publishing_audit_logs_arn: str | None = prop(log("AUDIT_LOGS", "CloudWatchLogsLogGroupArn"))
    _host: str | None = prop(domain_host, "The endpoint or vpc_endpoint, in the form used for comparison.", index=True)
    relationships = (
        id_link("PART_OF_SUBNET", "EC2Subnet", of_domain("VPCOptions.SubnetIds[]")),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", of_domain("VPCOptions.SecurityGroupIds[]")),
    )


def endpoints(domain: Source) -> list[Mapping[str, Any]]:
    """The public endpoint as a DNS record; none where the name doesn't exist."""
    name, resolved = at("DescribeElasticsearchDomains.Endpoint", domain.item), domain.item["Addresses"]
    if not name or resolved == []:
        return []
    return [{"Name": name, "Addresses": resolved or [], "Domain": domain.item["DescribeElasticsearchDomains"]["ARN"]}]


def record_id(endpoint: Source) -> str:
    return f"{endpoint.item['Name']}+A"


def value(endpoint: Source) -> str | None:
    return ",".join(endpoint.item["Addresses"]) or None


class AWSESEndpointRecord(AWSDNSRecord, label="AWSESEndpointRecord"):
    id: str = key(record_id, "<name>+A")
    name: str = prop("Name", index=True)
    type: str = prop(constant("A"))
    value: str | None = prop(
        value, "Its addresses, comma-separated. None: could not be resolved, or resolving is disabled."
    )
    relationships = (
        outgoing("DNS_POINTS_TO", "ESDomain", "Domain"),
        outgoing("DNS_POINTS_TO", "Ip", "Addresses[]"),
    )


def ips(domain: Source) -> list[Mapping[str, Any]]:
    return as_ips(domain.item["Addresses"] or [])


DOMAINS: Final = ResourceType(
    "aws.elasticsearch.domains",
    Per.REGION,
    fetch=SearchDomains("es:ListDomainNames", items_path="DomainNames").batch_detail(
        "es:DescribeElasticsearchDomains", DomainNames="DomainName", max_batch=5, key="DomainStatusList[].DomainName"
    ),
    yields=(ESDomain, AWSESEndpointRecord.each(endpoints), Ip.each(ips)),
)
