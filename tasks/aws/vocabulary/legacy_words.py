"""Words of Cartography's `--aws-requested-syncs` that select no resource type here, each with a remark for users.

Source: the keys of RESOURCE_FUNCTIONS in cartography/intel/aws/resources.py, of all versions up to 0.143.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NOT_FETCHED: Final = (
    "acm:certificate",
    "apigateway",
    "apigatewayv2",
    "bedrock",
    "cloudformation",
    "cloudtrail",
    "cloudtrail_management_events",
    "cloudwatch",
    "codebuild",
    "cognito",
    "config",
    "ec2:launch_templates",
    "ec2:network_acls",
    "ec2:route_table",
    "ec2:snapshots",
    "ec2:tgw_route_table",
    "ec2:volumes",
    "ec2:vpc_endpoint",
    "ecr:image_layers",
    "ecr:pull_through_cache_rules",
    "ecs",
    "efs",
    "elasticache",
    "emr",
    "eventbridge",
    "glue",
    "guardduty",
    "identitycenter",
    "inspector",
    "sagemaker",
    "securityhub",
    "ses",
    "sns",
    "sqs",
    "ssm",
)
OTHER_WORDS: Final[Mapping[str, str]] = {
    "permission_relationships": "permission relationships are computed after every run, from the whole graph",
    **dict.fromkeys(_NOT_FETCHED, "not fetched: Chartfleet has no resource type for it yet"),
}
