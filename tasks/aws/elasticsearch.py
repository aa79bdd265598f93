"""OpenSearch and Elasticsearch domains, what their policies let anybody do, and where their names lead.

The API of Elasticsearch's time: AWS goes on answering it for either engine, and its fields are those of the graph.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from analysis.iam.resource_policy import Verdict
from loaders.model import NotSeen, Source, at, constant, id_link, key, outgoing, prop, scope_region
from tasks.aws.client.access import AwsAccess
from tasks.aws.vocabulary.dns import AWSDNSRecord, Ip, as_ips, host
from tasks.aws.vocabulary.name_server import NOBODY, NotResolved, addresses
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.public_policy import actions, anonymous, resource
from tasks.engine.concurrency import bounded
from tasks.engine.details import ListedApi
from tasks.engine.listing import Listing
from tasks.resource import Gap, Item, Per, ResourceType

_AT_A_TIME: Final = 25  # names that are asked for


class SearchDomains(Listing):
    """The domains, each with the addresses of its public endpoint as a name server has them: `Addresses`.

    None where that isn't known, [] where the name doesn't exist, as while a domain is being made.
    """

    async def items(self, api: ListedApi, part: str) -> AsyncIterator[Item]:
        found = [item async for item in Listing.items(self, api, part)]
        async for item in bounded(
            (_resolved(item, AwsAccess.from_json(api.tenant.access).name_server or None) for item in found), _AT_A_TIME
        ):
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
    """A path in what the API says of the domain."""
    return f"DescribeElasticsearchDomains.{path}"


def log(type_: str, field: str) -> Callable[[Source], Any]:
    """How logs of one type are published: `Enabled`, or the group's ARN."""

    def found(domain: Source) -> Any:
        options = domain.item["DescribeElasticsearchDomains"].get("LogPublishingOptions", {})
        return options.get(type_, {}).get(field)

    return found


def _by_policy(domain: Source) -> Verdict:
    found = domain.item["DescribeElasticsearchDomains"]
    document: str | None = found.get("AccessPolicies")
    if document is None:
        return Verdict(None, "AWS did not say the policy")
    return anonymous(document, resource("es", found["ARN"], inside="/")) if document else Verdict(())


def policy_anonymous_actions(domain: Source) -> list[str] | None:
    """What the access policy lets anybody do; [] without a policy, None where that isn't known."""
    return actions(_by_policy(domain))


def policy_not_known(domain: Source) -> str | None:
    return _by_policy(domain).reason


def vpc_endpoint(domain: Source) -> str | None:
    endpoints: Mapping[str, str] = domain.item["DescribeElasticsearchDomains"].get("Endpoints", {})
    return endpoints.get("vpc")


def domain_host(domain: Source) -> str | None:
    name = at("DescribeElasticsearchDomains.Endpoint", domain.item) or vpc_endpoint(domain)
    return host(name) if name else None


class ESDomain(AWSNode, label="ESDomain", tenant="AWSAccount", arn="es:domain"):
    arn: str = key(of_domain("ARN"))
    id: str | None = prop(
        of_domain("DomainId"), "Account and name: a domain of the same name in another region has it, too.", index=True
    )
    domainid: str | None = prop(of_domain("DomainId"))
    name: str | None = prop("DomainName", index=True)
    engine: str | None = prop("EngineType", "OpenSearch or Elasticsearch.")
    created: bool | None = prop(of_domain("Created"), "It is there, and may not be ready yet.")
    deleted: bool | None = prop(of_domain("Deleted"), "It is being deleted.")
    endpoint: str | None = prop(of_domain("Endpoint"), "Its public name. None: in a VPC, or not ready yet.")
    vpc_endpoint: str | None = prop(vpc_endpoint, "Its name in a VPC.")
    vpc_id: str | None = prop(of_domain("VPCOptions.VPCId"), "None: it has a public name.")
    policy_anonymous_actions: list[str] | None = prop(
        policy_anonymous_actions,
        "What its policy lets anybody do, whatever the network. None: not known, for the reason in policy_not_known.",
    )
    policy_not_known: str | None = prop(policy_not_known, "Why it isn't known what its policy lets anybody do.")
    fine_grained_access_control: bool | None = prop(
        of_domain("AdvancedSecurityOptions.Enabled"), "It asks who calls by itself, even where its policy doesn't."
    )
    enforce_https: bool | None = prop(of_domain("DomainEndpointOptions.EnforceHTTPS"))
    elasticsearch_version: str | None = prop(of_domain("ElasticsearchVersion"), "7.10, or OpenSearch_2.11.")
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
    ebs_options_volumesize: int | None = prop(of_domain("EBSOptions.VolumeSize"), "GiB.")
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
    region: str = prop(scope_region)
    _host: str | None = prop(domain_host, "Either name, as names are compared.", index=True)
    relationships = (
        id_link("PART_OF_SUBNET", "EC2Subnet", of_domain("VPCOptions.SubnetIds[]")),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", of_domain("VPCOptions.SecurityGroupIds[]")),
    )


def endpoints(domain: Source) -> list[Mapping[str, Any]]:
    """The public endpoint as a record of DNS; none where the name doesn't exist."""
    name, found = at("DescribeElasticsearchDomains.Endpoint", domain.item), domain.item["Addresses"]
    if not name or found == []:
        return []
    return [{"Name": name, "Addresses": found or [], "Domain": domain.item["DescribeElasticsearchDomains"]["ARN"]}]


def record_id(endpoint: Source) -> str:
    return f"{endpoint.item['Name']}+A"


def value(endpoint: Source) -> str | None:
    return ",".join(endpoint.item["Addresses"]) or None


class AWSESEndpointRecord(AWSDNSRecord, label="AWSESEndpointRecord"):
    id: str = key(record_id, "The name, and +A.")
    name: str = prop("Name", index=True)
    type: str = prop(constant("A"))
    value: str | None = prop(
        value, "Its addresses, with commas between them. None: no name server said, or none was asked."
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
    aliases=("elasticsearch",),
)
