"""Whom a role lets in whoever they are: principals of any AWS account, or users of a provider of identities.

Such a provider may be anybody's: GitHub, Google, Facebook, Amazon, Cognito. That a token was made for the right
audience (`aud`) says nothing of whose it is. Users of a SAML provider are those of its owner, and not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analysis.iam import stranger
from analysis.iam.known_conditions import entries
from analysis.iam.policy_evaluation import all_of, as_of_2008, patterns
from analysis.iam.stranger import COGNITO, EXTERNAL_ID, keys_that_limit
from analysis.iam.variables import are_known_to

ANYBODY: Final = "*"
_ACTIONS: Final = {"AWS": "sts:AssumeRole", "Federated": "sts:AssumeRoleWithWebIdentity"}
_NAMING: Final = ("aws:principalaccount", "aws:principalarn", "aws:principalorgid")
_OF_SERVICES: Final = ("aws:principalisawsservice", "aws:principalservicename")
_OIDC: Final = ":oidc-provider/"


@dataclass(frozen=True, slots=True)
class OpenTrust:
    """anybody     `*`, or the providers any of whose users may assume the role
    conditions  what those have to see to, each a JSON text; None: nothing
    others      who else may be let in whom the policy doesn't name: accounts, organizations, or in words
    """

    anybody: tuple[str, ...]
    conditions: tuple[str, ...] | None
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    allows: bool
    strangers: frozenset[str]  # `*`, or providers
    all_of_them: bool  # whoever it is, as `Principal: "*"` and NotPrincipal have it
    condition: str | None


def open_trust(statements: Sequence[Mapping[str, Any]], language_version: str | None) -> OpenTrust:
    anybody: dict[str, list[str | None]] = {}
    others: list[str] = []
    for kind in _ACTIONS:
        found = list(_statements(statements, kind, language_version))
        for who in sorted({one for statement in found if statement.allows for one in statement.strangers}):
            provider = None if who == ANYBODY else who
            # What a stranger can make of all denials; None: that depends on what isn't known.
            denied = [one.condition for one in found if _denies(one, who)]
            denials = [stranger.of_condition(condition, provider).can_avoid for condition in denied]
            for statement in found:
                if not statement.allows or who not in statement.strangers:
                    continue
                chances = [stranger.of_condition(statement.condition, provider).can_fulfil, *denials]
                if False not in chances and None not in chances:
                    anybody.setdefault(who, []).append(statement.condition)
                elif None not in denied:
                    others += _others(statement.condition, denied, provider)
    conditions = [condition for some in anybody.values() for condition in some]
    return OpenTrust(
        tuple(sorted(anybody)),
        None if None in conditions or not conditions else tuple(sorted({text for text in conditions if text})),
        tuple(dict.fromkeys(others)),
    )


def _denies(statement: _Statement, who: str) -> bool:
    return not statement.allows and (statement.all_of_them or who in statement.strangers)


def _statements(
    statements: Iterable[Mapping[str, Any]], kind: str, language_version: str | None
) -> Iterator[_Statement]:
    for statement in statements:
        if not all_of(patterns(_listed(statement, "Action"), _listed(statement, "NotAction")), _ACTIONS[kind]):
            continue
        but = "NotPrincipal" in statement
        named = statement.get("NotPrincipal" if but else "Principal")
        names = set(_listed(named if isinstance(named, Mapping) else {kind: named}, kind) or ())
        whole = (but and ANYBODY not in names) or (not but and (named == ANYBODY or ANYBODY in names))
        condition = json.dumps([statement["Condition"]]) if statement.get("Condition") else None
        if condition and not are_known_to(language_version):
            condition = as_of_2008(condition)
        who = {ANYBODY} if kind == "AWS" and whole else set()
        if kind == "Federated" and not but:
            who = {name.partition(_OIDC)[2] or name for name in names if _is_provider(name)}
        yield _Statement(statement.get("Effect") == "Allow", frozenset(who), whole, condition)


def _listed(statement: Mapping[str, Any], element: str) -> list[str] | None:
    value = statement.get(element)
    return value if value is None or isinstance(value, list) else [value]


def _is_provider(name: str) -> bool:
    """Of OpenID Connect: by its ARN, or one that AWS knows by its name."""
    return _OIDC in name or (":" not in name and "." in name)


def _others(condition: str | None, denied: Iterable[str | None], provider: str | None) -> list[str]:
    """Whom it lets in that isn't a stranger: accounts and organizations that it names; else what it asks for."""
    limits = keys_that_limit(condition, provider)
    if provider:
        only_signed_in = provider == COGNITO and all(key.lower().endswith(":amr") for key in limits)
        return [f"whom {COGNITO} signs in"] if only_signed_in else []
    named = list(_named(condition, allows=True)) or [who for text in denied for who in _named(text, allows=False)]
    if named or any(key.lower().startswith(_OF_SERVICES) for key in limits):
        return named
    limits += [key for text in denied for key in keys_that_limit(text, denies=True)]
    if all(key.lower() == EXTERNAL_ID for key in limits):
        return ["anybody who knows sts:ExternalId"]
    return [f"anybody, under conditions on {', '.join(dict.fromkeys(limits))}"]


def _named(condition: str | None, *, allows: bool) -> Iterator[str]:
    """Accounts and organizations of which those must be whom a condition lets in, or a denial spares."""
    for entry in entries(condition or "[]") or ():
        _, operator, _ = entry.parts
        if ("not" in operator) is not allows and entry.key.lower() in _NAMING:
            yield from (value.split(":")[4] if value.count(":") >= 5 else value for value in entry.values)
