from __future__ import annotations

import fakeredis
import pytest

from loaders.ledger import Ledger, State
from loaders.scope import Scope
from tasks.engine.ending import Ending
from tasks.failures import CallFailed, Failure, InvalidRecord, NotConfigured


@pytest.mark.parametrize(
    ("error", "state", "text"),
    [
        (
            CallFailed(Failure.DENIED, "ec2:DescribeVpcs", "You are not authorized", code="UnauthorizedOperation"),
            State.DENIED,
            "UnauthorizedOperation ec2:DescribeVpcs: You are not authorized",
        ),
        (CallFailed(Failure.NOT_ENABLED, "es:List", "no"), State.SKIPPED, "not enabled es:List: no"),
        (CallFailed(Failure.TRANSIENT, "es:List", "no"), State.FAILED, "transient: es:List: no"),
        (NotConfigured("set OKTA_TOKEN"), State.SKIPPED, "set OKTA_TOKEN"),
        (InvalidRecord("Thing.id: missing"), State.FAILED, "rejected: Thing.id: missing"),
        (KeyError("Name"), State.FAILED, "unexpected KeyError: 'Name'"),
    ],
)
def test_how_an_error_ends_a_scope(error: Exception, state: State, text: str) -> None:
    ending = Ending.of(error)
    assert (ending.state, str(ending.reason)) == (state, text)


def test_of_an_api_that_was_reached_code_and_permission_say_why() -> None:
    denied = CallFailed(Failure.DENIED, "ec2:DescribeVpcs", "a long message", code="UnauthorizedOperation")
    assert str(Ending.of(denied, is_reached=True).reason) == "UnauthorizedOperation ec2:DescribeVpcs"


@pytest.mark.parametrize(
    "error",
    [
        CallFailed(Failure.DENIED, "GET /orgs/{org}/teams (needs read:org)", "Forbidden", code="403"),
        CallFailed(Failure.NOT_ENABLED, "compute:instances.list", "off", code="SERVICE_DISABLED"),
        CallFailed(Failure.UNEXPECTED, "GET /api/v1/users", "no"),
    ],
)
def test_the_ledger_returns_the_fields_that_were_recorded(error: CallFailed) -> None:
    scope = Scope(type="toy.tenants", tenant="toy")
    ledger = Ledger(fakeredis.FakeRedis(version=(7,)), "1-ab")
    ledger.open(tag=1, config={}, window=1, planners=[scope])
    attempt = ledger.begin(scope, lease_seconds=60, worker="w")
    assert attempt
    ending = Ending.of(error)
    ending.record(ledger, attempt, {})
    unit = ledger.unit(scope)
    assert unit
    assert (unit.state, unit.why, unit.reason) == (ending.state, ending.reason, str(ending.reason))
