"""The statements that apply to the actions of a step of an attack path."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.iam.attack_account import Account
from analysis.iam.attack_actor import Actor
from analysis.iam.attack_catalogue import NEW
from analysis.iam.attack_steps import Step, of
from analysis.iam.decision import ROLE_TRUST, Asked, Deciding, ResourcePolicy, deciding
from analysis.iam.resources import Resources
from analysis.iam.trust import ACTION


def explained(step: Step, account: Account) -> Iterator[Deciding]:
    """Each statement once, by the order of the way's actions."""
    actor = Actor(of(step.source, account), account)
    found = (one for asked in _asked(step, account) for one in deciding(actor.source, asked))
    yield from dict.fromkeys(found)


def _asked(step: Step, account: Account) -> Iterator[Asked]:
    for requirement in step.way.requires:
        arn = step.things.get(requirement.on)
        if requirement.action == ACTION and arn is not None:
            yield _assuming(arn, account)
        elif arn is not None:
            yield Asked(requirement.action, arn, Resources((arn,)))
        else:
            for chosen in step.chosen:
                if chosen.action == requirement.action or requirement.on != NEW:
                    yield Asked(requirement.action, chosen.arn, Resources((chosen.arn,)))


def _assuming(arn: str, account: Account) -> Asked:
    [role] = [role for role in account.assumable if role.arn == arn]
    policy = ResourcePolicy(ROLE_TRUST, arn, role.trust, needed=True)
    return Asked(ACTION, arn, Resources((arn,)), policy, role.account, role.organization)
