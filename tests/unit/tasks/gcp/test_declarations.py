"""What becomes of GCP's responses where no path tells: DNS policies, roles named twice, endpoints of clusters."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.gcp import dns, gke_endpoints, iam, storage
from tasks.gcp.compute import firewalls, sources


def source(item: Any, *parents: Any) -> Source:
    return Source(item, Scope(type="gcp.any", tenant="shop"), parents, "", "", {})


# --- DNS


def balancer(address: str) -> dict[str, Any]:
    return {"internalLoadBalancers": [{"ipAddress": address, "port": "443", "project": "shop"}]}


@pytest.mark.parametrize(
    ("policy", "addresses"),
    [
        ({"wrr": {"items": [{"weight": 1.0, "rrdatas": ["a"]}, {"weight": 0.0, "rrdatas": ["b", "a"]}]}}, ["a", "b"]),
        (
            {"geo": {"items": [{"location": "x", "healthCheckedTargets": balancer("c")}, {"rrdatas": ["d"]}]}},
            ["c", "d"],
        ),
        ({"geo": {"items": [{"healthCheckedTargets": {"externalEndpoints": ["e"]}}]}}, ["e"]),
        (
            {"primaryBackup": {"primaryTargets": balancer("f"), "backupGeoTargets": {"items": [{"rrdatas": ["g"]}]}}},
            ["f", "g"],
        ),
        ({"geo": None}, []),
        (None, []),
    ],
)
def test_a_record_has_all_that_its_policy_may_response(policy: Any, addresses: list[str]) -> None:
    record = {"name": "www.example.com.", "type": "A", "routingPolicy": policy}
    assert dns.data(source(record)) == addresses
    assert dns.record_id(source(record, {"id": "7"})) == "www.example.com.|A|7"


# --- IAM


PROJECT = "//cloudresourcemanager.googleapis.com/projects/shop"
OFFICE = "afb83db4"  # of the condition


def test_bindings_of_one_role_and_condition_are_one() -> None:
    office = {"title": "office", "expression": "hour < 18"}
    bindings = [
        {"role": "roles/viewer", "members": ["allUsers"]},
        {"role": "roles/viewer", "members": ["user:ada@example.com", "allUsers"]},
        {"role": "roles/viewer", "members": ["user:alan@example.com"], "condition": office},
        {"role": "roles/viewer", "members": None, "condition": {**office, "title": "the same"}},
        {"role": "roles/owner", "members": ["user:ada@example.com"]},
    ]
    found = [source(binding) for binding in iam.merged(bindings)]
    assert [(iam.binding_id(one), one.item["members"], iam.is_public(one)) for one in found] == [
        (f"{PROJECT}_roles/viewer", ["allUsers", "user:ada@example.com"], True),
        (f"{PROJECT}_roles/viewer_{OFFICE}", ["user:alan@example.com"], False),
        (f"{PROJECT}_roles/owner", ["user:ada@example.com"], False),
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("roles/owner", "BASIC"),
        ("roles/viewer", "BASIC"),
        ("roles/storage.admin", "PREDEFINED"),
        ("projects/shop/roles/deploy", "CUSTOM"),
        ("organizations/1/roles/deploy", "CUSTOM"),
    ],
)
def test_what_kind_of_role_it_is(name: str, kind: str) -> None:
    assert iam.role_type(source({"name": name})) == kind


def test_grants_are_found_by_addresses_in_lower_case() -> None:
    binding = {"role": "roles/owner", "members": ["group:GCP-Admins@example.com", "deleted:user:x@example.com?uid=1"]}
    assert [grant["email"] for grant in iam.grants(source(binding))] == ["gcp-admins@example.com"]
    assert iam.email(source({"email": "Web@Shop.example"})) == "web@shop.example"


# --- clusters


def endpoints(**cluster: Any) -> dict[str, Any]:
    found = source(cluster)
    return {
        "public": gke_endpoints.public(found),
        "limited": bool(gke_endpoints.limited(found)),
        "wide": gke_endpoints.wide(found),
        "cloud": gke_endpoints.google_cloud(found),
        "dns": gke_endpoints.dns_external(found),
        "nodes": bool(gke_endpoints.private_nodes(found)),
    }


def ip(**config: Any) -> dict[str, Any]:
    return {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": config}}


def allowed(*networks: str, **more: Any) -> dict[str, Any]:
    return {"enabled": True, "cidrBlocks": [{"cidrBlock": one} for one in networks], **more}


OPEN = {"public": True, "limited": False, "wide": False, "cloud": False, "dns": False, "nodes": False}


@pytest.mark.parametrize(
    ("cluster", "differs"),
    [
        ({}, {}),
        ({"privateClusterConfig": {"enablePrivateEndpoint": True}}, {"public": False}),
        (ip(enabled=False, enablePublicEndpoint=True), {"public": False}),
        (ip(enabled=True, enablePublicEndpoint=False), {"public": False}),
        (
            {**ip(enablePublicEndpoint=True), "privateClusterConfig": {"enablePrivateEndpoint": True}},
            {},  # the newer field counts
        ),
        ({"masterAuthorizedNetworksConfig": {}}, {}),
        ({"masterAuthorizedNetworksConfig": allowed("198.51.100.0/24")}, {"limited": True}),
        ({"masterAuthorizedNetworksConfig": allowed("198.51.100.0/24", "0.0.0.0/0")}, {"limited": True, "wide": True}),
        (ip(authorizedNetworksConfig=allowed()), {"limited": True}),
        ({**ip(authorizedNetworksConfig={}), "masterAuthorizedNetworksConfig": allowed()}, {}),
        (ip(authorizedNetworksConfig=allowed(gcpPublicCidrsAccessEnabled=True)), {"limited": True, "cloud": True}),
        ({"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}}}, {"dns": True}),
        ({"networkConfig": {"defaultEnablePrivateNodes": True}}, {"nodes": True}),
        ({"privateClusterConfig": {"enablePrivateNodes": True}}, {"nodes": True}),
    ],
)
def test_how_the_master_of_a_cluster_is_reached(cluster: dict[str, Any], differs: dict[str, Any]) -> None:
    assert endpoints(**cluster) == OPEN | differs


# --- buckets


@pytest.mark.parametrize(
    ("items", "public"),
    [
        ([], False),
        ([{"entity": "user-1"}], False),
        ([{"entity": "allUsers"}, None], True),
        ([{"entity": "user-1"}, {"role": "READER"}], None),
        (None, False),
    ],
)
def test_an_entry_that_names_nobody_leaves_it_open_whether_a_bucket_is_public(items: Any, public: bool | None) -> None:
    assert storage.acl_public(source({"bucketAccessControls": {"items": items}})) is public


# --- firewalls


def test_of_a_range_only_what_the_internet_has_counts() -> None:
    def held(*ranges: str, version: int = 4) -> int:
        return sum(after - first for first, after in sources.from_internet(ranges, version))

    assert held("10.0.0.0/8", "224.0.0.0/3", "100.64.0.0/10", "198.51.100.0/24") == 0
    assert held("fc00::/7", "fe80::/10", "ff00::/8", "2001:db8::/32", version=6) == 0
    assert held("10.0.0.0/7") == 2**24, "11.0.0.0/8"
    assert held("8.0.0.0/8", "8.8.0.0/16", "nonsense") == 2**24
    assert 2**31 < held("0.0.0.0/0") < 2**32
    assert held("2600:1900::/28", version=6) == 2**20


def test_a_range_narrower_than_a_number_of_ipv6_denies_nothing() -> None:
    assert sources.denied(["2600:1900:0:1::/64"], 6) == []
    assert sources.from_internet(["2600:1900:0:1::/64"], 6) == [(0x260019000000, 0x260019000001)]


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        ({"IPProtocol": "tcp"}, ["f/allow/0to65535tcp"]),
        ({"IPProtocol": "6"}, ["f/allow/6"]),
        ({"IPProtocol": "tcp", "ports": ["22", "80-90"]}, ["f/allow/22tcp", "f/allow/80to90tcp"]),
        ({"IPProtocol": "tcp", "ports": [None, "80"]}, [None, "f/allow/80tcp"]),
        ({"ports": ["80"]}, [None]),
    ],
)
def test_rules_are_known_by_kind_ports_and_protocol(rule: dict[str, Any], ids: list[str | None]) -> None:
    link = "https://www.googleapis.com/compute/v1/f"
    firewall = {"selfLink": link, "sourceRanges": ["0.0.0.0/0"], "allowed": [rule]}
    assert [one["id"] for one in firewalls.rules("allow")(source(firewall))] == ids
