"""Whether a resource policy lets in external principals, and for which actions, as AWS evaluates the whole policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

An action is open if some external principal can satisfy the conditions of an Allow in a request that no Deny denies.
Possible requests are tried out: for each key in the policy's conditions, one value of each kind that the conditions
distinguish. An action is closed if no such request is allowed. It is not known if that depends on an operator or a key
that isn't judged.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final

from analysis.iam import external_principals, request_variables
from analysis.iam.condition_operators import Entry, RequestValue
from analysis.iam.external_principals import KINDS, PLACES, ExternalPrincipal
from analysis.iam.external_requests import Request, TooMany, is_allowed, is_permitted
from analysis.iam.patterns import any_value, covers, overlaps
from analysis.iam.resource_actions import means, named, on_objects
from analysis.iam.resource_statements import Statement, statements
from analysis.iam.three_valued import some

_WITHOUT_ANONYMOUS: Final = frozenset({"kms"})  # all calls to it are signed
_MAX_ASSIGNMENTS: Final = 500
_MAX_NAMED: Final = 5
_MAX_ACCOUNTS: Final = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """`actions`: what external principals may do, as the policy spells it, sorted; None, with `reason`, if not known.

    If a Deny denies part of a word with wildcards, the remaining actions are listed instead.
    """

    actions: tuple[str, ...] | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """`forms`: the ARNs of the resource and of its contents, as patterns. `account`: its owner."""

    service: str
    forms: tuple[str, ...] = ("*",)
    account: str | None = None


def verdict(document: str, resource: Resource, now: float | None = None) -> Verdict:
    """`document`: JSON text. `now`: seconds since 1970."""
    try:
        policy = _Policy(resource, statements(document), time.time() if now is None else now)
    except ValueError as error:
        return Verdict(None, f"it can't be read: {error}")
    certain = policy.allowed(certain=True)
    if certain:
        return Verdict(tuple(sorted(certain)))
    if policy.allowed(certain=False) or policy.problems:
        return Verdict(None, policy.reason())
    return Verdict(())


@dataclass
class _Policy:
    resource: Resource
    statements: Sequence[Statement]
    now: float
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = [entry for statement in self.statements for entry in statement.condition]
        self.denies = [statement for statement in self.statements if not statement.allows]
        self.accounts = external_principals.accounts(self.entries, self.resource.account)
        if len(self.accounts) > _MAX_ACCOUNTS:
            self.problems.append("more patterns of accounts than can be tried")

    def reason(self) -> str:
        keys = sorted({entry.key for entry in self.entries if not external_principals.is_judged(entry.key)})
        operators = sorted({entry.operator for entry in self.entries if not entry.known})
        why = [f"condition key {key}" for key in keys] + [f"operator {name}" for name in operators]
        others = [] if why else list(dict.fromkeys(self.problems)) or ["a value of a condition"]
        return f"not judged: {', '.join([*why, *others][:_MAX_NAMED])}"

    def allowed(self, *, certain: bool) -> set[str]:
        """The actions that some external principal is allowed.

        `certain`: what isn't known counts as not allowed; otherwise as allowed.
        """
        allowed: set[str] = set()
        for statement in self.statements:
            if statement.allows:
                for word, matched in named(statement.actions, self.resource.service).items():
                    meant = [action for action in matched if self._is_on(statement, action)]
                    if not meant and statement.resources and not statement.resources.negated:
                        meant = matched  # S3 accepts no such statement today: rather report too much
                    left = self._left(statement, meant, certain=certain)
                    allowed |= {word} if len(left) == len(meant) else left
        return allowed

    def _left(self, allow: Statement, meant: Sequence[str], *, certain: bool) -> set[str]:
        """Of the actions that an Allow names, those that it gives to some external principal."""
        left: set[str] = set()
        groups = self._groups(meant)
        for principal in self._principals():
            if len(left) == len(meant):
                break
            if not names(allow, principal):
                continue
            denies = {
                number: deny
                for number, deny in enumerate(self.denies)
                if names(deny, principal) in ((True, None) if certain else (True,))
            }
            try:
                for request in self._requests(principal, allow, denies):
                    if is_allowed(request, certain=certain):
                        for (about, of_objects), actions in groups.items():
                            if actions[0] not in left and is_permitted(request, about, of_objects, certain=certain):
                                left.update(actions)
            except (TooMany, ValueError) as error:
                self.problems.append(str(error))
        return left

    def _groups(self, actions: Sequence[str]) -> Mapping[tuple[frozenset[int], bool | None], list[str]]:
        """The actions by the numbers of the denials that name them, and by whether they are on objects."""
        groups: defaultdict[tuple[frozenset[int], bool | None], list[str]] = defaultdict(list)
        for action in actions:
            about = frozenset(number for number, deny in enumerate(self.denies) if means(deny.actions, action))
            groups[about, on_objects(action) if self.resource.service == "s3" else None].append(action)
        return groups

    def _is_on(self, allow: Statement, action: str) -> bool:
        """Whether it is on anything that the statement names: objects, or the bucket itself."""
        if self.resource.service != "s3" or allow.resources is None:
            return True
        form = self.resource.forms[-1 if on_objects(action) else 0]
        matches = covers if allow.resources.negated else overlaps
        return any(matches(any_value(word), form) for word in allow.resources.words) is not allow.resources.negated

    def _principals(self) -> Iterator[ExternalPrincipal]:
        kinds = [kind for kind in KINDS if kind != "anonymous" or self.resource.service not in _WITHOUT_ANONYMOUS]
        for kind, place, account in product(kinds, PLACES, self.accounts[:_MAX_ACCOUNTS]):
            yield ExternalPrincipal(kind, place, account, self.resource.account, self.now)

    def _requests(
        self, principal: ExternalPrincipal, allow: Statement, denies: Mapping[int, Statement]
    ) -> Iterator[Request]:
        """The policy for the principal, once for each choice of values for the policy variables."""
        involved = [allow, *denies.values()]
        with_variables = [statement for statement in involved if statement.variables]
        used = sorted({key for statement in with_variables for key in request_variables.keys(_words(statement))})
        judged = {key for key in used if external_principals.is_judged(key)}
        choices = [
            external_principals.values(principal, key, _on(key, involved)) if key in judged else [None] for key in used
        ]
        for number, chosen in enumerate(product(*choices)):
            if number >= _MAX_ASSIGNMENTS:
                raise TooMany("more values of policy variables than can be tried")
            context = dict(zip(used, chosen, strict=True))
            first, *others = [_for(statement, context, judged) if used else statement for statement in involved]
            yield Request(principal, first, dict(zip(denies, others, strict=True)), self.resource.forms, context)


def names(statement: Statement, principal: ExternalPrincipal) -> bool | None:
    """Whether it applies to the principal. None: AWS doesn't document it."""
    if statement.principal is None:
        return False
    named = some(_names(type_, name, principal) for type_, listed in statement.principal.items() for name in listed)
    if statement.allows:
        return (named is not True) if statement.negated else named is not False
    return named if not statement.negated else None if named is None else not named


def _names(type_: str, name: str, principal: ExternalPrincipal) -> bool | None:
    """Whether a name in a Principal element names the principal. A web identity session is named by its provider."""
    if name == "*":
        return type_ != "Federated" or principal.kind == "role"
    if type_ == "Federated":
        return principal.kind == "role" and not name.startswith("arn:")
    if type_ == "AWS" and "*" in name.split(":")[4:5]:  # AWS accepts no such ARN today
        return None if not principal.anonymous else False
    return False


def _words(statement: Statement) -> Iterator[str]:
    for entry in statement.condition:
        yield from entry.values
    if statement.resources:
        yield from statement.resources.words


def _on(key: str, involved: Iterable[Statement]) -> list[Entry]:
    return [entry for statement in involved for entry in statement.condition if entry.key == key]


def _for(statement: Statement, context: Mapping[str, RequestValue], judged: set[str]) -> Statement:
    """The statement with the values of variables substituted in its conditions."""
    if not statement.variables:
        return statement
    condition = tuple(request_variables.with_values(entry, context, judged) for entry in statement.condition)
    return replace(statement, condition=condition)
