"""iam:SimulatePrincipalPolicy, where allowed: for actions that can't be tried because no item exists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tasks.access import Access, Finding, How
from tasks.aws.client.client import AwsApi
from tasks.aws.vocabulary.arn import resource_of
from tasks.failures import CallFailed, RetryLater

_ACCESS: Final = {"allowed": Access.ALLOWED, "implicitDeny": Access.DENIED, "explicitDeny": Access.DENIED}


async def simulated(home: AwsApi, principal: str | None, actions: Iterable[str]) -> dict[str, Finding]:
    """Findings by action; none if the simulation is denied, or needs context that it isn't given, such as the region.

    It evaluates the principal's policies and boundary, but not resource policies, and few service control policies: a
    call may be denied all the same.
    """
    names = sorted(actions)
    if principal is None or not names:
        return {}
    try:
        response = await home.read_all("iam:SimulatePrincipalPolicy", PolicySourceArn=principal, ActionNames=names)
    except (CallFailed, RetryLater):
        return {}
    return {
        result["EvalActionName"]: Finding(
            _ACCESS[result["EvalDecision"]], How.SIMULATION, _reason(result["EvalDecision"])
        )
        for result in response["EvaluationResults"]
        if not result.get("MissingContextValues")
    }


def _reason(decision: str) -> str:
    return "" if decision == "allowed" else decision


async def principal_of(home: AwsApi, identity: str) -> str | None:
    """ARN of the user or role of an identity; None for the root user, and where it can't be found out.

    The ARN of a session lacks the path of its role, which policies and the simulator require.
    """
    kind, _, rest = resource_of(identity).partition("/")
    if kind == "user":
        return identity
    if kind != "assumed-role":
        return None
    try:
        response = await home.call("iam:GetRole", RoleName=rest.split("/")[0])
    except (CallFailed, RetryLater):
        return None
    arn: str = response["Role"]["Arn"]
    return arn
