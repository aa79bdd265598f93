"""The steps that one principal can take: whose permissions each gives, in which way, and how certain that is. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from analysis.iam.arn import partition_of
from analysis.iam.assume_role import Edge
from analysis.iam.attack_account import Account, Things
from analysis.iam.attack_actor import Actor, Chosen, Request, Terms, administrator, terms
from analysis.iam.attack_catalogue import NEW, Requirement, Start, Way, ways
from analysis.iam.permission_grants import Grant
from analysis.iam.policy_evaluation import ALLOW_ALL, ALWAYS, Conditions
from analysis.iam.principals import Principal
from analysis.iam.trust import ACTION

KEY_ROOM: Final = "room for an access key"
PROFILE: Final = "an instance profile"
_ROLE_PASSED: Final = "iam:PassRole"
_PASSED_TO: Final = "iam:passedtoservice"
_POLICY_ARN: Final = "iam:policyarn"
_BOUNDARY: Final = "iam:permissionsboundary"
# Policies of AWS that make an administrator: to attach one of them is enough.
_ADMINISTRATORS: Final = ("AdministratorAccess", "IAMFullAccess")
# Ways that give the actor itself more. They are taken once in a row.
_WIDENING: Final = (Start.SELF, Start.OWN_GROUP, Start.OWN_POLICY, Start.GROUP)


class Certainty(IntEnum):
    """How certain a step or a path is. The less certain, the higher the number."""

    PROVEN = 0
    POSSIBLE = 1
    NOT_JUDGED = 2

    @property
    def text(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Node:
    """The permissions that somebody has: those of a user or role, perhaps with others in addition.

    having   "": its own; `any permissions`: every permission that its boundary and denials leave; a group's ARN: as its
             member
    without  ids of policies that no longer count, because they were replaced
    """

    arn: str
    having: str = ""
    without: tuple[str, ...] = ()


ANY: Final = "any permissions"


@dataclass(frozen=True, slots=True)
class Step:
    """
    things       what the way uses, by the names of the catalogue
    chosen       what the actor may choose or create
    conditions   JSON text of what must hold, by action
    assumptions  what must hold as well, and isn't in the graph
    unread       the policies of the actor that were not read
    """

    way: Way
    source: Node
    target: Node
    certainty: Certainty
    things: Things
    chosen: tuple[Chosen, ...]
    conditions: Mapping[str, str]
    assumptions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def of(node: Node, account: Account) -> Principal:
    """The principal that has a node's permissions."""
    principal = account.principals[node.arn]
    if not node.having and not node.without:
        return principal
    kept = tuple(one for one in principal.statements if one.policy not in node.without)
    if node.having == ANY:
        unread = tuple(policy for policy in principal.unread if policy not in node.without)
        return replace(principal, statements=(*kept, ALLOW_ALL), unread=unread)
    group = account.groups[node.having]
    return replace(
        principal,
        statements=(*kept, *group.statements),
        policies=(*principal.policies, *group.policies),
        groups=(*principal.groups, group.arn),
        unread=(*principal.unread, *group.unread),
    )


def steps(node: Node, account: Account, catalogue: Iterable[Way] | None = None) -> Iterator[Step]:
    """The steps of a user or role, or of what it has become. An administrator needs none in its own account."""
    principal = of(node, account)
    actor = Actor(principal, account)
    assuming = {edge.target: edge for edge in account.assuming.edges(principal)}
    is_administrator, under = administrator(actor)
    local = not (is_administrator and under is None)
    for way in ways() if catalogue is None else catalogue:
        if way.actor is not None and (way.actor == "role") is not principal.is_role:
            continue
        if node.having and way.start in _WIDENING:
            continue
        needing = [requirement.action for requirement in way.requires if requirement.action != ACTION]
        if way.id == "sts-001" or (local and all(map(actor.may_at_all, needing))):
            yield from _Search(way, node, actor, assuming, local=local).steps()


