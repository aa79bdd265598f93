"""Whether a resource's policy lets in a stranger, and for what: the whole policy, as AWS evaluates it for a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Open is what some stranger may do by an Allow whose conditions it can fulfil, in a request that no Deny forbids. What
such a request may look like is tried out: each key that the policy asks for, with one value of each kind that its
conditions tell apart. Closed is what no such request gets. What depends on an operator or a key that isn't judged is
neither: it isn't known.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final

from analysis.iam import policy_variables, strangers
from analysis.iam.condition_operators import Entry, Found
from analysis.iam.patterns import any_value, covers, overlaps
from analysis.iam.resource_actions import means, named, on_objects
from analysis.iam.resource_statements import Statement, statements
from analysis.iam.stranger_requests import Request, TooMany, may_be_fulfilled, may_be_made
from analysis.iam.strangers import KINDS, PLACES, Stranger

_WITHOUT_ANONYMOUS: Final = frozenset({"kms"})  # every call to it is signed
_MAX_ASSIGNMENTS: Final = 500
_MAX_NAMED: Final = 5
_MAX_ACCOUNTS: Final = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """`actions`: what a stranger may do, as the policy has it, sorted; None where that isn't known, for the `reason`.

    Of a word of which a Deny takes something away it is the actions that are left.
    """

    actions: tuple[str, ...] | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """`forms`: the ARNs of the resource and of what is in it, as patterns. `account`: that owns it."""

    service: str
    forms: tuple[str, ...] = ("*",)
    account: str | None = None


def verdict(document: str, resource: Resource, now: float | None = None) -> Verdict:
    """`document`: JSON text. `now`: seconds since 1970."""
    try:
        policy = _Policy(resource, statements(document), time.time() if now is None else now)
    except ValueError as error:
        return Verdict(None, f"it can't be read: {error}")
    surely = policy.allowed(sure=True)
    if surely:
        return Verdict(tuple(sorted(surely)))
    if policy.allowed(sure=False) or policy.trouble:
        return Verdict(None, policy.reason())
    return Verdict(())


@dataclass
class _Policy:
    resource: Resource
    statements: Sequence[Statement]
    now: float
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = [entry for statement in self.statements for entry in statement.condition]
        self.denies = [statement for statement in self.statements if not statement.allows]
        self.accounts = strangers.accounts(self.entries, self.resource.account)
        if len(self.accounts) > _MAX_ACCOUNTS:
            self.trouble.append("more patterns of accounts than can be tried")

    def reason(self) -> str:
        keys = sorted({entry.key for entry in self.entries if not strangers.is_judged(entry.key)})
        operators = sorted({entry.operator for entry in self.entries if not entry.known})
        why = [f"condition key {key}" for key in keys] + [f"operator {name}" for name in operators]
        more = [] if why else list(dict.fromkeys(self.trouble)) or ["a value of a condition"]
        return f"not judged: {', '.join([*why, *more][:_MAX_NAMED])}"

    def allowed(self, *, sure: bool) -> set[str]:
        """The actions that some stranger is allowed. `sure`: what isn't known counts against it, and else for it."""
        found: set[str] = set()
        for statement in self.statements:
            if statement.allows:
                for word, every in named(statement.actions, self.resource.service).items():
                    meant = [action for action in every if self._is_on(statement, action)]
                    if not meant and statement.resources and not statement.resources.but:
                        meant = every  # S3 takes no such statement today: better too much
                    left = self._left(statement, meant, sure=sure)
                    found |= {word} if len(left) == len(meant) else left
        return found

    def _left(self, allow: Statement, meant: Sequence[str], *, sure: bool) -> set[str]:
        """Of the actions that an Allow means, those that it gives to some stranger."""
        left: set[str] = set()
        groups = self._groups(meant)
        for stranger in self._strangers():
            if len(left) == len(meant):
                break
            if not names(allow, stranger):
                continue
            denies = {
                number: one
                for number, one in enumerate(self.denies)
                if names(one, stranger) in ((True, None) if sure else (True,))
            }
            try:
                for request in self._requests(stranger, allow, denies):
                    if may_be_fulfilled(request, sure=sure):
                        for (about, of_objects), actions in groups.items():
                            if actions[0] not in left and may_be_made(request, about, of_objects, sure=sure):
                                left.update(actions)
            except (TooMany, ValueError) as error:
                self.trouble.append(str(error))
        return left

    def _groups(self, actions: Sequence[str]) -> Mapping[tuple[frozenset[int], bool | None], list[str]]:
        """The actions by the numbers of the denials that mean them, and by whether they are on objects."""
        groups: defaultdict[tuple[frozenset[int], bool | None], list[str]] = defaultdict(list)
        for action in actions:
            about = frozenset(number for number, one in enumerate(self.denies) if means(one.actions, action))
            groups[about, on_objects(action) if self.resource.service == "s3" else None].append(action)
        return groups

    def _is_on(self, allow: Statement, action: str) -> bool:
        """Whether it is on anything that the statement is about: objects, or the bucket itself."""
        if self.resource.service != "s3" or allow.resources is None:
            return True
        form = self.resource.forms[-1 if on_objects(action) else 0]
        same = covers if allow.resources.but else overlaps
        return any(same(any_value(word), form) for word in allow.resources.words) is not allow.resources.but

    def _strangers(self) -> Iterator[Stranger]:
        kinds = [kind for kind in KINDS if kind != "anonymous" or self.resource.service not in _WITHOUT_ANONYMOUS]
        for kind, place, account in product(kinds, PLACES, self.accounts[:_MAX_ACCOUNTS]):
            yield Stranger(kind, place, account, self.resource.account, self.now)

    def _requests(self, stranger: Stranger, allow: Statement, denies: Mapping[int, Statement]) -> Iterator[Request]:
        """The policy for the stranger, once for each choice of what variables stand for."""
        involved = [allow, *denies.values()]
        used = sorted({key for one in involved if one.variables for key in policy_variables.keys(_words(one))})
        judged = {key for key in used if strangers.is_judged(key)}
        choices = [strangers.values(stranger, key, _on(key, involved)) if key in judged else [None] for key in used]
        for number, chosen in enumerate(product(*choices)):
            if number >= _MAX_ASSIGNMENTS:
                raise TooMany("more values of policy variables than can be tried")
            context = dict(zip(used, chosen, strict=True))
            mine, *others = [_for(one, context, judged) if used else one for one in involved]
            yield Request(stranger, mine, dict(zip(denies, others, strict=True)), self.resource.forms, context)


