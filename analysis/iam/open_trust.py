"""Whether a role can be assumed by arbitrary external principals: of any AWS account, or users of an identity provider.

Some providers have anybody as a user: GitHub, Google, Facebook, Amazon, Cognito. That a token has the right audience
(`aud`) says nothing about its owner. SAML providers are not considered: their users are those of the provider's owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analysis.iam import open_trust_conditions
from analysis.iam.known_conditions import entries
from analysis.iam.open_trust_conditions import COGNITO, EXTERNAL_ID, restricting_keys
from analysis.iam.trust_policy import ANYBODY, PrincipalClause, clauses

_ACTIONS: Final = {"AWS": "sts:AssumeRole", "Federated": "sts:AssumeRoleWithWebIdentity"}
_NAMING: Final = ("aws:principalaccount", "aws:principalarn", "aws:principalorgid")
_OF_SERVICES: Final = ("aws:principalisawsservice", "aws:principalservicename")
_OIDC: Final = ":oidc-provider/"


@dataclass(frozen=True, slots=True)
class OpenTrust:
    """anybody     `*`, or the providers any of whose users may assume the role
    conditions  what they must satisfy, each a JSON text; None: nothing
    others      whom else the policy may let in without naming them: accounts, organizations, or a description
    """

    anybody: tuple[str, ...]
    conditions: tuple[str, ...] | None
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    allows: bool
    external: frozenset[str]  # `*`, or providers
    everyone: bool  # regardless of who it is: `Principal: "*"`, NotPrincipal
    condition: str | None


def open_trust(statements: Sequence[Mapping[str, Any]], language_version: str | None) -> OpenTrust:
    anybody: dict[str, list[str | None]] = {}
    others: list[str] = []
    for kind, action in _ACTIONS.items():
        relevant = [_statement(clause, kind) for clause in clauses(statements, action, language_version)]
        for who in sorted({name for statement in relevant if statement.allows for name in statement.external}):
            provider = None if who == ANYBODY else who
            denied = [statement.condition for statement in relevant if _denies(statement, who)]
            # Whether such a principal can avoid each denial; None: that depends on what isn't known.
            avoided = [open_trust_conditions.of_condition(condition, provider).can_avoid for condition in denied]
            for statement in relevant:
                if not statement.allows or who not in statement.external:
                    continue
                chances = [open_trust_conditions.of_condition(statement.condition, provider).can_satisfy, *avoided]
                if False not in chances and None not in chances:
                    anybody.setdefault(who, []).append(statement.condition)
                elif None not in denied:
                    others += _others(statement.condition, denied, provider)
    conditions = [condition for of_one in anybody.values() for condition in of_one]
    return OpenTrust(
        tuple(sorted(anybody)),
        None if None in conditions or not conditions else tuple(sorted({text for text in conditions if text})),
        tuple(dict.fromkeys(others)),
    )


def _denies(statement: _Statement, who: str) -> bool:
    return not statement.allows and (statement.everyone or who in statement.external)


def _statement(clause: PrincipalClause, kind: str) -> _Statement:
    names = clause.names(kind)
    names_everyone = clause.principal == ANYBODY or ANYBODY in names
    everyone = ANYBODY not in names if clause.negated else names_everyone
    external = {ANYBODY} if kind == "AWS" and everyone else set[str]()
    if kind == "Federated" and not clause.negated:
        external = {name.partition(_OIDC)[2] or name for name in names if _is_provider(name)}
    return _Statement(clause.allows, frozenset(external), everyone, clause.condition)


def _is_provider(name: str) -> bool:
    """An OpenID Connect provider: by its ARN, or one that AWS knows by name."""
    return _OIDC in name or (":" not in name and "." in name)


def _others(condition: str | None, denied: Iterable[str | None], provider: str | None) -> list[str]:
    """Whom else the policy lets in: the accounts and organizations that it names, or else what it requires of them."""
    keys = restricting_keys(condition, provider)
    if provider:
        only_signed_in = provider == COGNITO and all(key.lower().endswith(":amr") for key in keys)
        return [f"whom {COGNITO} signs in"] if only_signed_in else []
    named = list(_named(condition, allows=True)) or [who for text in denied for who in _named(text, allows=False)]
    if named or any(key.lower().startswith(_OF_SERVICES) for key in keys):
        return named
    keys += [key for text in denied for key in restricting_keys(text, denies=True)]
    if all(key.lower() == EXTERNAL_ID for key in keys):
        return ["anybody who knows sts:ExternalId"]
    return [f"anybody, under conditions on {', '.join(dict.fromkeys(keys))}"]


def _named(condition: str | None, *, allows: bool) -> Iterator[str]:
    """The accounts and organizations that a condition requires, or that a denial's condition spares."""
    for entry in entries(condition or "[]") or ():
        _, operator, _ = entry.parts
        if ("not" in operator) is not allows and entry.key.lower() in _NAMING:
            yield from (value.split(":")[4] if value.count(":") >= 5 else value for value in entry.values)
