"""Evaluates permissions on resources: for each, the actions that it stands for, and what grants them to a principal.

A permission with wildcards stands for any of its actions. Each action is evaluated on what it works on
(`action_parts`): mostly the resource itself, sometimes parts of it.
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
    any_of,
    combined,
    matches_any,
    not_always_denied,
    with_elements,
)
from analysis.iam.principals import Principal
from analysis.iam.resources import Patterns, Resources
from analysis.iam.service_authorization import Action


@dataclass(frozen=True, slots=True)
class Grant:
    """That a principal may use a resource: under which conditions of its policies, and unless which hold."""

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
    """The questions for these permissions: per kind of resource, and per part of it that the actions work on."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for arn in arns:
        by_kind[kind_of(arn)].append(arn)
    named = {permission: service_authorization.actions(permission) for permission in permissions}
    for kind, arns_of_kind in by_kind.items():
        asked: defaultdict[tuple[AskedAbout, str | None], dict[Action, list[str]]] = defaultdict(dict)
        for permission, actions in named.items():
            for action in actions:
                if about := asked_about(action, kind):
                    asked[about, never_on(action)].setdefault(action, []).append(permission)
        for (about, never), names_of in asked.items():
            possible = [arn for arn in arns_of_kind if never is None or never not in arn]
            yield Question(names_of, possible, about)


class Question:
    """Actions that work on the same part of a resource, with the permissions that name them; for many principals."""

    def __init__(self, actions: Mapping[Action, Sequence[str]], arns: Collection[str], about: AskedAbout) -> None:
        self._actions = [str(action) for action in actions]
        self._permissions = list(actions.values())
        self._resources = Resources(arns, (about.part,))
        self._alternatives = [(part, Resources(arns, (part,))) for part in about.alternatives]
        self._applying: dict[Patterns, int] = {}

    def grants(self, source: Principal) -> Iterator[tuple[str, Grant, Collection[str]]]:
        """(ARN, grant, the permissions that it grants)."""
        for group, own, boundary in self._alike(source):
            granted = [names for at, names in enumerate(self._permissions) if group >> at & 1]
            permissions = dict.fromkeys(permission for names in granted for permission in names)
            by_arn = grants(own, boundary, self._resources)
            for arn, grant in by_arn.items():
                yield arn, grant, permissions
            for part, resources in self._alternatives:
                for arn, grant in grants(own, boundary, resources).items():
                    whole = by_arn.get(arn)
                    if whole is None or not (whole.always or whole == grant):
                        only = {"Resource": [f"{part.start(arn)}*"]}
                        yield arn, replace(grant, identity=_only_for(only, grant.identity)), permissions

    def _alike(self, source: Principal) -> Iterator[tuple[int, list[Statement], list[Statement] | None]]:
        """Groups of actions, as bit sets, with the principal's own and its boundary's statements that apply to each."""
        every = (1 << len(self._actions)) - 1
        applying = [(self._bits(statement), statement) for statement in source.statements]
        limits = None
        if source.boundary is not None:
            limits = [(self._bits(statement), statement) for statement in source.boundary]
        for group in _groups(every, [bits for bits, _ in (*applying, *(limits or ()))]):
            own = [statement for bits, statement in applying if bits & group]
            if any(statement.allows for statement in own):
                limited = None if limits is None else [statement for bits, statement in limits if bits & group]
                yield group, own, limited

    def _bits(self, statement: Statement) -> int:
        """The actions that it applies to, as a bit set."""
        known = self._applying.get(statement.actions)
        if known is None:
            applies = (1 << at for at, action in enumerate(self._actions) if matches_any(statement.actions, action))
            known = self._applying[statement.actions] = sum(applies)
        return known


def _groups(every: int, sets: Iterable[int]) -> list[int]:
    """The largest groups of bits that each set contains completely or not at all."""
    groups = [every]
    for bits in set(sets) - {0, every}:
        groups = [part for group in groups for part in (group & bits, group & ~bits) if part]
    return groups


def grants(own: Iterable[Statement], boundary: Iterable[Statement] | None, resources: Resources) -> dict[str, Grant]:
    """By resource."""
    granted = combined(own, resources)
    if not granted.allow:
        return {}
    limits = granted if boundary is None else combined(boundary, resources)
    granting: dict[str, Grant] = {}
    for arn in granted.allow.keys() & limits.allow.keys():
        denied = any_of(granted.deny.get(arn), limits.deny.get(arn))
        way: Way = {"identity": granted.allow[arn], "boundary": ALWAYS if boundary is None else limits.allow[arn]}
        left = deny_removed(way, denied)
        identity, limit = left["identity"], left["boundary"]
        if identity is not None and limit is not None:
            granting[arn] = Grant(identity, limit, denied)
    return granting


def deny_removed(way: Way, denied: Conditions | None) -> Way:
    """The way without what is always denied; None for a kind of policy of which nothing is left."""
    if denied is None:
        return way
    if not denied:
        return dict.fromkeys(way)
    return {kind: allowed and not_always_denied(allowed, denied) for kind, allowed in way.items()}


def _only_for(part: Mapping[str, Any], conditions: Conditions) -> Conditions:
    """The conditions, limited to a part of the resource. A condition with a Resource is already limited to a part."""
    limited = {text if _has_resource(text) else with_elements(text, part) for text in conditions}
    return frozenset(limited) or frozenset({with_elements(None, part)})


def _has_resource(condition: str) -> bool:
    blocks: list[Mapping[str, object]] = json.loads(condition)
    return any("Resource" in block for block in blocks)
