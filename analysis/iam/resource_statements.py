"""The statements of a resource policy, as its document has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from analysis.iam import policy_variables
from analysis.iam.condition_operators import Entry, entries
from analysis.iam.resources import Patterns

_ESCAPED: Final = re.compile(r"\$\{([*?$])\}")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the policy.

    principal            names by their type; None if there are none
    negated              it applies to all but those (NotPrincipal)
    actions, resources   None if the statement has neither the element nor its opposite
    variables            whether `${...}` is a policy variable: not before 2012-10-17
    """

    allows: bool
    principal: Mapping[str, tuple[str, ...]] | None
    negated: bool
    actions: Patterns | None
    resources: Patterns | None
    condition: tuple[Entry, ...]
    variables: bool


def statements(document: str) -> list[Statement]:
    """Raises ValueError if it isn't a policy."""
    policy: object = json.loads(document)
    if not isinstance(policy, Mapping) or "Statement" not in policy:
        raise ValueError("the policy is not a JSON object with a Statement")
    literal = policy.get("Version") != policy_variables.SINCE
    return [_statement(statement, literal) for statement in _values(policy["Statement"])]


def _statement(statement: object, literal: bool) -> Statement:
    if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
        raise ValueError("a statement of the policy is not a JSON object with an Effect of Allow or Deny")
    elements: Mapping[str, object] = statement
    negated = "NotPrincipal" in elements
    return Statement(
        elements["Effect"] == "Allow",
        _principal(elements.get("NotPrincipal" if negated else "Principal")),
        negated,
        _patterns(elements, "Action", literal=False),
        _patterns(elements, "Resource", literal=literal),
        tuple(_plain(entry, literal) for entry in entries(elements.get("Condition"))),
        variables=not literal,
    )


def _principal(element: object) -> Mapping[str, tuple[str, ...]] | None:
    if element is None:
        return None
    by_type: Mapping[str, object] = element if isinstance(element, Mapping) else {"AWS": element}
    return {type_: _texts(names) for type_, names in by_type.items()}


def _patterns(statement: Mapping[str, object], element: str, *, literal: bool) -> Patterns | None:
    negated = f"Not{element}" in statement
    if not negated and element not in statement:
        return None
    words = _texts(statement[f"Not{element}" if negated else element])
    return Patterns(tuple(map(_literal, words)) if literal else words, negated)


def _plain(entry: Entry, literal: bool) -> Entry:
    """In values that aren't patterns, `${*}` is a plain star. Before 2012-10-17 there are no variables."""
    if literal:
        return replace(entry, values=tuple(map(_literal, entry.values))) if entry.patterns else entry
    if entry.patterns:
        return entry
    return replace(entry, values=tuple(_ESCAPED.sub(lambda escaped: escaped[1], value) for value in entry.values))


def _literal(word: str) -> str:
    return word.replace("${", "${$}{")


def _texts(value: object) -> tuple[str, ...]:
    texts: list[str] = []
    for text in _values(value):
        if not isinstance(text, str):
            raise ValueError(  # noqa: TRY004  # of a document, not of an argument
                "an element of a statement is neither a text nor a list of texts"
            )
        texts.append(text)
    return tuple(texts)


def _values(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]
