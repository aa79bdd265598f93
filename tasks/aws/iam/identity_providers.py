"""SAML and OIDC providers. A role that trusts one names it by ARN: both are the same node."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.principals import AWSPrincipal
from tasks.provider import Per, ResourceType, constant, key, listing, prop


class AWSSAMLProvider(AWSPrincipal, label="AWSSAMLProvider", tenant="AWSAccount", arn="iam:saml-provider"):
    arn: str = key("Arn")
    id: str = prop("Arn")
    type: str = prop(constant("Federated"))
    name: str = prop(lambda provider: provider.item["Arn"].rpartition("/")[2], index=True)
    create_date: str | None = prop("CreateDate")
    valid_until: str | None = prop("ValidUntil", "When its metadata expires.")


SAML_PROVIDERS: Final = ResourceType(
    "aws.iam.saml_providers",
    Per.TENANT,
    fetch=listing("iam:ListSAMLProviders", items_path="SAMLProviderList"),
    yields=(AWSSAMLProvider,),
)


class AWSOIDCProvider(AWSPrincipal, label="AWSOIDCProvider", tenant="AWSAccount", arn="iam:oidc-provider"):
    arn: str = key("Arn")
    id: str = prop("Arn")
    type: str = prop(constant("Federated"))
    url: str | None = prop("GetOpenIDConnectProvider.Url", "Without https://.", index=True)
    client_ids: list[str] | None = prop("GetOpenIDConnectProvider.ClientIDList[]", "The audiences of its tokens.")
    thumbprints: list[str] | None = prop(
        "GetOpenIDConnectProvider.ThumbprintList[]", "SHA-1 hashes of its certificates."
    )
    create_date: str | None = prop("GetOpenIDConnectProvider.CreateDate")


OIDC_PROVIDERS: Final = ResourceType(
    "aws.iam.oidc_providers",
    Per.TENANT,
    fetch=listing(
        "iam:ListOpenIDConnectProviders", items_path="OpenIDConnectProviderList", not_found_codes="NoSuchEntity"
    ).detail("iam:GetOpenIDConnectProvider", OpenIDConnectProviderArn="Arn", gap=True),
    yields=(AWSOIDCProvider,),
)
