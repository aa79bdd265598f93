"""The statements of a role's trust policy, as AWSRole stores them: JSON text of a list of statements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from analysis.iam.policy_evaluation import Condition, escape_variables, matches_all, matches_any, patterns
from analysis.iam.policy_variables import are_supported
from analysis.iam.resources import Patterns

ANYBODY: Final = "*"

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PrincipalClause:
    """What a statement says of one action: whom it names, and under which condition.

    negated     it applies to everyone else (NotPrincipal)
    principal   the element as it stands: `"*"`, or names by the kind of principal
    name        the statement's Sid, or its number from 1
    """

    allows: bool
    negated: bool
    principal: object
    condition: Condition | None
    name: str = ""

    def names(self, kind: str) -> frozenset[str]:
        """The names of that kind of principal, `AWS` or `Federated`; of each kind where the element is a plain text."""
        if isinstance(self.principal, Mapping):
            return frozenset(_values(self.principal, kind) or ())
        return frozenset(_values({kind: self.principal}, kind) or ())


def clauses(statements: Iterable[Statement], action: str, language_version: str | None) -> Iterator[PrincipalClause]:
    """The statements that apply to the action."""
    for number, statement in enumerate(statements, start=1):
        if not matches_all(_actions(statement), action):
            continue
        negated = "NotPrincipal" in statement
        condition = json.dumps([statement["Condition"]]) if statement.get("Condition") else None
        if condition and not are_supported(language_version):
            condition = escape_variables(condition)
        principal: object = statement.get("NotPrincipal" if negated else "Principal")
        name = str(statement.get("Sid") or number)
        yield PrincipalClause(statement.get("Effect") == "Allow", negated, principal, condition, name)


def allows_session_tags(trust_policy: Iterable[Statement]) -> bool:
    """Whether it lets anybody assume the role with session tags."""
    return any(
        statement.get("Effect") == "Allow" and matches_any(_actions(statement), "sts:TagSession")
        for statement in trust_policy
    )


def _actions(statement: Statement) -> Patterns:
    return patterns(_values(statement, "Action"), _values(statement, "NotAction"))


def _values(statement: Mapping[str, Any], element: str) -> list[str] | None:
    """The values of an element, which may be one or a list; None if it is absent."""
    value = statement.get(element)
    return value if value is None or isinstance(value, list) else [value]
