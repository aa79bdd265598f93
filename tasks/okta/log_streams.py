"""Log streams: where the system log is sent to. Tokens of the receivers are not stored."""

from __future__ import annotations

from typing import Final

from tasks.okta.times import okta_time
from tasks.provider import Node, Per, ResourceType, key, listing, prop


class OktaLogStream(Node, label="OktaLogStream", tenant="OktaOrganization"):
    id: str = key("id")
    name: str | None = prop("name", index=True)
    type: str | None = prop("type", "aws_eventbridge, splunk_cloud_logstreaming, ...")
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    aws_account_id: str | None = prop("settings.accountId", "None: not sent to AWS.")
    aws_region: str | None = prop("settings.region")
    host: str | None = prop("settings.host", "None: not sent to Splunk.")
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))


LOG_STREAMS: Final = ResourceType(
    "okta.log_streams", Per.TENANT, fetch=listing("GET /api/v1/logStreams", limit=200), yields=(OktaLogStream,)
)
