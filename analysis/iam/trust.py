"""Trust policies: how a role's policy names the principals that may assume it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from analysis.iam.known_conditions import decide, depends
from analysis.iam.policy_evaluation import (
    ALWAYS,
    Condition,
    Conditions,
    all_of,
    also,
    as_of_2008,
    either,
    only_if,
    patterns,
)
from analysis.iam.principals import Principal, account_of
from analysis.iam.request_context import Context
from analysis.iam.variables import are_known_to

ACTION: Final = "sts:AssumeRole"
ANYBODY: Final = "*"


@dataclass(frozen=True, slots=True)
class TrustStatement:
    """A statement of a trust policy about assuming the role. `but`: whom it doesn't mean (NotPrincipal)."""

    allows: bool
    names: frozenset[str]
    but: bool
    condition: Condition | None

    @property
    def sessions(self) -> list[str]:
        return sorted(name for name in self.names if ":assumed-role/" in name)

    @property
    def depends(self) -> bool:
        """Whether its condition may be decided by who asks."""
        condition = self.condition
        return condition is not None and (depends(condition) or depends(condition, on_resource=True))


@dataclass(frozen=True, slots=True)
class Role:
    """A role that may be assumed, by those whom its trust policy names. `organization`: as far as it is known."""

    arn: str
    trust: tuple[TrustStatement, ...]
    organization: str | None = None

    @classmethod
    def of(
        cls, arn: str, trust_policy: str, language_version: str | None = None, organization: str | None = None
    ) -> Role:
        """`trust_policy`: as AWSRole has it, JSON text of a list of statements."""
        statements = _trust_statements(json.loads(trust_policy), language_version)
        return cls(arn, tuple(statements), organization)

    @property
    def account(self) -> str:
        return account_of(self.arn)

    @property
    def depends(self) -> bool:
        """Whether principals of one account may be told apart by more than their names."""
        return any(statement.depends or (statement.but and not statement.allows) for statement in self.trust)


def _trust_statements(
    statements: Iterable[Mapping[str, Any]], language_version: str | None
) -> Iterator[TrustStatement]:
    for statement in statements:
        if not all_of(patterns(_listed(statement, "Action"), _listed(statement, "NotAction")), ACTION):
            continue
        but = "NotPrincipal" in statement
        named = statement.get("NotPrincipal" if but else "Principal")
        names = _listed(named if isinstance(named, Mapping) else {"AWS": named}, "AWS")
        condition = json.dumps([statement["Condition"]]) if statement.get("Condition") else None
        if condition and not are_known_to(language_version):
            condition = as_of_2008(condition)
        yield TrustStatement(statement.get("Effect") == "Allow", frozenset(names or ()), but, condition)


def _listed(statement: Mapping[str, Any], element: str) -> list[str] | None:
    """An element that may be one value or a list; None where it is absent."""
    value = statement.get(element)
    return value if value is None or isinstance(value, list) else [value]


class How(Enum):
    """How a trust policy names a principal. It decides which other policies have a say."""

    ANYBODY = "as anybody, or as one of its sessions"
    ITSELF = "by its ARN"
    ACCOUNT = "by its account"


def _named(statement: TrustStatement, principal: Principal) -> tuple[How | None, Conditions]:
    """How a statement names a principal, in the way that gives it most; None where it doesn't."""
    conditions = only_if(statement.condition)
    itself = principal.arn in statement.names
    account = not statement.names.isdisjoint((principal.account, principal.root))
    if statement.but:
        # A denial must name an account beside whom it excepts in it, or would deny them, too: that excepts nobody else.
        others = any(name.split(":")[4:5] == [principal.account] and name != principal.root for name in statement.names)
        excepted = itself or (account and (statement.allows or not others))
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        if principal.boundary is not None and not statement.allows:
            excepted = False  # AWS denies it always, whomever the statement excepts
        return None if excepted else How.ANYBODY, conditions
    if ANYBODY in statement.names:
        return How.ANYBODY, conditions
    if itself:
        return How.ITSELF, conditions
    if account:
        return How.ACCOUNT, conditions
    sessions = [name for name in statement.sessions if _without_name(name) == principal.session]
    return (How.ANYBODY, only_if(also(statement.condition, {"Principal": sessions}))) if sessions else (None, ALWAYS)


def _names(statement: TrustStatement) -> Iterator[str]:
    """Whom it names, also by a session; and anybody, where it means all but some."""
    yield from statement.names
    yield from map(_without_name, statement.sessions)
    if statement.but:
        yield ANYBODY


def _without_name(session: str) -> str:
    return session.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Trust:
    """What a role's trust policy says of a principal, by how it names it."""

    by: Mapping[How, Conditions | None]
    denied: Conditions | None


class Trusts:
    """The trust policies of many roles. What one says of all principals of an account is found out once."""

    def __init__(self, roles: Iterable[Role]) -> None:
        self._roles = {role.arn: role for role in roles}
        self._depending = {role.arn for role in self._roles.values() if role.depends}
        self._naming: dict[str, set[str]] = {}
        self._of_account: dict[tuple[str, str], Trust] = {}
        for role in self._roles.values():
            for name in itertools.chain.from_iterable(map(_names, role.trust)):
                self._naming.setdefault(name, set()).add(role.arn)

    def naming(self, principal: Principal) -> set[str]:
        """The roles that name it, or anybody: only these may be assumed without a policy of its own."""
        return self._of(ANYBODY) | self._of(principal.arn) | self._of(principal.session)

    def of(self, role: str, principal: Principal) -> Trust:
        if role in self._depending or role in self._of(principal.arn) or role in self._of(principal.session):
            return _trust(self._roles[role], principal)
        key = role, principal.root
        if key not in self._of_account:
            self._of_account[key] = _trust(self._roles[role], principal)
        return self._of_account[key]

    def _of(self, name: str) -> set[str]:
        return self._naming.get(name, set())


def _trust(role: Role, principal: Principal) -> Trust:
    by: dict[How, Conditions | None] = {}
    denied: Conditions | None = None
    context = principal.context(role.account, role.organization) if any(one.depends for one in role.trust) else None
    for said in role.trust:
        statement = said if context is None else _decided(said, context)
        if statement is None:
            continue
        how, conditions = _named(statement, principal)
        if how is not None and statement.allows:
            by[how] = either(by.get(how), conditions)
        elif how is not None:
            denied = either(denied, conditions)
    return Trust(by, denied)


def _decided(statement: TrustStatement, context: Context) -> TrustStatement | None:
    """With what of its condition isn't decided; None where it doesn't hold."""
    if not statement.depends or statement.condition is None:
        return statement
    condition = decide(statement.condition, context)
    return None if condition is False else replace(statement, condition=None if condition is True else condition)
