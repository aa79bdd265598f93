"""IAM from a simulated AWS to the graph: instance profiles, identity providers, access keys."""

from __future__ import annotations

import json

from loaders.graph import Graph
from tests.integration.estates.conftest import Client, Load, found


def test_an_instance_has_the_role_of_its_profile(client: Client, load: Load, graph: Graph) -> None:
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "web"})
    load("aws.iam.roles", "aws.iam.instance_profiles", "aws.ec2.instances")
    assert found(
        graph,
        "MATCH (:AWSEC2Instance)-[:INSTANCE_PROFILE]->(p:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(r:AWSRole) "
        "RETURN p.instance_profile_name, r.arn",
    ) == {("web", role)}


def test_a_provider_and_the_principal_in_trust_policies_are_one_node(client: Client, load: Load, graph: Graph) -> None:
    iam, url = client("iam"), "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    provider = arn["OpenIDConnectProviderArn"]
    saml = iam.create_saml_provider(SAMLMetadataDocument="<x/>" * 300, Name="corporate")["SAMLProviderArn"]
    for name, federated in {"deploy": provider, "staff": saml}.items():
        trust = {"Effect": "Allow", "Principal": {"Federated": federated}, "Action": "sts:AssumeRoleWithWebIdentity"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    load("aws.iam.roles", "aws.iam.saml_providers", "aws.iam.oidc_providers")
    trusts = "MATCH (r:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(p:{}) RETURN r.name, p.arn, p.type, {}"
    assert found(graph, trusts.format("AWSOIDCProvider", "p.client_ids[0]")) == {
        ("deploy", provider, "Federated", "sts.amazonaws.com")
    }
    assert found(graph, trusts.format("AWSSAMLProvider", "p.name")) == {("staff", saml, "Federated", "corporate")}


def test_an_access_key_that_was_never_used_has_no_date(client: Client, load: Load, graph: Graph) -> None:
    iam = client("iam")
    iam.create_user(UserName="robot")
    key = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
    load("aws.iam.users", "aws.iam.access_keys")
    used = "MATCH (:AWSUser)-[:AWS_ACCESS_KEY]->(k:AccountAccessKey) RETURN k.accesskeyid, k.lastuseddate"
    assert found(graph, used) == {(key, None)}
