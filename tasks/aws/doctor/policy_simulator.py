"""What IAM says of actions that nothing is there to try on: iam:SimulatePrincipalPolicy, where that is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tasks.access import Access, Finding, How
from tasks.aws.client.client import AwsApi
from tasks.failures import CallFailed, RetryLater

_ACCESS: Final = {"allowed": Access.ALLOWED, "implicitDeny": Access.DENIED, "explicitDeny": Access.DENIED}


async def simulated(home: AwsApi, principal: str | None, actions: Iterable[str]) -> dict[str, Finding]:
    """By action; nothing where the simulation is refused, or hangs on what it isn't told, as the region.

    It knows the principal's policies and boundary. Policies of resources, and most of those of the organization, it
    doesn't: a call may be refused all the same.
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
    """ARN of the user or role behind an identity; None where it can't be known, and for the root user.

    The name of a session leaves out the path of its role, without which no policy and no simulation knows the role.
    """
    kind, _, rest = identity.split(":")[5].partition("/")
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
