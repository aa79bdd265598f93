"""Which ranges limit nobody: of a range counts what IANA says is reached over the internet."""

import ipaddress
import json

import pytest

from analysis.iam import address_blocks, renew_address_blocks
from analysis.iam.address_blocks import FILE
from tasks.ip_range import are_wide, is_reachable, is_wide


@pytest.mark.parametrize(
    "range",
    [
        "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "::/1", "2000::/3", "2000::/4", "8.0.0.0/7", "64.0.0.0/2",
        "192.0.0.0/3", "2a00::/12", "100.0.0.0/7",
    ],
)  # fmt: skip
def test_much_of_the_internet_limits_nobody(range: str) -> None:
    assert is_wide(range)


@pytest.mark.parametrize(
    "range",
    [
        "fc00::/7", "fd00::/8", "fe80::/10", "ff00::/8", "8000::/1", "4000::/2", "2002::/16", "::/3",
        "224.0.0.0/4", "240.0.0.0/4", "224.0.0.0/3", "10.0.0.0/8", "0.0.0.0/8", "127.0.0.0/8",
    ],
)  # fmt: skip
def test_private_multicast_and_reserved_ranges_are_not_the_internet(range: str) -> None:
    assert not is_wide(range)


@pytest.mark.parametrize("range", ["8.0.0.0/8", "10.0.0.0/7", "126.0.0.0/7", "2600::/16", "203.0.113.0/24"])
def test_what_somebody_may_own_is_not_the_internet(range: str) -> None:
    """Of 10.0.0.0/7 and 126.0.0.0/7 one /8 is reached over it."""
    assert not is_wide(range)


@pytest.mark.parametrize("range", ["", "pl-1", "0.0.0.0/33", "anybody", "10.0.0.0/8/8"])
def test_what_is_no_range_is_not_wide(range: str) -> None:
    assert not is_wide(range)
    assert not is_reachable(range)


def test_narrow_ranges_are_wide_together() -> None:
    eights = [f"{first}.0.0.0/8" for first in (3, 4)]
    assert not any(map(is_wide, eights))
    assert are_wide(eights)
    assert not are_wide(["3.0.0.0/8", "3.0.0.0/9", "10.0.0.0/8", "224.0.0.0/4", "fc00::/7"]), "one /8 is reached"


@pytest.mark.parametrize(
    ("range", "reached"),
    [
        ("8.8.8.8/32", True), ("10.0.0.0/7", True), ("192.0.0.0/24", True), ("0.0.0.0/0", True), ("2a00::/16", True),
        ("10.1.0.0/16", False), ("192.168.0.0/16", False), ("100.64.0.0/10", False), ("169.254.0.0/16", False),
        ("fd00:ec2:80::/64", False), ("3fff::/20", False), ("5f00::/16", False),
    ],
)  # fmt: skip
def test_whether_a_range_is_reached_at_all(range: str, reached: bool) -> None:
    """192.0.0.0/24 isn't, but for two addresses in it: the narrower block's word counts."""
    assert is_reachable(range) is reached


@pytest.mark.parametrize("version", [4, 6])
def test_every_block_of_the_registries_is_used(version: int) -> None:
    """The first and the last address of each are as the narrowest block around them says."""
    blocks = [
        (ipaddress.ip_network(block), reached)
        for block, reached, _ in json.loads(FILE.read_text(encoding="utf-8"))[f"ipv{version}"]
    ]
    for network, _ in blocks:
        for address in (network[0], network[-1]):
            around = [(other.prefixlen, reached) for other, reached in blocks if address in other]
            one = ipaddress.ip_network(address)
            assert address_blocks.reachable([one], version) == max(around)[1], address


def test_no_two_blocks_are_the_same() -> None:
    document = json.loads(FILE.read_text(encoding="utf-8"))
    blocks = [block for version in ("ipv4", "ipv6") for block, *_ in document[version]]
    assert len(blocks) == len(set(blocks))
    assert document["retrieved"] >= "2026-07-18"


REGISTRIES = {
    renew_address_blocks.SPACE_V4: (
        "Prefix,Designation,Date,WHOIS,RDAP,Status [1],Note\n"
        "003/8,Administered by ARIN,1994-05,whois.arin.net,,LEGACY,\n"
        "224/8,Multicast,1981-09,,,RESERVED,[11]\n"
        "225/8,Multicast,1981-09,,,RESERVED,[11]\n"
    ),
    renew_address_blocks.SPACE_V6: (
        "IPv6 Prefix,Allocation,Reference,Notes\n"
        "0000::/8,Reserved by IETF,[RFC3513],[1]\n"
        "2000::/3,Global Unicast,[RFC3513],a list of them is elsewhere\n"
    ),
    renew_address_blocks.SPECIAL_V4: (
        "Address Block,Name,RFC,Allocation Date,Termination Date,Source,Destination,Forwardable,Globally Reachable,R\n"
        "192.0.0.0/24 [2],IETF Protocol Assignments,x,2010-01,N/A,False,False,False,False [1],False\n"
        '"192.0.0.170/32, 192.0.0.171/32",NAT64/DNS64 Discovery,x,2013-02,N/A,False,False,False,False,True\n'
    ),
    renew_address_blocks.SPECIAL_V6: (
        "Address Block,Name,RFC,Allocation Date,Termination Date,Source,Destination,Forwardable,Globally Reachable,R\n"
        '2001:20::/28,ORCHIDv2,"[RFC7343]\n   [RFC1]",2014-07,N/A,True,True,True,True,False\n'
        "2001:10::/28,Deprecated (previously ORCHID),x,2004-03,2014-03,,,,,\n"
    ),
}


def test_the_file_is_made_of_the_registries() -> None:
    made = renew_address_blocks.document(REGISTRIES, "2030-01-01")
    assert made["ipv4"] == [
        ("0.0.0.0/0", True, "IPv4"),
        ("224.0.0.0/7", False, "Multicast"),
        ("192.0.0.0/24", False, "IETF Protocol Assignments"),
        ("192.0.0.170/32", False, "NAT64/DNS64 Discovery"),
        ("192.0.0.171/32", False, "NAT64/DNS64 Discovery"),
    ]
    assert made["ipv6"] == [
        ("::/0", False, "Reserved by IETF"),
        ("2000::/3", True, "Global Unicast"),
        ("2001:20::/28", True, "ORCHIDv2"),
        ("2001:10::/28", False, "Deprecated (previously ORCHID)"),
    ]
    assert json.loads(renew_address_blocks.text_of(made)) == json.loads(json.dumps(made))


@pytest.mark.parametrize("source", [renew_address_blocks.SPACE_V4, renew_address_blocks.SPACE_V6])
def test_a_registry_in_another_form_makes_no_file(source: str) -> None:
    header = REGISTRIES[source].splitlines()[0]
    with pytest.raises(ValueError, match="its format has changed"):
        renew_address_blocks.document({**REGISTRIES, source: header}, "2030-01-01")
