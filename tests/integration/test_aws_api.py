"""The AWS API of the fetch engine against the simulator, over HTTP: paging, classes of failure, retries, the rate
budget.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import redis

from tasks.aws.client import client as aws_api
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi
from tasks.clients.client import MAX_ATTEMPTS
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.engine.listing import listing
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import NOT_SEEN, Gap, Item, Tenant
from tests.servers.aws import AwsServer, Effect, Fault
from tests.servers.responses import ResponseServer

ACCOUNT = "111122223333"
REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws(simulator: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": simulator.url}).items():
        monkeypatch.setenv(name, value)
    simulator.reset()
    return simulator


def call(broker: redis.Redis, work: Any, *, region: str = REGION, longest_wait_seconds: float = 20) -> Any:
    """What `work(api)` returns, with clients that end with it."""

    async def run() -> Any:
        tenant = Tenant(provider="aws", id=ACCOUNT, access={"partition": "aws"})
        api = AwsApi(tenant, region, RedisRateLimiter(broker, longest_wait_seconds=longest_wait_seconds), "aws")
        try:
            return await work(api)
        finally:
            await aws_api.close()
            credentials.forget(tenant.access)

    return asyncio.run(run())


async def items(api: AwsApi, declared: Any) -> list[Item]:
    return [item async for item in declared.items(api, "")]


def roles(**parameters: Any) -> Any:
    return listing("iam:ListRoles", **parameters)


@pytest.fixture(scope="module")
def role_names(simulator: AwsServer) -> set[str]:
    keys: dict[str, Any] = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "x"}
    iam = boto3.client("iam", region_name=REGION, endpoint_url=simulator.url, **keys)
    names = {f"role-{number}" for number in range(12)}
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Statement": []}')
    return names


def test_every_page_is_read(aws: AwsServer, broker: redis.Redis, role_names: set[str]) -> None:
    found = call(broker, lambda api: items(api, roles(MaxItems=5)))
    assert role_names <= {item.value["RoleName"] for item in found}
    assert aws.calls().count("iam", "ListRoles") == 3


def test_a_page_that_is_denied_raises_with_the_action_that_is_missing(
    aws: AwsServer, broker: redis.Redis, role_names: set[str]
) -> None:
    aws.add(Fault(Effect.DENY, service="iam", action="ListRoles", after=1))
    with pytest.raises(CallFailed) as caught:
        call(broker, lambda api: items(api, roles(MaxItems=5)))
    assert caught.value.failure is Failure.DENIED
    assert (caught.value.action, caught.value.code) == ("iam:ListRoles", "AccessDenied")


def test_throttles_slow_the_whole_fleet_down_and_lose_nothing(
    aws: AwsServer, broker: redis.Redis, role_names: set[str]
) -> None:
    aws.add(Fault(Effect.THROTTLE, service="iam", times=2))
    found = call(broker, lambda api: items(api, roles()))
    assert role_names <= {item.value["RoleName"] for item in found}
    rate = float(broker.hget(f"chartfleet:rate_limit:aws:{ACCOUNT}:{REGION}:iam", "rate"))  # type: ignore[arg-type]
    assert rate < aws_api._LIMITS["iam"].initial


def test_retry_after_is_kept(aws: AwsServer, broker: redis.Redis) -> None:
    aws.add(Fault(Effect.THROTTLE, service="ec2", times=1, retry_after_seconds=1))
    call(broker, lambda api: api.call("ec2:DescribeVpcs"))
    first, second = aws.calls(recent=2).recent
    assert second.at - first.at >= 1.0


def test_a_wait_that_would_be_long_gives_the_scope_back(aws: AwsServer, broker: redis.Redis) -> None:
    aws.add(Fault(Effect.THROTTLE, service="ec2", retry_after_seconds=120))
    with pytest.raises(RetryLater) as caught:
        call(broker, lambda api: api.call("ec2:DescribeVpcs"), longest_wait_seconds=2)
    assert caught.value.after_seconds > 100
    assert aws.calls().count("ec2") == 1, "no call is sent while told to wait"


def test_a_call_that_is_throttled_again_and_again_gives_the_scope_back(aws: AwsServer, broker: redis.Redis) -> None:
    """Also where each wait is short: its worker has better things to do."""
    aws.add(Fault(Effect.THROTTLE, service="ec2"))
    with pytest.raises(RetryLater, match="throttled 6 times"):
        call(broker, lambda api: api.call("ec2:DescribeVpcs"))
    assert aws.calls().count("ec2") == 6


def test_what_another_account_shares_is_left_to_its_own_scope(aws: AwsServer, broker: redis.Redis) -> None:
    vpcs = listing("ec2:DescribeVpcs", owner_path="OwnerId")
    assert len(call(broker, lambda api: items(api, vpcs))) == 1
    other = Tenant(provider="aws", id="999999999999", access={"partition": "aws"})
    assert call(broker, lambda api: items(replace(api, tenant=other), vpcs)) == []


@pytest.mark.parametrize("effect", [Effect.ERROR, Effect.DISCONNECT])
def test_transient_errors_are_tried_again(aws: AwsServer, broker: redis.Redis, effect: Effect) -> None:
    aws.add(Fault(effect, service="ec2", times=2))
    assert call(broker, lambda api: api.call("ec2:DescribeVpcs"))["Vpcs"]


def test_an_error_that_stays_fails_after_five_tries(
    aws: AwsServer, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.clients.client.random.uniform", lambda low, high: 0)
    aws.add(Fault(Effect.ERROR, service="ec2"))
    with pytest.raises(CallFailed) as caught:
        call(broker, lambda api: api.call("ec2:DescribeVpcs"))
    assert caught.value.failure is Failure.TRANSIENT
    assert aws.calls().count("ec2") == MAX_ATTEMPTS


def test_expired_credentials_are_renewed_once(aws: AwsServer, broker: redis.Redis) -> None:
    aws.add(Fault(Effect.EXPIRED, service="ec2", times=1))
    assert call(broker, lambda api: api.call("ec2:DescribeVpcs"))["Vpcs"]
    aws.add(Fault(Effect.EXPIRED, service="ec2"))
    with pytest.raises(CallFailed) as caught:
        call(broker, lambda api: api.call("ec2:DescribeVpcs"))
    assert caught.value.failure is Failure.EXPIRED


@pytest.mark.parametrize(
    ("region", "failure"), [("me-south-1", Failure.NOT_ENABLED), (REGION, Failure.DENIED)], ids=["closed", "enabled"]
)
def test_a_region_that_refuses_valid_keys_is_skipped_only_if_it_is_not_enabled(
    aws: AwsServer, broker: redis.Redis, region: str, failure: Failure
) -> None:
    """An enabled one may refuse a session token of the global STS endpoint: what is in it was not seen."""
    aws.add(Fault(Effect.NOT_ENABLED, region=region))
    with pytest.raises(CallFailed) as caught:
        call(broker, lambda api: api.call("ec2:DescribeVpcs"), region=region)
    assert caught.value.failure is failure


def test_keys_that_no_region_takes_are_denied_not_skipped(aws: AwsServer, broker: redis.Redis) -> None:
    aws.add(Fault(Effect.NOT_ENABLED))
    with pytest.raises(CallFailed) as caught:
        call(broker, lambda api: api.call("ec2:DescribeVpcs"))
    assert caught.value.failure is Failure.DENIED, "not seen must never read as none"


class TestARegionWithoutTheService:
    """Of a partition that no network but its own reaches: whoever asks for its names is told that there are none."""

    @pytest.fixture(autouse=True)
    def aws_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        monkeypatch.setattr("tasks.clients.client.random.uniform", lambda low, high: 0)

    def failed(self, broker: redis.Redis, action: str) -> CallFailed:
        async def work(api: AwsApi) -> None:
            await replace(api, partition="aws-iso").call(action)

        with pytest.raises(CallFailed) as caught:
            call(broker, work, region="us-iso-west-1")
        return caught.value

    def test_is_skipped(self, broker: redis.Redis) -> None:
        found = self.failed(broker, "athena:ListWorkGroups")
        assert (found.failure, found.code) == (Failure.NOT_ENABLED, "not available in us-iso-west-1")

    def test_is_told_from_a_network_that_is_away(self, broker: redis.Redis) -> None:
        """EC2 is there: that nothing answers means that nothing was seen."""
        assert self.failed(broker, "ec2:DescribeVpcs").failure is Failure.TRANSIENT


@pytest.mark.parametrize("declared", [listing("ec2:DescribeVpcs"), roles(), listing("rds:DescribeDBInstances")])
def test_a_response_cut_short_is_no_empty_response(
    aws: AwsServer, broker: redis.Redis, declared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.clients.client.random.uniform", lambda low, high: 0)
    aws.add(Fault(Effect.MALFORMED))
    with pytest.raises(CallFailed) as caught:
        call(broker, lambda api: items(api, declared))
    assert caught.value.failure is Failure.INVALID_RESPONSE


class TestDetails:
    """A call per item: bounded in flight, each item's failure its own."""

    LISTED = listing("s3:ListBuckets", not_found_codes="NoSuchBucket").detail("s3:GetBucketAcl", Bucket="Name")
    POLICIES = listing("s3:ListBuckets").detail(
        "s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy", gap=True
    )

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def names(cls, simulator: AwsServer) -> list[str]:
        keys: dict[str, Any] = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "x"}
        s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=simulator.url, **keys)
        names = [f"details-{number:03}" for number in range(60)]
        for name in names:
            s3.create_bucket(Bucket=name)
        return names

    def test_details_are_merged_under_the_name_of_their_operation(self, aws: AwsServer, broker: redis.Redis) -> None:
        found = call(broker, lambda api: items(api, self.LISTED), region="global")
        assert len(found) == 60
        assert all(item.value["GetBucketAcl"]["Grants"] for item in found)

    def test_details_fan_out_with_a_bound(self, aws: AwsServer, broker: redis.Redis) -> None:
        aws.latency(0.1)
        begun = time.monotonic()
        call(broker, lambda api: items(api, self.LISTED), region="global")
        assert time.monotonic() - begun < 60 * 0.1 / 2, "one by one would take 6 s"
        assert 2 < aws.calls().max_in_flight <= CALLS_IN_FLIGHT

    def test_a_bucket_that_vanished_is_gone_and_the_rest_goes_on(self, aws: AwsServer, broker: redis.Redis) -> None:
        aws.add(Fault(Effect.DENY, action="GetBucketAcl", bucket="details-007", code="NoSuchBucket", status=404))
        found = call(broker, lambda api: items(api, self.LISTED), region="global")
        failed = [item for item in found if item.failure]
        assert [(item.value["Name"], item.failure.failure) for item in failed] == [("details-007", Failure.NOT_FOUND)]

    def test_a_detail_that_some_cannot_have_is_asked_for_the_others_only(
        self, aws: AwsServer, broker: redis.Redis
    ) -> None:
        some = listing("s3:ListBuckets").detail("s3:GetBucketAcl", Bucket="Name", only={"Name": "details-007"})
        found = call(broker, lambda api: items(api, some), region="global")
        assert [item.value["Name"] for item in found if "GetBucketAcl" in item.value] == ["details-007"]
        assert len(found) == 60
        assert aws.calls().count("s3", "GetBucketAcl") == 1

    def test_a_detail_not_found_is_no_vanished_item(self, aws: AwsServer, broker: redis.Redis) -> None:
        """A declaration that says neither of both must not delete the bucket: it has no policy, and is still there."""
        undeclared = listing("s3:ListBuckets", not_found_codes="NoSuchBucket").detail(
            "s3:GetBucketPolicy", Bucket="Name"
        )
        found = call(broker, lambda api: items(api, undeclared), region="global")
        assert {item.value["GetBucketPolicy"] is NOT_SEEN for item in found} == {True}
        assert "neither absent_codes nor not_found_codes" in found[0].gaps[0].reason

    def test_no_policy_is_an_response_and_a_denied_one_a_gap(self, aws: AwsServer, broker: redis.Redis) -> None:
        aws.add(Fault(Effect.DENY, action="GetBucketPolicy", bucket="details-003"))
        found = call(broker, lambda api: items(api, self.POLICIES), region="global")
        by_name = {item.value["Name"]: item for item in found}
        assert by_name["details-001"].value["GetBucketPolicy"] == {}
        assert by_name["details-003"].value["GetBucketPolicy"] is None
        assert [gap.action for gap in by_name["details-003"].gaps] == ["s3:GetBucketPolicy"]


