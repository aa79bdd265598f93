"""AWS's evaluation of a resource's policy for every request that external principals can make in a small world.

Written apart from `analysis`, and with nothing of it: each request has its values, each condition is asked of them.
The policies are drawn from words that such requests tell apart.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from hypothesis import strategies as st

Request = dict[str, Any]

ACTIONS = ("s3:GetObject", "s3:PutObject")
OBJECTS = ("arn:aws:s3:::b/a", "arn:aws:s3:::b/z", "arn:aws:s3:::b/public/a")
THEIRS = "900000000001"

# Of each key: the words of policies, and what external principals have.
_WORDS = {
    "aws:SourceIp": ["198.51.100.0/24", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0", "::/0", "10.0.0.0/8", "2600::/20"],
    "aws:SourceVpce": ["vpce-ours", "vpce-*", "*"],
    "aws:PrincipalOrgID": ["o-ours", "o-*"],
    "aws:PrincipalArn": [
        *("arn:aws:iam::111122223333:role/*", "arn:aws:iam::*:role/reader", "*", "arn:aws:iam::1*:user/x"),
        *("arn:*:iam::*:role/r*", "arn:aws:iam::*:*er"),
    ],
    "aws:Referer": ["https://a*", "https://*", "x", "*", "y?"],
    "aws:PrincipalTag/team": ["x", "y?", "*"],
}
_OPERATORS = {
    "aws:SourceIp": ["IpAddress", "NotIpAddress"],
    "aws:PrincipalArn": ["ArnLike", "ArnNotEquals", "StringLike", "StringNotLike", "StringEquals"],
}
_STRINGS = ["StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "ForAnyValue:StringLike"]
_TEXTS = (None, "https://a", "https://b", "x", "y1", "z", "https://a*", "https://*", "*", "y?")


def requests() -> Iterator[Request]:
    anonymous: list[Request] = [{}]
    arns = [f"arn:aws:iam::{THEIRS}:role/reader", f"arn:aws:iam::{THEIRS}:user/x", "arn:aws:iam::199999999999:user/x"]
    foreign: list[Request] = [
        {"aws:PrincipalArn": arn, "aws:PrincipalOrgID": org, "aws:PrincipalTag/team": tag}
        for arn, org, tag in product(arns, (None, "o-theirs"), (None, "x", "y1", "z", "y?", "*"))
    ]
    addresses = ["9.9.9.9", "150.1.1.1", "2600:1::1", "2a00::1"]
    places = [*({"aws:SourceIp": address} for address in addresses), {"aws:SourceVpce": "vpce-theirs"}]
    for who, where, referer, secure in product(anonymous + foreign, places, _TEXTS, ("true", "false")):
        yield who | where | {"aws:Referer": referer, "aws:SecureTransport": secure}


REQUESTS = list(requests())


def open_actions(policy: dict[str, Any]) -> set[str]:
    """The actions that some request is allowed, and no Deny forbids."""
    asked = {key for one in policy["Statement"] for keys in one.get("Condition", {}).values() for key in keys}
    unlike = {tuple((key, request.get(key)) for key in sorted(asked)) for request in REQUESTS}
    return {
        action
        for action in ACTIONS
        if any(_is_allowed(policy, dict(request), action, thing) for request in unlike for thing in OBJECTS)
    }


def _is_allowed(policy: dict[str, Any], request: Request, action: str, thing: str) -> bool:
    effects = {one["Effect"] for one in policy["Statement"] if _applies(one, request, action, thing)}
    return effects == {"Allow"}


def _applies(statement: dict[str, Any], request: Request, action: str, thing: str) -> bool:
    # NotPrincipal excepts somebody of ours.
    principal = "NotPrincipal" in statement or statement["Principal"] == "*"
    if "NotAction" in statement:
        about = not any(fnmatchcase(action.lower(), word.lower()) for word in statement["NotAction"])
    else:
        about = any(fnmatchcase(action.lower(), word.lower()) for word in statement["Action"])
    if "NotResource" in statement:
        there = not any(fnmatchcase(thing, word) for word in statement["NotResource"])
    else:
        there = any(fnmatchcase(thing, word) for word in statement["Resource"])
    conditions = [
        _holds(operator, request.get(key), values)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    ]
    return principal and about and there and all(conditions)


def _holds(operator: str, found: str | None, values: list[str]) -> bool:
    plain = operator.removesuffix("IfExists")
    if plain == "Null":
        return (found is None) == (values == ["true"])
    if found is None:
        return operator.endswith("IfExists") or ("Not" in plain and not plain.startswith("ForAny"))
    matches = any(_matches(plain.rpartition(":")[2], found, value) for value in values)
    return not matches if "Not" in plain else matches


def _matches(operator: str, found: str, value: str) -> bool:
    if operator.endswith("IpAddress"):
        return ipaddress.ip_address(found) in ipaddress.ip_network(value)
    if operator.startswith("Arn"):
        parts, words = found.split(":", 5), value.split(":", 5)
        return value == "*" or (len(parts) == len(words) and all(map(fnmatchcase, parts, words)))
    if operator in ("StringLike", "StringNotLike"):
        return fnmatchcase(found, value)
    return found == value


# --- policies ---


def _condition() -> st.SearchStrategy[dict[str, Any]]:
    def of(key: str) -> st.SearchStrategy[tuple[str, str, list[str]]]:
        plain = st.sampled_from(_OPERATORS.get(key, _STRINGS))
        operator = st.one_of(plain, plain.map(lambda name: f"{name}IfExists"))
        values = st.lists(st.sampled_from(_WORDS[key]), min_size=1, max_size=2)
        asked = st.tuples(operator, st.just(key), values)
        return st.one_of(asked, asked, st.tuples(st.just("Null"), st.just(key), st.sampled_from([["true"], ["false"]])))

    secure = st.tuples(st.just("Bool"), st.just("aws:SecureTransport"), st.sampled_from([["true"], ["false"]]))
    one = st.one_of(secure, st.sampled_from(sorted(_WORDS)).flatmap(of))

    def together(entries: list[tuple[str, str, list[str]]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for operator, key, values in entries:
            found.setdefault(operator, {})[key] = values
        return found

    return st.lists(one, max_size=3).map(together)


def _statement(effect: str) -> st.SearchStrategy[dict[str, Any]]:
    words = st.lists(st.sampled_from(["s3:GetObject", "S3:Put*", "s3:*", "*", "s3:?utObject"]), min_size=1, max_size=2)
    things = st.lists(
        st.sampled_from(["arn:aws:s3:::b/*", "arn:aws:s3:::b/public/*", "*", "arn:aws:s3:::b/a"]),
        min_size=1,
        max_size=2,
    )
    ours = {"AWS": "arn:aws:iam::111122223333:root"}
    who = st.sampled_from([{"Principal": "*"}] * 4 + [{"NotPrincipal": ours}, {"Principal": ours}])

    def made(parts: tuple[Any, ...]) -> dict[str, Any]:
        principal, action, but, thing, but_thing, condition = parts
        return {
            "Effect": effect,
            **principal,
            "NotAction" if but else "Action": action,
            "NotResource" if but_thing else "Resource": thing,
            "Condition": condition,
        }

    seldom = st.sampled_from([False, False, False, True])
    return st.tuples(who, words, seldom, things, seldom, _condition()).map(made)


POLICIES = st.tuples(
    st.lists(_statement("Allow"), min_size=1, max_size=2), st.lists(_statement("Deny"), max_size=2)
).map(lambda both: {"Version": "2012-10-17", "Statement": [*both[0], *both[1]]})
