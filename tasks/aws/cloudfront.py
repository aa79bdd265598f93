"""CloudFront VPC origins: load balancers and instances that CloudFront reaches inside a VPC, public or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from analysis.iam.arn import account_of
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.details import ListedApi
from tasks.engine.responses import values_at
from tasks.provider import CallFailed, Failure, Listing, Per, ResourceType, at, key, link, prop


class VpcOriginList(Listing):
    """The origins of the account. CloudFront omits an empty list, but always reports its length.

    Origins that other accounts share with this one are listed by the scopes of those accounts.
    """

    async def _pages(self, api: ListedApi) -> AsyncIterator[list[Any]]:
        async for response in api.pages(self.action, **dict(self.parameters)):
            origins = _origins(response.get("VpcOriginList"), self.action)
            yield [origin for origin in origins if _is_own(origin, api.tenant.id)]


def _origins(listed: object, action: str) -> list[Any]:
    if not isinstance(listed, dict):
        raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has no VpcOriginList")
    if listed.get("Quantity") == 0:
        return []
    if "Items" not in listed:
        raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has no VpcOriginList.Items")
    return values_at("Items", listed, action, allow_single=False)


def _is_own(origin: dict[str, Any], account: str) -> bool:
    return not isinstance(at("Arn", origin), str) or account_of(origin["Arn"]) == account


class CloudFrontVpcOrigin(AWSNode, label="CloudFrontVpcOrigin", tenant="AWSAccount", arn=None):
    id: str = key("Arn")
    arn: str = prop("Arn", index=True)
    vpc_origin_id: str = prop("Id", index=True)
    name: str | None = prop("Name")
    status: str | None = prop("Status", "Deployed, Deploying, Failed, ...")
    origin_endpoint_arn: str | None = prop("OriginEndpointArn", "ARN of a load balancer or an instance.", index=True)
    created_time: str | None = prop("CreatedTime")
    last_modified_time: str | None = prop("LastModifiedTime")
    relationships = (
        link("ORIGIN_ENDPOINT", "LoadBalancerV2", on={"origin_endpoint_arn": "arn"}),
        link("ORIGIN_ENDPOINT", "EC2Instance", on={"origin_endpoint_arn": "arn"}),
    )


VPC_ORIGINS: Final = ResourceType(
    "aws.cloudfront.vpc_origins",
    Per.TENANT,
    fetch=VpcOriginList("cloudfront:ListVpcOrigins", items_path="VpcOriginList.Items"),
    yields=(CloudFrontVpcOrigin,),
)
