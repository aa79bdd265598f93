"""Certificates of AWS Certificate Manager: until when each is valid, and what uses it."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, key, listing, prop

# Without this, only certificates with RSA keys of up to 2,048 bits are listed.
_EVERY_KEY_TYPE: Final = (
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)


class ACMCertificate(RegionalNode, label="ACMCertificate", tenant="AWSAccount", arn="acm:certificate"):
    id: str = key("CertificateArn")
    arn: str = prop("CertificateArn", index=True)
    domainname: str | None = prop("DomainName", index=True)
    subject_alternative_names: list[str] | None = prop(
        "DescribeCertificate.Certificate.SubjectAlternativeNames", "None: could not be read."
    )
    type: str | None = prop("Type", "AMAZON_ISSUED, IMPORTED or PRIVATE.")
    status: str | None = prop("Status", "ISSUED, PENDING_VALIDATION, EXPIRED, ...")
    key_algorithm: str | None = prop("KeyAlgorithm")
    signature_algorithm: str | None = prop("DescribeCertificate.Certificate.SignatureAlgorithm")
    not_before: str | None = prop("NotBefore", "None: not issued.")
    not_after: str | None = prop("NotAfter", "None: not issued.")
    renewal_eligibility: str | None = prop(
        "RenewalEligibility", "ELIGIBLE: renewed by AWS before it expires. INELIGIBLE: for instance, if imported."
    )
    in_use: bool | None = prop("InUse")
    in_use_by: list[str] | None = prop(
        "DescribeCertificate.Certificate.InUseBy", "ARNs of load balancers, distributions, ... None: could not be read."
    )


CERTIFICATES: Final = ResourceType(
    "aws.acm.certificates",
    Per.REGION,
    fetch=listing(
        "acm:ListCertificates",
        not_found_codes="ResourceNotFoundException",
        Includes={"keyTypes": list(_EVERY_KEY_TYPE)},
    ).detail("acm:DescribeCertificate", CertificateArn="CertificateArn", gap=True),
    yields=(ACMCertificate,),
    aliases=("acm:certificate",),
)
