"""Calls: their service, operation, region and account; and statistics about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote_plus

from tests.servers.aws.rest_operations import Protocol, rest_operation, rest_protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Signing name -> name in boto3, where they differ.
CLIENTS: Final = {
    "access-analyzer": "accessanalyzer",
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
}
ELB_VERSIONS: Final = {"2012-06-01": "elb", "2015-12-01": "elbv2"}


@dataclass(frozen=True)
class Call:
    service: str
    action: str
    region: str
    account: str
    bucket: str | None
    protocol: Protocol
    signing_name: str  # the prefix of IAM actions, almost always
    text: str  # decoded path, query and body, followed by the account id of S3 Control calls

    @classmethod
    def of(cls, environ: WSGIEnvironment, body: bytes) -> Call:
        access_key, region, signing_name = credential_scope(environ)
        path, query = environ.get("PATH_INFO", "/"), environ.get("QUERY_STRING", "")
        target: str = environ.get("HTTP_X_AMZ_TARGET", "")
        text = body.decode("utf-8", "replace")
        owner = environ.get("HTTP_X_AMZ_ACCOUNT_ID", "")  # set by S3 Control
        form = parse_qs(text if text.startswith("Action=") or "&Action=" in text else query)
        service = CLIENTS.get(signing_name, signing_name)
        if service == "s3" and path.startswith("/v20180820/"):  # not a bucket name
            service = "s3control"
        protocol: Protocol
        if "Action" in form:
            action = form["Action"][0]
            if signing_name == "elasticloadbalancing":
                service = ELB_VERSIONS[form["Version"][0]]
            protocol = "ec2" if service == "ec2" else "query"
        elif target:
            action, protocol = target.rpartition(".")[2], "json"
        else:
            action = rest_operation(service, environ)
            protocol = rest_protocol(service)
        return cls(
            service=service,
            action=action,
            region=region,
            account=account_of(access_key),
            bucket=(path.split("/")[1] or None) if service == "s3" else None,
            protocol=protocol,
            signing_name=signing_name,
            text=f"{path}?{unquote_plus(query)}\n{unquote_plus(text) if form else text}{owner}",
        )

    @property
    def name(self) -> str:
        return f"{self.service}:{self.action}:{self.region}"


def credential_scope(environ: WSGIEnvironment) -> tuple[str, str, str]:
    """Access key, region and signing name of a call signed with SigV4, in header or query. Unsigned calls are S3's."""
    query = unquote_plus(environ.get("QUERY_STRING", ""))
    scope = re.search(
        r"Credential=([^/&, ]+)/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", query)
    )
    return (scope[1], scope[2], scope[3]) if scope else ("", "us-east-1", "s3")


def account_of(access_key: str) -> str:
    if re.fullmatch(r"\d{12}", access_key):
        return access_key
    from moto.iam.models import get_account_id_from

    return get_account_id_from(access_key)


@dataclass(frozen=True)
class FinishedCall:
    at: float  # arrival, in Unix time
    seconds: float  # until the response was ready
    service: str
    action: str
    region: str
    account: str
    status: int  # HTTP status; 0 without a response


@dataclass(frozen=True)
class Calls:
    """Calls since the last reset. A call is counted on arrival, and is in `recent` once it has a response."""

    counts: dict[str, int]  # by "service:action:region"
    in_flight: int
    max_in_flight: int
    recent: list[FinishedCall]  # oldest first

    def count(self, service: str = "", action: str = "", region: str = "") -> int:
        """The number of calls of a service, action and region; '' means any."""
        wanted = (service, action, region)
        return sum(
            number
            for name, number in self.counts.items()
            if all(part in ("", other) for part, other in zip(wanted, name.split(":"), strict=True))
        )