@dataclass(frozen=True)
class _Search:
    """The search for one way. `assuming`: the roles that the actor may assume; `local`: also those of its account."""

    way: Way
    node: Node
    actor: Actor
    assuming: Mapping[str, Edge]
    local: bool

    def steps(self) -> Iterator[Step]:
        new = self.actor.new(self.way.new) if self.way.new else {}
        if new is None:
            return
        always = {one.action: text for one in new.values() if (text := terms(one.grant))}
        for gained, things in self._starts():
            found = self._found(things)
            if found is not None:
                yield self._step(gained, things, tuple(new.values()), always | found)

    def _starts(self) -> Iterator[tuple[str, Things]]:
        own, account = self.actor.principal, self.actor.account
        match self.way.start:
            case Start.SELF:
                yield own.arn, {"self": own.arn}
            case Start.OWN_GROUP:
                yield from ((own.arn, {"group": group}) for group in own.groups if group in account.groups)
            case Start.OWN_POLICY:
                yield from ((own.arn, {"policy": policy}) for policy in account.own_policies(own))
            case Start.GROUP:
                yield from ((arn, it) for arn, it in account.starts[Start.GROUP] if arn not in own.groups)
            case Start.ROLE if self.way.id == "sts-001":
                for arn in self.assuming:
                    if arn != own.arn and (self.local or arn not in account.roles):
                        yield arn, {"role": arn}
            case start:
                yield from ((arn, things) for arn, things in account.starts[start] if arn != own.arn)

    def _found(self, things: Things) -> dict[str, str] | None:
        """The conditions by action, if every action is allowed; None if not."""
        conditions: dict[str, str] = {}
        if not self._has_needs(things):
            return None
        for requirement in self.way.requires:
            if requirement.on == NEW:
                continue
            allowed, text = self._allowed(requirement, things)
            if not allowed:
                return None
            if text is not None:
                again = requirement.action in conditions
                conditions[f"{requirement.action} on {requirement.on}" if again else requirement.action] = text
        for action in self.way.by_itself:
            arn = things.get("function") or things.get("role") or self.actor.principal.arn
            grant = self.actor.by_itself(action, arn)
            if grant is None:
                return None
            if (text := terms(grant)) is not None:
                conditions[action] = text
        return conditions

    def _has_needs(self, things: Things) -> bool:
        account = self.actor.account
        match self.way.needs:
            case name if name == KEY_ROOM:
                return account.has_room_for_key(things["user"]) is not False
            case name if name == PROFILE:
                return account.with_profile is None or things["role"] in account.with_profile
        return True

    def _allowed(self, requirement: Requirement, things: Things) -> tuple[bool, Terms]:
        action, on = requirement.action, requirement.on
        if action == ACTION:
            edge = self.assuming.get(things["role"])
            return edge is not None, edge.conditions if edge else None
        if on not in things:
            chosen = self.actor.on_format(action, on)
            return chosen is not None, terms(chosen.grant) if chosen else None
        grants = [
            (grant, trust)
            for request, trust in self._requests(action, things)
            if (grant := self._grant(action, on, things[on], request)) is not None
        ]
        if not grants:
            return False, None
        grant, trust = min(grants, key=lambda found: not (found[0].always and found[1] == ALWAYS))
        return True, _with_trust(grant, trust)

    def _grant(self, action: str, on: str, arn: str, request: Request) -> Grant | None:
        if on == "self":
            return self.actor.grant(action, arn, request)
        return self.actor.grants(action, on, request).get(arn)

    def _requests(self, action: str, things: Things) -> Iterator[tuple[Request, Conditions]]:
        """What the action's request can say, each with the conditions of a role's trust in the service that gets it."""
        if action == _ROLE_PASSED:
            for service in self.way.services:
                trust = self.actor.account.trusting(service).get(things["role"])
                if trust is not None:
                    yield ((_PASSED_TO, service),), trust
            return
        fixed: Request = ()
        holder = things.get("user") or things.get("role") or things.get("self")
        if holder is not None and self.actor.depends_on(action, _BOUNDARY):
            fixed = ((_BOUNDARY, self.actor.account.principals[holder].bounded_by),)
        if action.startswith("iam:Attach") and self.actor.depends_on(action, _POLICY_ARN):
            partition = partition_of(self.actor.account.prefix)
            for name in _ADMINISTRATORS:
                yield (*fixed, (_POLICY_ARN, f"arn:{partition}:iam::aws:policy/{name}")), ALWAYS
            return
        yield fixed, ALWAYS

    def _step(self, gained: str, things: Things, chosen: tuple[Chosen, ...], conditions: Mapping[str, str]) -> Step:
        assumptions = list(self.way.assumes)
        account = self.actor.account
        if self.way.needs == KEY_ROOM and account.keys is None:
            assumptions.append("the user has fewer than two access keys: aws.iam.access_keys was not seen")
        if self.way.needs == PROFILE and account.with_profile is None:
            assumptions.append("the role has an instance profile: aws.iam.instance_profiles was not seen")
        unread = self.actor.principal.unread
        certainty = Certainty.POSSIBLE if conditions or assumptions else Certainty.PROVEN
        if unread:
            certainty = Certainty.NOT_JUDGED
        target = self._target(gained, things)
        return Step(self.way, self.node, target, certainty, things, chosen, conditions, tuple(assumptions), unread)

    def _target(self, gained: str, things: Things) -> Node:
        if self.way.start is Start.GROUP:
            return replace(self.node, having=things["group"])
        if not self.way.any_permissions:
            return Node(gained)
        without = self.node.without if gained == self.node.arn else ()
        return Node(gained, ANY, (*without, *self._replaced(gained, things)))

    def _replaced(self, gained: str, things: Things) -> list[str]:
        """Ids of the policies that the actor overwrites: a new version, or its own text in every inline policy."""
        if "policy" in things:
            return [things["policy"]]
        if not any(requirement.action.startswith("iam:Put") for requirement in self.way.requires):
            return []
        inline = f"{things.get('group', gained)}/inline_policy/"
        return [policy for policy in self.actor.account.principals[gained].policies if policy.startswith(inline)]


def _with_trust(grant: Grant, trust: Conditions) -> Terms:
    text = terms(grant)
    if trust == ALWAYS:
        return text
    own = json.loads(text) if text else {}
    ways = own.get("any_of") or [{}]
    of_role = [block for condition in sorted(trust) for block in json.loads(condition)]
    return json.dumps({**own, "any_of": [{**way, "trust": of_role} for way in ways]})