class TestDetailsOfPages:
    """A detail is read to its last page; and each of what it lists may have details of its own."""

    GROUPS = listing("iam:ListGroups").detail("iam:GetGroup", GroupName="GroupName")
    OF_MEMBERS = GROUPS.detail(
        "iam:ListAccessKeys", each="GetGroup.Users[]", UserName="UserName", absent_codes="NoSuchEntity", gap=True
    )

    @pytest.fixture
    def responses(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseServer]:
        group = {"Path": "/", "GroupId": "AGPA1", "Arn": "arn:aws:iam::1:group/g", "CreateDate": "2024-05-01T08:30:00Z"}
        with ResponseServer() as server:
            for name, value in (KEYS | {"AWS_ENDPOINT_URL": server.url}).items():
                monkeypatch.setenv(name, value)
            server.responses = {
                "iam:ListGroups": [{"Groups": [{"GroupName": name, **group} for name in ("ops", "empty")]}],
                "iam:GetGroup": {
                    "ops": [
                        {
                            "Group": {"GroupName": "ops", **group},
                            "Users": [user("ann")],
                            "IsTruncated": True,
                            "Marker": "page-2",
                        },
                        {"Group": {"GroupName": "ops", **group}, "Users": [user("ben"), user("cid")]},
                    ],
                    "empty": {"Group": {"GroupName": "empty", **group}, "Users": []},
                },
                "iam:ListAccessKeys": {
                    "ann": {"AccessKeyMetadata": [{"UserName": "ann", "AccessKeyId": "AKIAANN"}]},
                    "ben": "NoSuchEntity",
                    "cid": "AccessDenied",
                },
            }
            yield server

    def test_every_page_of_a_detail_is_read(self, responses: ResponseServer, broker: redis.Redis) -> None:
        found = by_name(call(broker, lambda api: items(api, self.GROUPS), region="global"))
        assert [one["UserName"] for one in found["ops"].value["GetGroup"]["Users"]] == ["ann", "ben", "cid"]
        assert found["ops"].value["GetGroup"]["Group"]["GroupName"] == "ops", "what doesn't page is as it was"
        assert found["empty"].value["GetGroup"]["Users"] == []

    def test_a_page_that_promises_more_and_does_not_say_where_is_no_end(
        self, responses: ResponseServer, broker: redis.Redis
    ) -> None:
        pages = responses.responses["iam:GetGroup"]["ops"]
        del pages[0]["Marker"]
        found = by_name(call(broker, lambda api: items(api, self.GROUPS), region="global"))
        assert found["ops"].value["GetGroup"] is NOT_SEEN
        [gap] = found["ops"].gaps
        assert gap.reason == "invalid response: the response has more pages, but no token"

    def test_a_page_of_a_detail_that_was_cut_short_is_no_end(
        self, responses: ResponseServer, broker: redis.Redis
    ) -> None:
        pages = responses.responses["iam:GetGroup"]["ops"]
        del pages[1]["Users"]
        found = by_name(call(broker, lambda api: items(api, self.GROUPS), region="global"))
        assert found["ops"].value["GetGroup"] is NOT_SEEN
        assert found["ops"].gaps == (Gap("iam:GetGroup", "invalid response: the response has no Users"),)
        assert found["empty"].failure is None

    def test_a_detail_of_each_element_is_merged_into_it(self, responses: ResponseServer, broker: redis.Redis) -> None:
        """No response, none, and not seen are three things there, too."""
        found = by_name(call(broker, lambda api: items(api, self.OF_MEMBERS), region="global"))
        ann, ben, cid = found["ops"].value["GetGroup"]["Users"]
        assert [key["AccessKeyId"] for key in ann["ListAccessKeys"]["AccessKeyMetadata"]] == ["AKIAANN"]
        assert ben["ListAccessKeys"] == {}
        assert cid["ListAccessKeys"] is None
        assert [gap.action for gap in found["ops"].gaps] == ["iam:ListAccessKeys"]
        assert found["empty"].failure is None


def user(name: str) -> dict[str, str]:
    arn = f"arn:aws:iam::111122223333:user/{name}"
    return {"UserName": name, "Path": "/", "UserId": f"AIDA{name}", "Arn": arn, "CreateDate": "2024-05-01T08:30:00Z"}


def by_name(found: list[Item]) -> dict[str, Item]:
    return {item.value["GroupName"]: item for item in found}


def test_no_key_of_aws_is_in_redis(aws: AwsServer, broker: redis.Redis) -> None:
    os.environ["AWS_SECRET_ACCESS_KEY"] = "a-secret-that-must-not-travel"
    call(broker, lambda api: api.call("ec2:DescribeVpcs"))
    assert not [key for key in broker.scan_iter("*") if b"a-secret" in (broker.dump(key) or b"")]
