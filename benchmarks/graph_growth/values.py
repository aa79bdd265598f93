"""Values of properties in a synthetic estate: those that a job or a policy evaluation reads are typical, others any.

Names are `property`, or `Label.property` where it differs from label to label.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loaders.model import NodeModel, Property

REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2")
_ZONES: Final = 6  # in an account: a domain and its subdomains
_FINGERPRINTS: Final = 40  # in an account; a key pair has one of two accounts', so that some are the same
_ANYBODY: Final = "http://acs.amazonaws.com/groups/global/AllUsers"


@dataclass(frozen=True, slots=True)
class Place:
    """Which node it is: the `number`-th of its model, in a cell of the estate. `account`: the cell's AWS account."""

    cell: int
    number: int
    chance: random.Random

    @property
    def account(self) -> str:
        return f"{100_000_000_000 + self.cell}"

    @property
    def domain(self) -> str:
        zone = self.chance.randrange(_ZONES)
        return f"z{zone}.example{self.cell}.com." if zone else f"example{self.cell}.com."


Make = Callable[[Place], Any]


def value(model: NodeModel, prop: Property, place: Place) -> Any:
    """None for a fifth of what may be None."""
    for name in (f"{model.label}.{prop.name}", f"{model.identity.label}.{prop.name}", prop.name):
        if name in _MADE:
            return _MADE[name](place)
        if name in _CHOICES:
            return place.chance.choice(_CHOICES[name])
    if prop.optional and place.chance.random() < 0.2:
        return None
    return _OF_TYPE[prop.types[0]](prop.name, place)


def key(model: NodeModel, place: Place) -> str:
    """Unique among all nodes with the same identity."""
    name = f"{model.label}-{place.cell}-{place.number}"
    if make := _KEYS.get(model.identity.label):
        return make(name, place)
    return name


def _arn(name: str, place: Place) -> str:
    kind, _, rest = name.partition("-")
    path = {"AWSUser": "user", "AWSRole": "role", "AWSGroup": "group"}.get(kind, kind.lower())
    return f"arn:aws:iam::{place.account}:{path}/{rest}"


def _ip_range(name: str, place: Place) -> str:
    """The first two are anywhere."""
    number = place.cell * 1000 + place.number
    anywhere = ("0.0.0.0/0", "::/0") if name.startswith("IpRange-0-") else ()
    if place.number < len(anywhere):
        return anywhere[place.number]
    octets = (number >> 16 & 255, number >> 8 & 255, number & 255)
    return ".".join(map(str, (20 if name.startswith("AWS") else 10, *octets))) + "/32"


_KEYS: Final[Mapping[str, Callable[[str, Place], str]]] = {
    "AWSAccount": lambda name, place: place.account if place.number == 0 else f"9{place.account[1:]}{place.number}",
    "AWSPrincipal": _arn,
    "IpRange": _ip_range,
    "AWSIpv4CidrBlock": lambda name, place: f"AWSVpc-{place.cell}-{place.number}|10.{place.number % 256}.0.0/16",
    **dict.fromkeys(("Human", "GSuiteUser"), lambda name, place: f"{place.cell}-{place.number}@example.com"),
    "S3Bucket": lambda name, place: f"arn:aws:s3:::bucket-{place.cell}-{place.number}",
}


def _trust_policy(place: Place) -> str:
    """Of its own account, or of the one before."""
    account = f"{int(place.account) - (place.chance.random() < 0.1 and place.cell > 0)}"
    principal = place.chance.choice(
        [
            {"Service": "ec2.amazonaws.com"},
            {"AWS": f"arn:aws:iam::{account}:root"},
            {"AWS": f"arn:aws:iam::{account}:user/{place.cell}-{place.chance.randrange(4)}"},
        ]
    )
    return json.dumps([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}])


