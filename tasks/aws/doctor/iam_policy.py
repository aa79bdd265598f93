"""The permissions that Chartfleet needs in an account, as JSON, CloudFormation or Terraform: derived from the calls of
the selected types.

A spoke is an account that is synced: its role trusts the hub, requires an external id, and may read. The hub is the
account in which Chartfleet runs: it is synced as well, lists the organization, and assumes the role in the spokes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tasks.aws.client.permissions import permissions
from tasks.resource import ResourceType

ROLE: Final = "Chartfleet"
# The regions of every account are listed, whatever types are selected.
_PLANNING: Final = ("ec2:DescribeRegions",)
_HUB: Final = "organizations:ListAccounts"
_LATEST: Final = "2012-10-17"


def reading(types: Iterable[ResourceType]) -> list[str]:
    """The actions that a policy must allow to sync these types."""
    return permissions([*(call for type_ in types for call in type_.fetch.calls), *_PLANNING])


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """`role`: the name of the role in the spokes, with its path if it has one (`audit/Chartfleet`)."""

    types: tuple[ResourceType, ...]
    role: str = ROLE
    hub: bool = False

    @property
    def name(self) -> str:
        return self.role.rpartition("/")[2]

    @property
    def path(self) -> str:
        path = self.role.rpartition("/")[0].strip("/")
        return f"/{path}/" if path else "/"

    def statements(self, partition: str) -> list[dict[str, Any]]:
        """`partition`: as the format names it: `aws`, or a reference to the partition of the account."""
        actions = reading(self.types)
        if not self.hub:
            return [_allow(actions)]
        return [_allow([*actions, _HUB]), _allow(["sts:AssumeRole"], self.role_in_spokes(partition))]

    def role_in_spokes(self, partition: str) -> str:
        return f"arn:{partition}:iam::*:role{self.path}{self.name}"

    def document(self, partition: str = "aws") -> dict[str, Any]:
        return {"Version": _LATEST, "Statement": self.statements(partition)}

    def cloudformation(self) -> dict[str, Any]:
        """A template: for a spoke, its role (to be used in a stack set); for the hub, a policy for the workers."""
        policy = self.document("${AWS::Partition}")
        for statement in policy["Statement"]:
            if "${" in statement["Resource"]:
                statement["Resource"] = {"Fn::Sub": statement["Resource"]}
        if self.hub:
            resource = {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": f"{self.name}Hub", "PolicyDocument": policy},
            }
            return _template("Permissions of the Chartfleet workers", {}, "HubPolicy", resource)
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": {"Ref": "HubPrincipal"}},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
        }
        resource = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": self.name,
                "Path": self.path,
                "AssumeRolePolicyDocument": {"Version": _LATEST, "Statement": [trust]},
                "Policies": [{"PolicyName": "read", "PolicyDocument": policy}],
            },
        }
        parameters = {
            "HubPrincipal": {"Type": "String", "Description": _HUB_PRINCIPAL},
            "ExternalId": {"Type": "String", "NoEcho": True, "MinLength": 2, "Description": _EXTERNAL_ID},
        }
        return _template("The role that Chartfleet uses to read this account", parameters, "Role", resource)

    def terraform(self) -> dict[str, Any]:
        """The same in Terraform's JSON syntax, for a file NAME.tf.json."""
        statements = self.statements("${data.aws_partition.this.partition}")
        documents: dict[str, Any] = {"read": {"statement": [_for_terraform(statement) for statement in statements]}}
        document: dict[str, Any] = {"data": {"aws_partition": {"this": {}}, "aws_iam_policy_document": documents}}
        policy = "${data.aws_iam_policy_document.read.json}"
        if self.hub:
            hub = {"name": f"{self.name}Hub", "policy": policy}
            return document | {
                "resource": {"aws_iam_policy": {"hub": hub}},
                "output": {"policy_arn": {"value": "${aws_iam_policy.hub.arn}"}},
            }
        documents["trust"] = {
            "statement": [
                {
                    "effect": "Allow",
                    "actions": ["sts:AssumeRole"],
                    "principals": [{"type": "AWS", "identifiers": ["${var.hub_principal}"]}],
                    "condition": [
                        {"test": "StringEquals", "variable": "sts:ExternalId", "values": ["${var.external_id}"]}
                    ],
                }
            ]
        }
        trust = "${data.aws_iam_policy_document.trust.json}"
        role = {"name": self.name, "path": self.path, "assume_role_policy": trust}
        return document | {
            "variable": {
                "hub_principal": {"type": "string", "description": _HUB_PRINCIPAL},
                "external_id": {"type": "string", "sensitive": True, "description": _EXTERNAL_ID},
            },
            "resource": {
                "aws_iam_role": {"chartfleet": role},
                "aws_iam_role_policy": {
                    "read": {"name": "read", "role": "${aws_iam_role.chartfleet.id}", "policy": policy}
                },
            },
            "output": {"role_arn": {"value": "${aws_iam_role.chartfleet.arn}"}},
        }


_HUB_PRINCIPAL: Final = "ARN of the role or user that the workers run as, in the hub account"
_EXTERNAL_ID: Final = "The value of --aws-external-id"


def _allow(actions: list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}


def _for_terraform(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "effect": statement["Effect"],
        "actions": statement["Action"],
        "resources": [statement["Resource"]],
    }


def _template(what: str, parameters: dict[str, Any], name: str, resource: dict[str, Any]) -> dict[str, Any]:
    output = {"Value": {"Fn::GetAtt": [name, "Arn"]} if name == "Role" else {"Ref": name}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": what,
        "Parameters": parameters,
        "Resources": {name: resource},
        "Outputs": {"Arn": output},
    }
