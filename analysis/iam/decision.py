"""Whether one principal may do one action on one resource, and which statements decide that. Pure.

The verdict is known only if every policy that could change it was read: an unread one might allow it, or deny it. An
verdict that no unread policy could change is given nevertheless: a denial in a policy that was read holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from analysis.iam.edge_conditions import Way, as_text
from analysis.iam.permission_grants import deny_removed
from analysis.iam.policy_evaluation import ALWAYS, Access, Condition, Statement, any_of, combined
from analysis.iam.principals import Principal
from analysis.iam.resources import Resources
from analysis.iam.trust import How, Trust, TrustStatement, naming, trust

ROLE_TRUST: Final = "trust policy"
BUCKET_POLICY: Final = "bucket policy"


class Verdict(Enum):
    YES = "yes"
    CONDITIONALLY = "conditionally"
    NO = "no"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    """What a resource's own policy says of the action. `needed`: without it nobody is allowed, as with a role's trust.

    unread      why the policy isn't known; None: it is
    """

    kind: str
    name: str
    statements: tuple[TrustStatement, ...] = ()
    needed: bool = False
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """An action on a resource: `resources` holds the resource's ARN alone, or a part of it.

    account, organization   of the resource; None: not known, or the principal's own
    """

    action: str
    arn: str
    resources: Resources
    policy: ResourcePolicy | None = None
    account: str | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Deciding:
    """A statement that applies to the request. `policy`: an ARN or id; `kind`: identity, boundary, or a resource's."""

    kind: str
    effect: str
    policy: str
    statement: str
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class Decision:
    """
    conditions   JSON text in the form of docs/compatibility.md, if it is allowed under conditions
    reason       why it isn't allowed, or not judged
    unread       what was not read
    statements   that apply to the request
    """

    verdict: Verdict
    conditions: str | None = None
    reason: str | None = None
    unread: tuple[str, ...] = ()
    statements: tuple[Deciding, ...] = ()


def decide(principal: Principal, asked: Asked) -> Decision:
    if asked.policy is None and asked.account not in (None, principal.account):
        policy = ResourcePolicy("resource policy", asked.arn, unread=f"the policy of {asked.arn}")
        asked = replace(asked, policy=policy)
    decision = _decide(principal, asked)
    policy_unread = asked.policy.unread if asked.policy else None
    if not principal.unread and policy_unread is None:
        return decision
    most = _decide(principal.at_most(), asked)
    if most.verdict is Verdict.NO:
        return replace(decision, verdict=Verdict.NO, conditions=None, reason=most.reason)
    unread = (*principal.unread, *([policy_unread] if policy_unread else ()))
    reason = f"not read: {', '.join(unread)}"
    return replace(decision, verdict=Verdict.NOT_JUDGED, conditions=None, reason=reason, unread=unread)


def _decide(principal: Principal, asked: Asked) -> Decision:
    source = principal.in_request_for(asked.account or principal.account, asked.organization)
    own = _access(source.statements, asked)
    boundary = None if source.boundary is None else _access(source.boundary, asked)
    of_resource = _of_resource(source, asked)
    denied = any_of(own.deny.get(asked.arn), of_resource.denied)
    if boundary is not None:
        denied = any_of(denied, boundary.deny.get(asked.arn))
    statements = tuple(deciding(source, asked))
    if denied == ALWAYS:
        return Decision(Verdict.NO, reason="a statement denies it", statements=statements)
    identity: Way = {"identity": own.allow.get(asked.arn)}
    if boundary is not None:
        identity["boundary"] = boundary.allow.get(asked.arn)
    ways = [deny_removed(way, denied) for way in _ways(source, asked, identity, of_resource)]
    possible = [way for way in ways if None not in way.values()]
    if not possible:
        return Decision(Verdict.NO, reason=_why_not(asked, identity, of_resource), statements=statements)
    conditions = as_text(possible, denied)
    verdict = Verdict.YES if conditions is None else Verdict.CONDITIONALLY
    return Decision(verdict, conditions, statements=statements)


def _access(statements: tuple[Statement, ...], asked: Asked) -> Access:
    return combined((one for one in statements if one.applies_to(asked.action)), asked.resources)


def _of_resource(source: Principal, asked: Asked) -> Trust:
    """What the resource's policy says; the most that it could, if it was not read."""
    if asked.policy is None:
        return Trust({}, None)
    if asked.policy.unread is not None:
        return Trust({How.ANYBODY: ALWAYS}, None)
    return trust(asked.policy.statements, source, asked.account or source.account, asked.organization)


def _ways(source: Principal, asked: Asked, identity: Way, of_resource: Trust) -> Iterator[Way]:
    """The combinations of policies of which one must allow it."""
    same_account = asked.account in (None, source.account)
    if same_account and not (asked.policy and asked.policy.needed):
        yield identity
    for how, conditions in of_resource.by.items():
        kind = asked.policy.kind.replace(" ", "_").removesuffix("_policy") if asked.policy else ""
        yield {kind: conditions} | {
            name: identity[name] for name in _required(how, source, identity, same=same_account)
        }


def _required(how: How, source: Principal, identity: Way, *, same: bool) -> list[str]:
    """The policies of the principal's that must allow it next to the resource's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
    """
    if how is How.ACCOUNT or not same:
        return list(identity)
    return [name for name in identity if name == "boundary"] if how is How.ITSELF and source.is_role else []


def _why_not(asked: Asked, identity: Way, of_resource: Trust) -> str:
    if asked.policy and asked.policy.needed and not of_resource.by:
        return f"the {asked.policy.kind} of {asked.policy.name} doesn't allow it"
    if identity["identity"] is None:
        return "no statement allows it"
    if identity.get("boundary", ALWAYS) is None:
        return "the permissions boundary doesn't allow it"
    if asked.policy and not of_resource.by:
        return f"the {asked.policy.kind} of {asked.policy.name} doesn't allow it from another account"
    return "what is allowed is always denied"


def deciding(source: Principal, asked: Asked) -> Iterator[Deciding]:
    """The statements that apply; `source`: with its policies resolved for the request."""
    for kind, statements in (("identity", source.statements), ("boundary", source.boundary or ())):
        for one in statements:
            if one.id and one.applies_to(asked.action) and (words := _matched(one, asked)) is not None:
                yield Deciding(kind, _effect(one.allows), one.policy, one.id.rpartition("/")[2], words or one.condition)
    if asked.policy is not None and asked.policy.unread is None:
        owner = asked.account or source.account
        for statement, _, conditions in naming(asked.policy.statements, source, owner, asked.organization):
            condition = next(iter(sorted(conditions)), None)
            yield Deciding(asked.policy.kind, _effect(statement.allows), asked.policy.name, statement.name, condition)


def _matched(statement: Statement, asked: Asked) -> Condition | None:
    """The condition under which its resources match, '' if they always do; None if they never do."""
    found = combined([statement], asked.resources)
    conditions = (found.allow if statement.allows else found.deny).get(asked.arn)
    return None if conditions is None else next(iter(conditions), "")


def _effect(allows: bool) -> str:
    return "Allow" if allows else "Deny"
