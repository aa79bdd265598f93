"""Whom the trust policies of roles let assume them: how each policy names a principal, and under which conditions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from analysis.iam.arn import account_of
from analysis.iam.known_conditions import decide, depends
from analysis.iam.policy_evaluation import ALWAYS, Condition, Conditions, any_of, conditional, with_elements
from analysis.iam.principals import Principal
from analysis.iam.request_context import Context
from analysis.iam.trust_policy import ANYBODY, clauses

ACTION: Final = "sts:AssumeRole"


@dataclass(frozen=True, slots=True)
class TrustStatement:
    """A statement of a trust policy about assuming the role. `negated`: it names whom it excludes (NotPrincipal).

    `name`: its Sid, or its number from 1.
    """

    allows: bool
    names: frozenset[str]
    negated: bool
    condition: Condition | None
    name: str = field(default="", compare=False)

    @property
    def sessions(self) -> list[str]:
        return sorted(name for name in self.names if ":assumed-role/" in name)

    @property
    def depends(self) -> bool:
        """Whether its condition may be decided by what is known of the principal."""
        condition = self.condition
        return condition is not None and (depends(condition) or depends(condition, on_resource=True))


@dataclass(frozen=True, slots=True)
class Role:
    """A role and whom its trust policy names. `organization`: of its account; None if it isn't known."""

    arn: str
    trust: tuple[TrustStatement, ...]
    organization: str | None = None

    @classmethod
    def of(
        cls, arn: str, trust_policy: str, language_version: str | None = None, organization: str | None = None
    ) -> Role:
        """`trust_policy`: as AWSRole has it, JSON text of a list of statements."""
        statements = (
            TrustStatement(clause.allows, clause.names("AWS"), clause.negated, clause.condition, clause.name)
            for clause in clauses(json.loads(trust_policy), ACTION, language_version)
        )
        return cls(arn, tuple(statements), organization)

    @property
    def account(self) -> str:
        return account_of(self.arn)

    @property
    def depends(self) -> bool:
        """Whether it may distinguish principals of one account by more than their names."""
        return any(statement.depends or (statement.negated and not statement.allows) for statement in self.trust)


class How(Enum):
    """How a trust policy names a principal. That decides which other policies must allow it too."""

    ANYBODY = "as anybody, or as one of its sessions"
    ITSELF = "by its ARN"
    ACCOUNT = "by its account"


def _named(statement: TrustStatement, principal: Principal) -> tuple[How | None, Conditions]:
    """How a statement names a principal, in the way that grants most; None if it doesn't."""
    conditions = conditional(statement.condition)
    itself = principal.arn in statement.names
    account = not statement.names.isdisjoint((principal.account, principal.root))
    if statement.negated:
        return None if _excluded(statement, principal, itself=itself, account=account) else How.ANYBODY, conditions
    if ANYBODY in statement.names:
        return How.ANYBODY, conditions
    if itself:
        return How.ITSELF, conditions
    if account:
        return How.ACCOUNT, conditions
    sessions = [name for name in statement.sessions if _without_name(name) == principal.session]
    if not sessions:
        return None, ALWAYS
    return How.ANYBODY, conditional(with_elements(statement.condition, {"Principal": sessions}))


def _excluded(statement: TrustStatement, principal: Principal, *, itself: bool, account: bool) -> bool:
    """Whether NotPrincipal excludes the principal.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if principal.boundary is not None and not statement.allows:
        return False  # AWS always denies a principal with a boundary, whoever is excluded
    # A Deny must name the account next to the principals that it excludes, or it would deny them too. With such
    # principals, naming the account excludes nobody else in it.
    others = any(name.split(":")[4:5] == [principal.account] and name != principal.root for name in statement.names)
    return itself or (account and (statement.allows or not others))


def _names(statement: TrustStatement) -> Iterator[str]:
    """Whom it names, also by a session; and anybody, if it applies to all but some."""
    yield from statement.names
    yield from map(_without_name, statement.sessions)
    if statement.negated:
        yield ANYBODY


def _without_name(session: str) -> str:
    return session.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Trust:
    """What a role's trust policy says of a principal: the conditions by how it is named, and those of denials."""

    by: Mapping[How, Conditions | None]
    denied: Conditions | None


class Trusts:
    """The trust policies of many roles. What one says of all principals of an account is evaluated once."""

    def __init__(self, roles: Iterable[Role]) -> None:
        self._roles = {role.arn: role for role in roles}
        self._depending = {role.arn for role in self._roles.values() if role.depends}
        self._naming: dict[str, set[str]] = {}
        self._by_account: dict[tuple[str, str], Trust] = {}
        for role in self._roles.values():
            for name in itertools.chain.from_iterable(map(_names, role.trust)):
                self._naming.setdefault(name, set()).add(role.arn)

    def naming(self, principal: Principal) -> set[str]:
        """The roles that name it, or anybody: only these can be assumed without a policy of the principal's own."""
        return self._roles_naming(ANYBODY) | self._roles_naming(principal.arn) | self._roles_naming(principal.session)

    def of(self, role: str, principal: Principal) -> Trust:
        named = self._roles_naming(principal.arn) | self._roles_naming(principal.session)
        if role in self._depending or role in named:
            return _trust(self._roles[role], principal)
        key = role, principal.root
        if key not in self._by_account:
            self._by_account[key] = _trust(self._roles[role], principal)
        return self._by_account[key]

    def _roles_naming(self, name: str) -> set[str]:
        return self._naming.get(name, set())


def _trust(role: Role, principal: Principal) -> Trust:
    return trust(role.trust, principal, role.account, role.organization)


def trust(
    statements: Iterable[TrustStatement], principal: Principal, account: str, organization: str | None = None
) -> Trust:
    """What statements of a resource policy say of a principal. `account`, `organization`: the owner of the resource."""
    by: dict[How, Conditions | None] = {}
    denied: Conditions | None = None
    for statement, how, conditions in naming(statements, principal, account, organization):
        if statement.allows:
            by[how] = any_of(by.get(how), conditions)
        else:
            denied = any_of(denied, conditions)
    return Trust(by, denied)


def naming(
    statements: Iterable[TrustStatement], principal: Principal, account: str, organization: str | None = None
) -> Iterator[tuple[TrustStatement, How, Conditions]]:
    """The statements that name the principal, how they do, and under which conditions."""
    context: Context | None = None
    for declared in statements:
        if declared.depends and context is None:
            context = principal.context(account, organization)
        statement = declared if context is None else _decided(declared, context)
        if statement is None:
            continue
        how, conditions = _named(statement, principal)
        if how is not None:
            yield statement, how, conditions


def _decided(statement: TrustStatement, context: Context) -> TrustStatement | None:
    """The statement with the undecided part of its condition; None if the condition is false."""
    if not statement.depends or statement.condition is None:
        return statement
    condition = decide(statement.condition, context)
    return None if condition is False else replace(statement, condition=None if condition is True else condition)
