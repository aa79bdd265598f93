"""Which conditions of a trust policy an arbitrary external principal can satisfy: one of any other AWS account, or a
user of an identity provider that is open to anybody.

As S3 defines "public" for buckets, only a value that identifies somebody keeps others out: one without wildcards in the
part that identifies. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from analysis.iam.address_blocks import reachable
from analysis.iam.known_conditions import Entry, entries
from analysis.iam.patterns import has_variable, literal_start
from analysis.iam.three_valued import every, some

# Who it is, or from where the request comes: values that the caller can't choose.
_FIXED: Final = frozenset(
    (
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "aws:username",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:vpcsourceip",
    )
)
_ALWAYS_PRESENT: Final = frozenset(("aws:principalaccount", "aws:principalarn", "aws:userid"))
_WIDEST: Final = {4: 8, 6: 32}  # prefix length below which an address range may be anybody's, as S3 defines it
EXTERNAL_ID: Final = "sts:externalid"
# Claims that say what a token is for or how it was issued, but not whose it is.
_NOT_IDENTIFYING: Final = frozenset(
    (
        "app_id",
        "aud",
        "azp",
        "base_ref",
        "environment",
        "event_name",
        "head_ref",
        "iss",
        "oaud",
        "ref",
        "ref_path",
        "ref_protected",
        "ref_type",
        "runner_environment",
        "workflow",
    )
)
COGNITO: Final = "cognito-identity.amazonaws.com"
# `repo:octo-org/`, `system:serviceaccount:namespace:`: the kind of name, then its complete owner.
_OWNER: Final = re.compile(r"(?:system:serviceaccount:|(?!system:)[\w.-]+[:/])[^:/]+[:/]")


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether an arbitrary external principal can make a condition true, and make it false. None: only one that knows a
    secret, or whom somebody outside the graph lets in.
    """

    can_satisfy: bool | None
    can_avoid: bool | None


FREE: Final = Choice(True, True)


def of_condition(condition: str | None, provider: str | None = None) -> Choice:
    """`provider`: the one that issued the principal's token; None: a principal of another AWS account."""
    known = entries(condition) if condition else ()
    if known is None:
        return FREE
    choices = [_of(entry, provider) for entry in known]
    return Choice(every(choice.can_satisfy for choice in choices), some(choice.can_avoid for choice in choices))


def restricting_keys(condition: str | None, provider: str | None = None, *, denies: bool = False) -> list[str]:
    """The keys because of which such a principal can't satisfy the condition or, for a denial, can't avoid it."""
    choices = [(entry.key, _of(entry, provider)) for entry in entries(condition or "[]") or ()]
    return [key for key, choice in choices if (choice.can_avoid if denies else choice.can_satisfy) is not True]


def _of(entry: Entry, provider: str | None) -> Choice:
    quantifier, operator, if_exists = entry.parts
    key, negated, positive = entry.key.lower(), "not" in operator, operator.replace("not", "", 1)
    if key.startswith("aws:principalservicename"):
        return _without_key(entry)
    if operator == "null":
        return FREE
    if key == "aws:principalisawsservice":
        return _is("false" in map(str.lower, entry.values), negated=negated)
    if key == EXTERNAL_ID and not _is_wildcard(entry.values):
        return Choice(True, None) if negated else Choice(None, True)
    may_be_absent = (if_exists or quantifier == "forallvalues") and key not in _ALWAYS_PRESENT
    if key == "aws:sourceip":
        return _matching(any(map(is_wide, entry.values)), negated=negated, absent=may_be_absent)
    if key in _FIXED:
        like = positive.endswith("like") or positive.startswith("arn")
        possible = any(_is_open(key, value, like=like) for value in entry.values)
        return _matching(possible, negated=negated, absent=may_be_absent)
    return _of_claim(entry, provider, absent=may_be_absent) if provider else FREE


def _of_claim(entry: Entry, provider: str, *, absent: bool) -> Choice:
    """For a claim of the token, such as `token.actions.githubusercontent.com:sub`."""
    _, operator, _ = entry.parts
    negated, like = "not" in operator, operator.endswith("like")
    issuer, _, claim = entry.key.lower().rpartition(":")
    if issuer != provider.lower():
        if issuer == "aws" and claim.startswith("requesttag/"):
            return _matching(like and _is_wildcard(entry.values), negated=negated, absent=absent)
        return _without_key(entry) if "." in issuer else FREE  # a claim of another provider's tokens
    if provider == COGNITO and claim == "amr":
        signed_in = not any("unauthenticated".startswith(value.rstrip("*")) for value in entry.values)
        return Choice(True, None) if negated else Choice(None if signed_in else True, True)
    if claim in _NOT_IDENTIFYING:
        return FREE
    possible = like and any(_is_of_anybody(value) for value in entry.values)
    return _matching(possible, negated=negated, absent=absent and claim != "sub")


def _matching(possible: bool, *, negated: bool, absent: bool) -> Choice:
    """`possible`: whether such a principal may have one of the values."""
    return Choice(True, possible) if negated else Choice(possible or absent, True)


def _is(same: bool, *, negated: bool) -> Choice:
    return Choice(same is not negated, same is negated)


def _without_key(entry: Entry) -> Choice:
    quantifier, operator, if_exists = entry.parts
    if operator == "null":
        return _is("true" in map(str.lower, entry.values), negated=False)
    return _is(if_exists or quantifier == "forallvalues" or ("not" in operator and not quantifier), negated=False)


def _is_wildcard(values: Iterable[str]) -> bool:
    return any(value.strip("*") == "" for value in values)


def _is_open(key: str, value: str, *, like: bool) -> bool:
    """Whether a value doesn't identify the owner."""
    parts = value.split(":", 5)
    owner = parts[4] if key.endswith("arn") and len(parts) == 6 else value
    return has_variable(owner) or (like and ("*" in owner or "?" in owner))


def _is_of_anybody(value: str) -> bool:
    """Whether the text before its first wildcard doesn't identify an owner."""
    start = literal_start(value)
    return start != value and _OWNER.match(start) is None


def is_wide(value: str) -> bool:
    """Whether a range of addresses is so wide that anybody may have one of them."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen < _WIDEST[network.version] and reachable([network], network.version) > 0
