"""The table of condition keys of external principals, and the texts and addresses that a policy is tried with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.iam.address_space import anywhere, networks, on_the_internet
from analysis.iam.condition_operators import arn_like, entry, like
from analysis.iam.example_texts import FRESH, common, examples
from analysis.iam.external_principals import KINDS, PLACES, ExternalPrincipal, accounts, is_judged, of, table, values
from analysis.iam.patterns import overlaps

WORDS = ("never", "chosen", "address", "any_address", "now", "ours")
ROLE = ExternalPrincipal("role", "internet", "900000000001", ours="111122223333")


def test_the_table_is_complete() -> None:
    for key, row in table().items():
        assert key == key.lower()
        assert set(row) <= {*KINDS, *PLACES, "signed", "any", "count"}, key
        assert row.get("count", "many") == "many", key
        for rule in (rule for name, rule in row.items() if name != "count"):
            forms = rule if isinstance(rule, dict) else {}
            assert rule in WORDS or {"own", "given"} & forms.keys(), key
            assert forms.keys() <= {"own", "given", "optional", "until", "least"}, key


@pytest.mark.parametrize(
    "key",
    [
        *("aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn", "aws:VpceAccount"),
        *("aws:VpceOrgID", "aws:VpceOrgPaths", "aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID"),
        *(
            "aws:SourceOrgPaths",
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:PrincipalAccount",
            "aws:PrincipalArn",
        ),
        *("aws:PrincipalType", "aws:PrincipalTag/a/b", "aws:PrincipalIsAWSService", "aws:PrincipalServiceName"),
        *("aws:PrincipalServiceNamesList", "aws:userid", "aws:username", "aws:SecureTransport", "aws:Referer"),
        *("aws:UserAgent", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:RequestedRegion"),
        *("aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceTag/x", "aws:ViaAWSService", "aws:CalledVia"),
        *("s3:DataAccessPointAccount", "s3:DataAccessPointArn", "s3:x-amz-acl", "s3:prefix", "s3:authType"),
        *("kms:CallerAccount", "kms:ViaService", "kms:EncryptionContext:App", "lambda:FunctionUrlAuthType"),
    ],
)
def test_what_policies_ask_for_is_judged(key: str) -> None:
    assert is_judged(key.lower())


def test_who_has_what() -> None:
    anonymous = ExternalPrincipal("anonymous", "endpoint", "900000000001")
    assert of(ROLE, "aws:sourcevpce") == of(anonymous, "aws:principalarn") == of(anonymous, "aws:sourceip") == "never"
    assert of(ROLE, "aws:sourceip") == "address"
    assert of(ROLE, "aws:username") == "never"
    assert not is_judged("aws:keyoftomorrow")


def test_an_external_principal_can_get_names_that_are_not_taken() -> None:
    key = "aws:principalarn"
    found = values(ROLE, key, [entry("StringLike", key, ["arn:aws:iam::*:role/reader", "arn:aws:iam::1:*"])])
    assert ("arn:aws:iam::900000000001:role/reader",) in [
        one and (one[0].replace(FRESH, "aws") if one[0].startswith(f"arn:{FRESH}") else one[0],) for one in found
    ]
    assert all(":900000000001:role/" in text for (text,) in filter(None, found))
    assert values(ROLE, "aws:principalorgid", [entry("StringEquals", "k", "o-ours")]) == [None, (f"o-{FRESH}",)]


def test_the_accounts_of_external_principals() -> None:
    key = "aws:principalaccount"
    assert accounts([entry("StringEquals", key, "900000000001")], "111122223333") == ["900000000002"]
    some = accounts([entry("StringLike", key, ["1*", "11112222333?", "12"])], "111122223333")
    assert {text[0] for text in some} == {"9", "1"}
    assert "111122223333" not in some
    assert all(len(text) == 12 for text in some)


@pytest.mark.parametrize(
    ("ranges", "anybodys"),
    [
        (["0.0.0.0/0"], True),
        (["::/0"], True),
        (["12.0.0.0/7"], True),
        (["12.0.0.0/8"], False),
        (["10.0.0.0/7"], False),  # half of it is private
        (["192.0.0.0/7"], True),  # but for some of it
        (["12.0.0.0/8", "13.0.0.0/8"], True),
        (["2600::/31"], True),
        (["2600::/32"], False),
        (["fc00::/7", "fe80::/10", "ff00::/8", "240.0.0.0/4", "224.0.0.0/4"], False),
        (["nonsense"], False),
    ],
)
def test_ranges_that_anybody_has_an_address_of(ranges: list[str], anybodys: bool) -> None:
    asked = entry("IpAddress", "aws:sourceip", ranges)
    there = on_the_internet([networks(ranges)])
    assert any(asked.holds((address,)) is True for address in there) is anybodys
    assert len(there) - anybodys <= 2, "and one outside of each family"


def test_a_network_of_ones_own_has_any_address() -> None:
    assert {address for address in anywhere([networks(["10.0.0.0/8"])]) if address.startswith("10.")} == {"10.0.0.0"}


PATTERNS = st.text("ab:*?", max_size=6)


@given(PATTERNS, PATTERNS)
def test_a_text_in_common_is_found_where_there_is_one(one: str, other: str) -> None:
    text = common(one, other)
    assert (text is not None) is overlaps(one, other)
    assert text is None or (like(text, one) and like(text, other))
    assert all(like(example, one) for example in examples(one))


@given(st.lists(st.text("ab*", max_size=2), min_size=6, max_size=6), PATTERNS)
def test_a_star_of_an_arn_reaches_over_no_colon(parts: list[str], other: str) -> None:
    pattern = ":".join(parts)
    text = common(other, pattern, arns=(False, True))
    assert text is None or (arn_like(text, pattern) and like(text, other))