_MADE: Final[Mapping[str, Make]] = {
    "AWSRole.trust_policy": _trust_policy,
    "AWSRole.saml_providers": lambda place: [f"arn:aws:iam::{place.account}:saml-provider/okta"],
    "AWSUser.userid": lambda place: f"AIDA{place.cell:06}{place.number:06}",
    "AWSRole.roleid": lambda place: f"AROA{place.cell:06}{place.number:06}",
    "AWSGroup.groupid": lambda place: f"AGPA{place.cell:06}{place.number:06}",
    "AWSDNSZone.name": lambda place: (
        f"z{place.number}.example{place.cell}.com." if place.number else f"example{place.cell}.com."
    ),
    "AWSDNSRecord.name": lambda place: (
        place.domain if place.chance.random() < 0.3 else f"host{place.number}.{place.domain}"
    ),
    "AWSRoute53Record._target": lambda place: f"host{place.chance.randrange(20)}.{place.domain}",
    "keyfingerprint": lambda place: ":".join(
        f"{(place.cell // 2 * _FINGERPRINTS + place.chance.randrange(_FINGERPRINTS)) >> 8 * byte & 255:02x}"
        for byte in range(16)
    ),
    "OktaGroup.aws_role_name": lambda place: f"{place.cell}-{place.number}" if place.number % 2 else None,
    "GCPIpRule.ipv4_first": lambda place: [0],
    "GCPIpRule.ipv4_after": lambda place: [2**32 if place.chance.random() < 0.3 else 65536],
    "private_ip_addresses": lambda place: [f"10.0.{place.chance.randrange(4)}.{place.chance.randrange(256)}"],
    "ELBV2TargetGroup.targets": lambda place: [f"10.0.{place.chance.randrange(4)}.{n}" for n in range(4)],
    "region": lambda place: place.chance.choice(REGIONS),
}

_CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "scheme": ("internet-facing", "internal"),
    "ELBListener.protocol": ("HTTP", "TCP"),
    "ELBV2Listener.protocol": ("HTTPS", "TCP", "UDP"),
    "protocol": ("tcp", "tcp", "tcp", "-1", "udp", "icmp"),
    "GCPIpRule.protocol": ("tcp", "all", "udp"),
    "fromport": (0, 22, 80, 443),
    "toport": (22, 80, 443, 65535),
    "port": (22, 80, 443),
    "from_ports": ([80], [443]),
    "to_ports": ([80], [443]),
    "EC2Instance.state": ("running", "running", "running", "stopped", "terminated"),
    "device_index": (0, 0, 0, 1),
    "public_ip": ("203.0.113.10", None, None),
    "address_family": ("IPv4", "IPv6"),
    "LoadBalancerV2.type": ("application", "network"),
    "ip_address_type": ("ipv4", "dualstack"),
    "target_type": ("instance", "ip"),
    "AWSDNSRecord.type": ("A", "CNAME", "NS"),
    "direction": ("INGRESS", "INGRESS", "EGRESS"),
    "has_target_service_accounts": (False,),
    "ipv6_first": ([],),
    "ipv6_after": ([],),
    "GCPInstance.zone_name": tuple(f"{region}-a" for region in REGIONS),
    "load_balancing_scheme": ("EXTERNAL", "INTERNAL"),
    "status_code": ("active", "active", "rejected"),
    "OktaApplication.name": ("amazon_aws", "slack", "zoom"),
    "OktaApplication.aws_saml_providers": (None,),
    "OktaUser.status": ("ACTIVE", "ACTIVE", "SUSPENDED"),
    "SyncGitHubMember.role": ("ADMIN", "MEMBER", "MEMBER"),
    "S3Acl.permission": ("READ", "FULL_CONTROL"),
    "S3Acl.uri": (_ANYBODY, None, None),
    "policy_anonymous_actions": ([], [], ["s3:GetObject"]),
    "effect": ("Allow", "Allow", "Allow", "Deny"),
    "action": (["s3:GetObject"], ["s3:*"], ["ec2:Describe*"], ["dynamodb:GetItem"], ["sts:AssumeRole"]),
    "resource": (["*"], ["arn:aws:s3:::bucket-1-*"], ["arn:aws:dynamodb:*:*:table/team-*"]),
    "notaction": (None,),
    "notresource": (None,),
    "condition": (None,),
    "AWSPrincipal.type": ("AWS",),
    "trust_policy_version": ("2012-10-17",),
    "language_version": ("2012-10-17",),
    "trusts_anybody": ([],),
    "trusts_anybody_if": ([],),
    "trusts_others": ([],),
    "permissions_boundary_arn": (None,),
}

_OF_TYPE: Final[Mapping[type, Callable[[str, Place], Any]]] = {
    str: lambda name, place: f"{name}-{place.cell}-{place.chance.randrange(50)}",
    bool: lambda name, place: place.chance.random() < 0.5,
    int: lambda name, place: place.chance.randrange(65_536),
    float: lambda name, place: place.chance.random(),
    list: lambda name, place: [f"{name}-{place.chance.randrange(50)}"],
}


def unknown_names(models: Mapping[str, NodeModel]) -> list[str]:
    """Names of this module that no model has."""
    known = {p.name for model in models.values() for p in model.properties}
    known |= {f"{label}.{p.name}" for label, model in models.items() for p in model.properties}
    return sorted({*_MADE, *_CHOICES} - known) + sorted(_KEYS.keys() - models.keys())
