"""Which conditions somebody can fulfil who is nobody in particular: of any other AWS account, or a user of a provider
of identities that anybody can be.

As S3 has it for buckets, only what names somebody keeps strangers out: a value of which wildcards leave no part open.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
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

# Who it is, or from where: values that a stranger can't choose.
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
_ALWAYS_THERE: Final = frozenset(("aws:principalaccount", "aws:principalarn", "aws:userid"))
_WIDEST: Final = {4: 8, 6: 32}  # bits of an address range that may be anybody's, as S3 has it
EXTERNAL_ID: Final = "sts:externalid"
# Claims of a token that say what it is for, or how it was got, and not whose it is.
_OF_NOBODY: Final = frozenset(
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
# `repo:octo-org/`, `system:serviceaccount:namespace:`: what it is, then whose, to the end.
_WHOSE: Final = re.compile(r"(?:system:serviceaccount:|(?!system:)[\w.-]+[:/])[^:/]+[:/]")


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a stranger can make a condition hold, and make it not hold; None: who knows a secret, or is let in by
    somebody whom the graph doesn't know.
    """

    can_fulfil: bool | None
    can_avoid: bool | None


FREE: Final = Choice(True, True)


def of_condition(condition: str | None, provider: str | None = None) -> Choice:
    """`provider`: whose token the stranger has; None: a stranger of another AWS account."""
    known = entries(condition) if condition else ()
    if known is None:
        return FREE
    choices = [_of(entry, provider) for entry in known]
    return Choice(_all(one.can_fulfil for one in choices), _any(one.can_avoid for one in choices))


def _all(found: Iterable[bool | None]) -> bool | None:
    said = list(found)
    return False if False in said else None if None in said else True


def _any(found: Iterable[bool | None]) -> bool | None:
    said = list(found)
    return True if True in said else None if None in said else False


def keys_that_limit(condition: str | None, provider: str | None = None, *, denies: bool = False) -> list[str]:
    """The keys for which a stranger can't fulfil it; or, of a denial, can't avoid it."""
    found = [(entry.key, _of(entry, provider)) for entry in entries(condition or "[]") or ()]
    return [key for key, choice in found if (choice.can_avoid if denies else choice.can_fulfil) is not True]


def _of(entry: Entry, provider: str | None) -> Choice:
    quantifier, operator, if_exists = entry.parts
    key, negated, plain = entry.key.lower(), "not" in operator, operator.replace("not", "", 1)
    if key.startswith("aws:principalservicename"):
        return _without_key(entry)
    if operator == "null":
        return FREE
    if key == "aws:principalisawsservice":
        return _is("false" in map(str.lower, entry.values), negated=negated)
    if key == EXTERNAL_ID and not _open(entry.values):
        return Choice(True, None) if negated else Choice(None, True)
    may_be_absent = (if_exists or quantifier == "forallvalues") and key not in _ALWAYS_THERE
    if key == "aws:sourceip":
        return _matching(any(map(is_wide, entry.values)), negated=negated, absent=may_be_absent)
    if key in _FIXED:
        like = plain.endswith("like") or plain.startswith("arn")
        reach = any(_reaches(key, value, like=like) for value in entry.values)
        return _matching(reach, negated=negated, absent=may_be_absent)
    return _of_claim(entry, provider, absent=may_be_absent) if provider else FREE


def _of_claim(entry: Entry, provider: str, *, absent: bool) -> Choice:
    """Of a key of the token, as `token.actions.githubusercontent.com:sub`."""
    _, operator, _ = entry.parts
    negated, like = "not" in operator, operator.endswith("like")
    issuer, _, claim = entry.key.lower().rpartition(":")
    if issuer != provider.lower():
        if issuer == "aws" and claim.startswith("requesttag/"):
            return _matching(like and _open(entry.values), negated=negated, absent=absent)
        return _without_key(entry) if "." in issuer else FREE  # of a token of another provider
    if provider == COGNITO and claim == "amr":
        signed_in = not any("unauthenticated".startswith(value.rstrip("*")) for value in entry.values)
        return Choice(True, None) if negated else Choice(None if signed_in else True, True)
    if claim in _OF_NOBODY:
        return FREE
    reach = like and any(_is_of_anybody(value) for value in entry.values)
    return _matching(reach, negated=negated, absent=absent and claim != "sub")


def _matching(reach: bool, *, negated: bool, absent: bool) -> Choice:
    """`reach`: whether some value is one that a stranger may have."""
    return Choice(True, reach) if negated else Choice(reach or absent, True)


def _is(same: bool, *, negated: bool) -> Choice:
    return Choice(same is not negated, same is negated)


def _without_key(entry: Entry) -> Choice:
    quantifier, operator, if_exists = entry.parts
    if operator == "null":
        return _is("true" in map(str.lower, entry.values), negated=False)
    return _is(if_exists or quantifier == "forallvalues" or ("not" in operator and not quantifier), negated=False)


def _open(values: Iterable[str]) -> bool:
    return any(value.strip("*") == "" for value in values)


def _reaches(key: str, value: str, *, like: bool) -> bool:
    """Whether a value leaves open who it is."""
    parts = value.split(":", 5)
    whose = parts[4] if key.endswith("arn") and len(parts) == 6 else value
    return has_variable(whose) or (like and ("*" in whose or "?" in whose))


def _is_of_anybody(value: str) -> bool:
    """Whether what stands before its first wildcard doesn't say whose it is."""
    start = literal_start(value)
    return start != value and _WHOSE.match(start) is None


def is_wide(value: str) -> bool:
    """Whether a range of addresses is as good as all of them."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen < _WIDEST[network.version] and reachable([network], network.version) > 0
