"""The policy of a resource, as its document has it: its statements, with Principal, Action, Resource and Condition."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from analysis.iam.condition_operators import Entry, entries
from analysis.iam.resources import Patterns

_WITH_VARIABLES: Final = "2012-10-17"
_ESCAPED: Final = re.compile(r"\$\{([*?$])\}")


@dataclass(frozen=True, slots=True)
class Statement:
    """`principal`: names by their type, or None where there are none. `but`: all but those (NotPrincipal).

    actions, resources   None where the statement has neither the element nor its opposite
    variables            whether `${...}` stands for a value of the request: not before 2012-10-17
    """

    allows: bool
    principal: Mapping[str, tuple[str, ...]] | None
    but: bool
    actions: Patterns | None
    resources: Patterns | None
    condition: tuple[Entry, ...]
    variables: bool


def statements(document: str) -> list[Statement]:
    """Raises ValueError where it is no policy."""
    policy = json.loads(document)
    if not isinstance(policy, Mapping) or "Statement" not in policy:
        raise ValueError("the policy is no JSON object with a Statement")
    literal = policy.get("Version") != _WITH_VARIABLES
    return [_statement(found, literal) for found in _listed(policy["Statement"])]


def _statement(found: Any, literal: bool) -> Statement:
    if not isinstance(found, Mapping) or found.get("Effect") not in ("Allow", "Deny"):
        raise ValueError("a statement of the policy is no JSON object with an Effect of Allow or Deny")
    but = "NotPrincipal" in found
    return Statement(
        found["Effect"] == "Allow",
        _principal(found.get("NotPrincipal" if but else "Principal")),
        but,
        _patterns(found, "Action", literal=False),
        _patterns(found, "Resource", literal=literal),
        tuple(_plain(entry, literal) for entry in entries(found.get("Condition"))),
        variables=not literal,
    )


def _principal(found: Any) -> Mapping[str, tuple[str, ...]] | None:
    if found is None:
        return None
    by_type = found if isinstance(found, Mapping) else {"AWS": found}
    return {type_: _texts(names) for type_, names in by_type.items()}


def _patterns(found: Mapping[str, Any], element: str, *, literal: bool) -> Patterns | None:
    but = f"Not{element}" in found
    if not but and element not in found:
        return None
    words = _texts(found[f"Not{element}" if but else element])
    return Patterns(tuple(map(_literal, words)) if literal else words, but)


def _plain(entry: Entry, literal: bool) -> Entry:
    """`${*}` is a star in values that are no patterns. Before 2012-10-17 no variable means anything but its letters."""
    if literal:
        return replace(entry, values=tuple(map(_literal, entry.values))) if entry.patterns else entry
    if entry.patterns:
        return entry
    return replace(entry, values=tuple(_ESCAPED.sub(lambda found: found[1], value) for value in entry.values))


def _literal(word: str) -> str:
    return word.replace("${", "${$}{")


def _texts(value: Any) -> tuple[str, ...]:
    texts = _listed(value)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("an element of a statement is neither a text nor a list of texts")
    return tuple(texts)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
