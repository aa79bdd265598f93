"""What a permission asks of policies for some resources, and what a principal's grant of it.

A permission with wildcards is any of its actions. Each is asked about what it works on (`action_parts`): most about the
resource, others about what is part of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.iam import service_authorization
from analysis.iam.action_parts import AskedAbout, asked_about, kind_of, never_on
from analysis.iam.edge_conditions import Way
from analysis.iam.policy_evaluation import (
    ALWAYS,
    Conditions,
    Statement,
    also,
    any_of,
    either,
    not_always_denied,
    said_of,
)
from analysis.iam.principals import Principal
from analysis.iam.resources import Patterns, Resources
from analysis.iam.service_authorization import Action


@dataclass(frozen=True, slots=True)
class Grant:
    """That a principal may do something with a resource: what of its policies must hold, and what must not."""

    identity: Conditions
    boundary: Conditions
    denied: Conditions | None

    @property
    def always(self) -> bool:
        return not (self.identity or self.boundary or self.denied)

    @property
    def way(self) -> Way:
        return {"identity": self.identity, "boundary": self.boundary}


def questions(permissions: Iterable[str], arns: Iterable[str]) -> Iterator[Question]:
    """What permissions ask: of each kind of resource, by what of it the actions work on that they name."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for arn in arns:
        by_kind[kind_of(arn)].append(arn)
    named = {permission: service_authorization.actions(permission) for permission in permissions}
    for kind, some in by_kind.items():
        asked: defaultdict[tuple[AskedAbout, str | None], dict[Action, list[str]]] = defaultdict(dict)
        for permission, actions in named.items():
            for action in actions:
                if about := asked_about(action, kind):
                    asked[about, never_on(action)].setdefault(action, []).append(permission)
        for (about, never), those in asked.items():
            yield Question(those, [arn for arn in some if never is None or never not in arn], about)


class Question:
    """Actions that work on the same of a resource, with the permissions that name them, asked of many principals."""

    def __init__(self, actions: Mapping[Action, Sequence[str]], arns: Collection[str], about: AskedAbout) -> None:
        self._actions = [str(action) for action in actions]
        self._permissions = list(actions.values())
        self._resources = Resources(arns, (about.part,))
        self._or_else = [(part, Resources(arns, (part,))) for part in about.or_else]
        self._applying: dict[Patterns, int] = {}

    def grants(self, source: Principal) -> Iterator[tuple[str, Grant, Collection[str]]]:
        """Of resources, with the permissions that are so granted."""
        for group, own, boundary in self._alike(source):
            named = [some for at, some in enumerate(self._permissions) if group >> at & 1]
            permissions = dict.fromkeys(permission for some in named for permission in some)
            found = _grants(own, boundary, self._resources)
            for arn, grant in found.items():
                yield arn, grant, permissions
            for part, resources in self._or_else:
                for arn, grant in _grants(own, boundary, resources).items():
                    whole = found.get(arn)
                    if whole is None or not (whole.always or whole == grant):
                        only = {"Resource": [f"{part.start(arn)}*"]}
                        yield arn, replace(grant, identity=_only_for(only, grant.identity)), permissions

    def _alike(self, source: Principal) -> Iterator[tuple[int, list[Statement], list[Statement] | None]]:
        """Actions, as bits, with the statements that apply to each of them, own and of the boundary."""
        every = (1 << len(self._actions)) - 1
        applying = [(self._bits(statement), statement) for statement in source.statements]
        limits = None if source.boundary is None else [(self._bits(one), one) for one in source.boundary]
        for group in _groups(every, [bits for bits, _ in (*applying, *(limits or ()))]):
            own = [statement for bits, statement in applying if bits & group]
            if any(statement.allows for statement in own):
                limited = None if limits is None else [statement for bits, statement in limits if bits & group]
                yield group, own, limited

    def _bits(self, statement: Statement) -> int:
        """To which of the actions it applies."""
        known = self._applying.get(statement.actions)
        if known is None:
            applies = (1 << at for at, action in enumerate(self._actions) if any_of(statement.actions, action))
            known = self._applying[statement.actions] = sum(applies)
        return known


def _groups(every: int, sets: Iterable[int]) -> list[int]:
    """The largest groups of bits of which each set has all or none."""
    groups = [every]
    for bits in set(sets) - {0, every}:
        groups = [part for group in groups for part in (group & bits, group & ~bits) if part]
    return groups


def _grants(own: Iterable[Statement], boundary: Iterable[Statement] | None, resources: Resources) -> dict[str, Grant]:
    """By resource."""
    granted = said_of(own, resources)
    if not granted.allow:
        return {}
    limits = granted if boundary is None else said_of(boundary, resources)
    found = {}
    for arn in granted.allow.keys() & limits.allow.keys():
        denied = either(granted.deny.get(arn), limits.deny.get(arn))
        identity: Conditions | None = granted.allow[arn]
        limit: Conditions | None = ALWAYS if boundary is None else limits.allow[arn]
        if denied is not None:
            identity = not_always_denied(granted.allow[arn], denied) if denied else None
            limit = not_always_denied(limit, denied) if limit else ALWAYS
        if identity is not None and limit is not None:
            found[arn] = Grant(identity, limit, denied)
    return found


def _only_for(part: Mapping[str, Any], conditions: Conditions) -> Conditions:
    """The same, for a part of the resource; a condition that names one already means a part of that."""
    limited = {text if any("Resource" in one for one in json.loads(text)) else also(text, part) for text in conditions}
    return frozenset(limited) or frozenset({also(None, part)})
