"""Which AWS accounts a run covers, in which regions, and whether this machine can reach them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from loaders.scope import GLOBAL
from tasks.aws import credentials
from tasks.aws.api import AwsApi
from tasks.aws.failures import code_of
from tasks.failures import NotConfigured
from tasks.rate_budget import RateBudget
from tasks.resource import Listed, Options, Tenant


async def tenants(options: Options, budget: RateBudget) -> Listed[Tenant]:
    """The account of the default credentials; there may be others. Its name is the profile's, as it was in 2020."""
    core = credentials.session({})
    if await core.get_credentials() is None:
        raise NotConfigured(_NO_CREDENTIALS)
    unknown = Tenant(provider="aws", id="-")
    answer = await AwsApi(unknown, GLOBAL, budget, _partition_of_default_region()).call("sts:GetCallerIdentity")
    access = {"partition": credentials.partition_of(answer["Arn"])}
    return Listed([Tenant(provider="aws", id=answer["Account"], name=core.profile_name, access=access)])


async def regions(api: AwsApi, options: Options) -> Listed[str]:
    """The regions asked for, else all that are enabled in the account."""
    if options.get("aws_regions"):
        return Listed(options["aws_regions"])
    answer = await api.call("ec2:DescribeRegions")
    return Listed(sorted(region["RegionName"] for region in answer["Regions"]), whole=True)


async def connect(tenant: Tenant, region: str, budget: RateBudget) -> AwsApi:
    return AwsApi(tenant, region, budget, tenant.access.get("partition", "aws"))


def missing(options: Options) -> Iterable[str]:
    """Whether credentials are there and AWS takes them: one line per lack, none if all is well."""
    core = botocore.session.Session()
    try:
        if core.get_credentials() is None:
            yield _NO_CREDENTIALS
            return
        region = credentials.home_region(_partition_of_default_region())
        quick = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=10)
        core.create_client("sts", region_name=region, config=quick).get_caller_identity()  # type: ignore[attr-defined]
    except ClientError as error:
        yield f"AWS refuses the default credentials: {code_of(error)}; check with `aws sts get-caller-identity`"
    except (BotoCoreError, ValueError) as error:  # botocore raises ValueError for an endpoint that is no URL
        yield f"AWS credentials or endpoint don't work: {type(error).__name__}: {error}"


def check_region(value: Any) -> str | None:
    known = {
        r for p in ("aws", "aws-cn", "aws-us-gov") for r in botocore.session.Session().get_available_regions("ec2", p)
    }
    wrong = [region for region in value if region not in known]
    return f"{wrong[0]!r} is no AWS region" if wrong else None


def _partition_of_default_region() -> str:
    core = botocore.session.Session()
    region = core.get_config_variable("region")
    return str(core.get_partition_for_region(region)) if region else "aws"


_NO_CREDENTIALS = (
    "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or run where a role is attached"
)
