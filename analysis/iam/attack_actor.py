"""What one principal may do to the things of its account, as the ways of the attack catalogue need it.

The policies are evaluated for all things of a kind at once, and once per action: `permission_grants.grants`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from analysis.iam import service_authorization
from analysis.iam.arn import partition_of
from analysis.iam.attack_account import Account
from analysis.iam.edge_conditions import as_text
from analysis.iam.example_texts import FRESH, common
from analysis.iam.known_conditions import decide
from analysis.iam.patterns import any_value, covers
from analysis.iam.permission_grants import Grant, deny_removed, grants
from analysis.iam.policy_evaluation import ALWAYS, Conditions, Statement, access, any_of, matches_all
from analysis.iam.principals import Principal
from analysis.iam.request_context import Context
from analysis.iam.resources import ITSELF, Resources
from analysis.iam.service_authorization import ResourceType

# Condition keys that the request of an attack has, and their values, sorted.
Request = tuple[tuple[str, str | None], ...]
# What must hold for something to be allowed: JSON text as on relationships; None: nothing.
Terms = str | None

_VARIABLE: Final = re.compile(r"\$\{\w+\}")
_OF_AWS: Final = ":aws:"  # AWS's own resources: nobody has to use them
_MAX_CANDIDATES: Final = 200
# Each is enough to get any permissions. Who may do everything else, but none of these, is no administrator.
_POWERS: Final = {
    "user": ("iam:AttachUserPolicy", "iam:PutUserPolicy"),
    "role": ("iam:AttachRolePolicy", "iam:PutRolePolicy"),
    "policy": ("iam:CreatePolicyVersion",),
}
_ALL_OF_IAM: Final = "iam:*"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A thing that the actor may choose, with FRESH where its name is open."""

    action: str
    arn: str
    grant: Grant


class Actor:
    """A principal, with its policies resolved for requests in its account."""

    def __init__(self, principal: Principal, account: Account) -> None:
        self.principal = principal
        self.account = account
        self.source = principal.in_request_for(principal.account, principal.organization)
        self._applying: dict[tuple[str, Request], tuple[list[Statement], list[Statement] | None]] = {}
        self._grants: dict[tuple[str, str, Request], Mapping[str, Grant]] = {}

    def may_at_all(self, action: str) -> bool:
        return any(statement.allows and statement.applies_to(action) for statement in self.source.statements)

    def grants(self, action: str, kind: str, request: Request = ()) -> Mapping[str, Grant]:
        """By ARN, for all things of a kind in the account."""
        known = self._grants.get((action, kind, request))
        if known is None:
            known = self._grants[action, kind, request] = self._granted(action, self.account.resources[kind], request)
        return known

    def grant(self, action: str, arn: str, request: Request = ()) -> Grant | None:
        """For a single thing."""
        return self._granted(action, Resources((arn,)), request).get(arn)

    def _granted(self, action: str, resources: Resources, request: Request) -> Mapping[str, Grant]:
        own, boundary = self._statements(action, request)
        return grants(own, boundary, resources)

    def depends_on(self, action: str, key: str) -> bool:
        """Whether a condition of a statement on the action names the key."""
        own, boundary = self._statements(action, ())
        return any(one.condition is not None and key in one.condition.lower() for one in (*own, *(boundary or ())))

    def _statements(self, action: str, request: Request) -> tuple[list[Statement], list[Statement] | None]:
        """Its own and its boundary's that apply."""
        known = self._applying.get((action, request))
        if known is None:
            own, limits = self.source.statements, self.source.boundary
            boundary = None if limits is None else list(_in_request(limits, action, request))
            known = self._applying[action, request] = list(_in_request(own, action, request)), boundary
        return known

    def by_itself(self, action: str, arn: str) -> Grant | None:
        """For a resource whose own policy allows the principal, by its ARN: denials count, and a role's boundary."""
        resources = Resources((arn,))
        own = access(self.source.statements, action, resources)
        boundary = None if self.source.boundary is None else access(self.source.boundary, action, resources)
        denied = any_of(own.deny.get(arn), boundary.deny.get(arn) if boundary else None)
        limit = boundary.allow.get(arn) if boundary and self.source.is_role else ALWAYS
        left = deny_removed({"identity": ALWAYS, "boundary": limit}, denied)
        if left["identity"] is None or left["boundary"] is None:
            return None
        return Grant(left["identity"], left["boundary"], denied)

    def new(self, actions: Iterable[str]) -> dict[str, Chosen] | None:
        """By action and type, for things that the actor may choose or create: of each type that an action needs, one
        that all actions on that type are allowed on. None: there are no such things.
        """
        found: dict[str, Chosen] = {}
        on: dict[str, list[str]] = {}
        for action in actions:
            for form in _formats(action):
                on.setdefault(form, []).append(action)
        for form, together in on.items():
            granted = self._on_some(form, together)
            if granted is None:
                return None
            found |= {f"{action} {form}": one for action, one in granted.items()}
        return found

    def _on_some(self, form: str, actions: list[str]) -> dict[str, Chosen] | None:
        arns = list(itertools.islice(self._candidates(form, actions), _MAX_CANDIDATES))
        by_action = {action: self._granted(action, Resources(arns), ()) for action in actions}
        possible = [arn for arn in arns if all(arn in granted for granted in by_action.values())]
        if not possible:
            return None
        best = min(possible, key=lambda arn: sum(not granted[arn].always for granted in by_action.values()))
        return {action: Chosen(action, best, granted[best]) for action, granted in by_action.items()}

    def _candidates(self, form: str, actions: Iterable[str]) -> Iterator[str]:
        """ARNs of that format that could be allowed for all actions: what the patterns of its statements, and pairs of
        them, have in common with the format.
        """
        pattern = self._pattern(form)
        if pattern == "*":
            yield pattern
            return
        valid = re.compile(re.escape(pattern).replace(r"\?\*", "[^:/]+"))  # `*` in a policy matches more than a name
        yield pattern.replace("?*", FRESH)
        words: dict[str, None] = {}
        for action in actions:
            own, boundary = self._statements(action, ())
            for one in (*own, *(boundary or ())):
                if one.allows and not one.resources.negated:
                    words |= dict.fromkeys(map(any_value, one.resources.words))
        for pair in ((word, word) for word in words), itertools.combinations(words, 2):
            for first, second in pair:
                text = _common(first, second)
                arn = text and _common(text.replace(FRESH, "*"), pattern, of_arn=True)
                if arn and valid.fullmatch(arn) and covers(first, arn) and covers(second, arn):
                    yield arn

    def _pattern(self, form: str) -> str:
        values = {"${Partition}": partition_of(self.account.prefix), "${Account}": self.account.id}
        for name, value in values.items():
            form = form.replace(name, value)
        return _VARIABLE.sub("?*", form)

    def on_format(self, action: str, form: str) -> Chosen | None:
        """For a thing that the catalogue names by its ARN."""
        granted = self._on_some(form, [action])
        return granted[action] if granted else None


