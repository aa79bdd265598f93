"""Analyzers of IAM Access Analyzer: what each region has, and whether they work."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, key, listing, prop


class AccessAnalyzer(RegionalNode, label="AccessAnalyzer", tenant="AWSAccount", arn="access-analyzer:analyzer"):
    arn: str = key("arn")
    id: str = prop("arn", "Same as arn.")
    name: str = prop("name", index=True)
    type: str = prop(
        "type", "ACCOUNT or ORGANIZATION (access from outside of it), or one of unused or internal access."
    )
    status: str | None = prop("status", "ACTIVE, CREATING, DISABLED or FAILED.")
    status_reason: str | None = prop("statusReason.code", "Why it failed. None: it did not.")
    created_at: str | None = prop("createdAt")
    last_resource_analyzed: str | None = prop("lastResourceAnalyzed")
    last_resource_analyzed_at: str | None = prop("lastResourceAnalyzedAt", "None: it has not analyzed anything yet.")


ANALYZERS: Final = ResourceType(
    "aws.accessanalyzer.analyzers", Per.REGION, fetch=listing("accessanalyzer:ListAnalyzers"), yields=(AccessAnalyzer,)
)
