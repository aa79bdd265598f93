"""Networks as items of the responses of AWS."""

from __future__ import annotations

from collections.abc import Mapping

from tests.integration.estates.networks import Item, Network, PrefixList, Rule


def responses(networks: list[Network]) -> Mapping[str, list[Item]]:
    """Items by resource type."""
    return {
        "aws.ec2.security_groups": [
            _group(id_, rules) for network in networks for id_, rules in network.groups.items() if rules is not None
        ],
        "aws.ec2.prefix_lists": [_list(prefix_list) for network in networks for prefix_list in network.lists.values()],
        "aws.ec2.instances": [
            {"ReservationId": f"r-{id_}", "Instances": [instance]}
            for network in networks
            for id_, instance in network.instances.items()
        ],
        "aws.elb.load_balancers": [balancer for network in networks for balancer in network.classic],
        "aws.elbv2.load_balancers": [balancer for network in networks for balancer in network.balancers],
        "aws.globalaccelerator.accelerators": [
            accelerator for network in networks for accelerator in network.accelerators
        ],
        "aws.cloudfront.vpc_origins": [origin for network in networks for origin in network.origins],
    }


def _group(id_: str, rules: list[Rule]) -> Item:
    return {
        "GroupId": id_,
        "GroupName": id_,
        "IpPermissions": [
            {
                "IpProtocol": rule.protocol,
                **({"FromPort": rule.ports[0], "ToPort": rule.ports[1]} if rule.ports else {}),
                "IpRanges": [{"CidrIp": cidr} for cidr in rule.cidrs if ":" not in cidr],
                "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in rule.cidrs if ":" in cidr],
                "PrefixListIds": [{"PrefixListId": name} for name in rule.lists],
                "UserIdGroupPairs": [{"GroupId": name, "UserId": "1111"} for name in rule.groups],
            }
            for rule in rules
        ],
        "IpPermissionsEgress": [],
    }


def _list(prefix_list: PrefixList) -> Item:
    entries = None if prefix_list.cidrs is None else {"Entries": [{"Cidr": cidr} for cidr in prefix_list.cidrs]}
    return {
        "PrefixListId": prefix_list.id,
        "AddressFamily": {"v4": "IPv4", "v6": "IPv6"}[prefix_list.family],
        "OwnerId": "1111",
        "PrefixListName": prefix_list.id,
        "GetManagedPrefixListEntries": entries,
    }
