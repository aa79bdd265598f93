"""Certificates that were uploaded to IAM, which nothing renews."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Per, ResourceType, key, listing, prop


class AWSServerCertificate(AWSNode, label="AWSServerCertificate", tenant="AWSAccount", arn="iam:server-certificate"):
    server_certificate_id: str = key("ServerCertificateId")
    id: str = prop("ServerCertificateId", "Same as server_certificate_id.")
    arn: str = prop("Arn", index=True)
    server_certificate_name: str = prop("ServerCertificateName", index=True)
    path: str | None = prop("Path")
    upload_date: str | None = prop("UploadDate")
    expiration: str | None = prop("Expiration")


SERVER_CERTIFICATES: Final = ResourceType(
    "aws.iam.server_certificates",
    Per.TENANT,
    fetch=listing("iam:ListServerCertificates"),
    yields=(AWSServerCertificate,),
)