def _in_request(statements: Iterable[Statement], action: str, request: Request) -> Iterator[Statement]:
    """The statements on the action, with conditions on the request decided."""
    context = Context(dict(request))
    for statement in statements:
        if not statement.applies_to(action):
            continue
        condition = decide(statement.condition, context) if statement.condition and request else statement.condition
        if condition is True or condition is None:
            yield replace(statement, condition=None)
        elif condition is not False:
            yield replace(statement, condition=condition)


def _common(first: str, second: str, *, of_arn: bool = False) -> str | None:
    """`of_arn`: the second is a pattern of ARNs, whose parts have no colons."""
    try:
        return common(first, second, arns=(False, of_arn))
    except ValueError:  # longer than what can be compared
        return None


def _formats(action: str) -> tuple[str, ...]:
    """The ARN formats of what an action must be allowed on; `*` if there are none."""
    [known] = service_authorization.actions(action)
    needed = [type_.arn for type_ in known.types if type_.needed and not _is_of_aws(type_)]
    return tuple(needed) or ("*",)


def _is_of_aws(type_: ResourceType) -> bool:
    return _OF_AWS in type_.arn


def terms(grant: Grant) -> Terms:
    return as_text([grant.way], grant.denied)


def administrator(actor: Actor) -> tuple[bool, Terms]:
    """Whether it is an administrator, and under which conditions.

    An administrator may do all of IAM on everything, so it can give itself every permission. Denials matter if none of
    the actions that give permissions is left.
    """
    source = actor.source
    everything = Resources(("*",), (ITSELF,))
    boundary = None if source.boundary is None else _allowing(source.boundary)
    granted = grants(_allowing(source.statements), boundary, everything).get("*")
    if granted is None:
        return False, None
    powers = [
        denial
        for kind, actions in _POWERS.items()
        for action in actions
        if (denial := _denial(actor, action, kind)) != ALWAYS
    ]
    if not powers:
        return False, None
    denied = None if None in powers else powers[0]
    return True, terms(replace(granted, denied=denied))


def _allowing(statements: Iterable[Statement]) -> list[Statement]:
    return [one for one in statements if one.allows and matches_all(one.actions, _ALL_OF_IAM)]


def _denial(actor: Actor, action: str, kind: str) -> Conditions | None:
    """The conditions under which the action is denied on some thing of the kind that nothing names."""
    arn = f"{actor.account.prefix}{kind}/{FRESH}"
    statements = (*actor.source.statements, *(actor.source.boundary or ()))
    return access(statements, action, Resources((arn,))).deny.get(arn)