def names(statement: Statement, stranger: Stranger) -> bool | None:
    """Whether it is about the stranger. None: AWS doesn't say."""
    if statement.principal is None:
        return False
    meant = [_means(type_, name, stranger) for type_, listed in statement.principal.items() for name in listed]
    found = True if True in meant else None if None in meant else False
    if statement.allows:
        return (found is not True) if statement.but else found is not False
    return found if not statement.but else None if found is None else not found


def _means(type_: str, name: str, stranger: Stranger) -> bool | None:
    """Whether a name of a Principal is the stranger's. Of a session by web identity, its provider is named."""
    if name == "*":
        return type_ != "Federated" or stranger.kind == "role"
    if type_ == "Federated":
        return stranger.kind == "role" and not name.startswith("arn:")
    if type_ == "AWS" and "*" in name.split(":")[4:5]:  # AWS takes no such ARN today
        return None if not stranger.anonymous else False
    return False


def _words(statement: Statement) -> Iterator[str]:
    for entry in statement.condition:
        yield from entry.values
    if statement.resources:
        yield from statement.resources.words


def _on(key: str, involved: Iterable[Statement]) -> list[Entry]:
    return [entry for statement in involved for entry in statement.condition if entry.key == key]


def _for(statement: Statement, context: Mapping[str, Found], judged: set[str]) -> Statement:
    """The statement with what the variables stand for in its conditions."""
    if not statement.variables:
        return statement
    condition = tuple(policy_variables.with_values(entry, context, judged) for entry in statement.condition)
    return replace(statement, condition=condition)
