"""Which accounts a run covers, and how each is reached: profiles, a role in every account of the organization."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import redis

from loaders.scope import GLOBAL
from tasks.aws.client import client, tenants
from tasks.aws.options import AwsOptions
from tasks.aws.organizations import ORGANIZATIONS
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.failures import CallFailed, Failure, NotConfigured
from tasks.resource import Listed, Tenant
from tests.servers.aws import AwsServer, Effect, Fault

HUB = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": HUB, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Organization:
    """Managed by the hub; `accounts`: name -> id of those that it has beside."""

    url: str
    accounts: Mapping[str, str]


@pytest.fixture(scope="module")
def simulator() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def organization(simulator: AwsServer) -> Organization:
    keys: dict[str, Any] = {"aws_access_key_id": HUB, "aws_secret_access_key": "x"}
    client = boto3.client("organizations", "us-east-1", endpoint_url=simulator.url, **keys)
    client.create_organization(FeatureSet="ALL")
    accounts = {
        name: client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        for name in ("web", "data", "closed")
    }
    client.close_account(AccountId=accounts["closed"])
    return Organization(simulator.url, accounts)


@pytest.fixture
def aws(simulator: AwsServer, organization: Organization, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AwsServer:
    """AWS as this process sees it: the hub's keys, and a configuration without profiles."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": simulator.url, "AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    configure(monkeypatch, tmp_path, "")
    simulator.reset()
    return simulator


def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / "aws-config").write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def found(broker: redis.Redis, **options: Any) -> Listed[Tenant]:
    async def run() -> Listed[Tenant]:
        try:
            return await tenants.tenants(AwsOptions.from_json(options), RedisRateLimiter(broker))
        finally:
            await client.close()

    return asyncio.run(run())


def reached(broker: redis.Redis, accounts: Sequence[Tenant]) -> dict[str, str | CallFailed]:
    """By whom each account is reached, or why it isn't."""

    async def run() -> dict[str, str | CallFailed]:
        told: dict[str, str | CallFailed] = {}
        try:
            for tenant in accounts:
                try:
                    connection = await tenants.connect(tenant, GLOBAL, RedisRateLimiter(broker))
                    told[tenant.id] = (await connection.call("sts:GetCallerIdentity"))["Arn"]
                except CallFailed as error:
                    told[tenant.id] = error
            return told
        finally:
            await client.close()

    return asyncio.run(run())


# -- the default credentials


def test_without_an_option_it_is_the_account_of_the_default_credentials(aws: AwsServer, broker: redis.Redis) -> None:
    listed = found(broker)
    assert [(tenant.id, tenant.name) for tenant in listed.found] == [(HUB, "master")], "as Organizations calls it"
    assert not listed.complete, "there may be others"


def test_an_account_that_may_not_ask_organizations_keeps_its_profiles_name(aws: AwsServer, broker: redis.Redis) -> None:
    aws.add(Fault(Effect.DENY, service="organizations"))
    assert [tenant.name for tenant in found(broker).found] == ["default"]


# -- a role in every account of the organization


def test_every_account_of_the_organization_is_reached_by_the_role(
    aws: AwsServer, organization: Organization, broker: redis.Redis
) -> None:
    listed = found(broker, aws_assume_role="audit/Reader")
    web, data, closed = (organization.accounts[name] for name in ("web", "data", "closed"))
    assert {tenant.id: tenant.name for tenant in listed.found} == {
        HUB: "master", web: "web", data: "data", closed: "closed",
    }  # fmt: skip
    assert listed.complete, "an account that isn't listed is gone"
    assert listed.owner.startswith("o-"), "from this organization, that is"
    assert aws.calls().count("organizations", "ListAccounts") == 1, "the hub lists them once"

    told = reached(broker, listed.found)
    assert told[web] == f"arn:aws:sts::{web}:assumed-role/Reader/chartfleet"
    assert told[data] == f"arn:aws:sts::{data}:assumed-role/Reader/chartfleet"
    assert told[HUB] == f"arn:aws:sts::{HUB}:user/moto", "the hub's own account needs no role"
    refused = told[closed]
    assert isinstance(refused, CallFailed)
    assert (refused.failure, refused.reason) == (Failure.NOT_ENABLED, "the account is SUSPENDED")


def test_the_external_id_goes_with_the_role(aws: AwsServer, organization: Organization, broker: redis.Redis) -> None:
    # The simulator asks no trust policy: this one lets nobody in whose call has the external id.
    aws.add(Fault(Effect.DENY, service="sts", action="AssumeRole", param="ExternalId=correct-horse"))
    web = organization.accounts["web"]
    without = [tenant for tenant in found(broker, aws_assume_role="Reader").found if tenant.id == web]
    assert isinstance(reached(broker, without)[web], str)
    listed = found(broker, aws_assume_role="Reader", aws_external_id="correct-horse")
    refused = reached(broker, [tenant for tenant in listed.found if tenant.id == web])[web]
    assert isinstance(refused, CallFailed)
    assert (refused.failure, refused.action, refused.code) == (Failure.DENIED, "sts:AssumeRole", "AccessDenied")


def test_a_hub_that_may_not_list_the_organization_says_so(aws: AwsServer, broker: redis.Redis) -> None:
    aws.add(Fault(Effect.DENY, service="organizations"))
    with pytest.raises(CallFailed) as refused:
        found(broker, aws_assume_role="Reader")
    assert (refused.value.failure, refused.value.action) == (Failure.DENIED, "organizations:ListAccounts")


# -- profiles


def profiles(organization: Organization) -> str:
    web, data = organization.accounts["web"], organization.accounts["data"]
    return f"""
[default]
region = us-east-1

[profile hub]
aws_access_key_id = {HUB}
aws_secret_access_key = x

[profile web]
role_arn = arn:aws:iam::{web}:role/Reader
source_profile = hub
external_id = correct-horse

[profile web-again]
role_arn = arn:aws:iam::{web}:role/Other
source_profile = hub

[profile data]
role_arn = arn:aws:iam::{data}:role/Reader
credential_source = Environment

[profile refused]
role_arn = arn:aws:iam::999999999999:role/Reader
source_profile = hub

[profile with-mfa]
role_arn = arn:aws:iam::888888888888:role/Reader
source_profile = hub
mfa_serial = arn:aws:iam::{HUB}:mfa/alice

[profile nothing]
region = us-east-1

[profile no-arn]
role_arn = Reader
source_profile = hub

[profile no-program]
credential_process = /no/such/program

[profile talkative]
credential_process = sh -c "echo the-secret >&2; exit 1"
"""


def test_each_named_profile_is_an_account_and_one_that_fails_is_not_seen_with_its_reason(
    aws: AwsServer,
    organization: Organization,
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    configure(monkeypatch, tmp_path, profiles(organization))
    aws.add(Fault(Effect.DENY, service="sts", action="AssumeRole", param="::999999999999:"))
    web, data = organization.accounts["web"], organization.accounts["data"]
    listed = found(broker, aws_sync_all_profiles=True)
    assert {tenant.id: tenant.access["profile"] for tenant in listed.found} == {
        HUB: "hub",
        web: "web",
        data: "data",
        "999999999999": "refused",
        "888888888888": "with-mfa",
    }, "every named profile but `default`; a role says whose account it would be"
    assert listed.notes == (f"profiles web and web-again are both account {web}: it is fetched once, by web",)
    assert not listed.complete, "a profile that is gone doesn't mean that its account is"

    told = reached(broker, listed.found)
    assert [told[account] for account in (web, data)] == [
        f"arn:aws:sts::{account}:assumed-role/Reader/{str(told[account]).rpartition('/')[2]}" for account in (web, data)
    ]
    reasons = {account: error.code for account, error in told.items() if isinstance(error, CallFailed)}
    unseen = {line.split(":")[0]: line for line in listed.incomplete_reason.split("; ")}
    assert sorted(unseen) == [f"profile {name}" for name in ("no-arn", "no-program", "nothing", "talkative")]
    assert "NoCredentialsError" in unseen["profile nothing"]
    assert "No such file" in unseen["profile no-program"]
    assert "the-secret" not in listed.incomplete_reason, "what a program printed stays with it"
    assert reasons == {"999999999999": "AccessDenied", "888888888888": "AsksForMfa"}


def test_without_named_profiles_there_is_nothing_to_sync(aws: AwsServer, broker: redis.Redis) -> None:
    with pytest.raises(NotConfigured, match="no named AWS profiles"):
        found(broker, aws_sync_all_profiles=True)
    assert list(tenants.missing(AwsOptions(aws_sync_all_profiles=True))) != []


def test_a_worker_whose_profile_leads_to_another_account_fetches_nothing(
    aws: AwsServer,
    organization: Organization,
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    configure(monkeypatch, tmp_path, profiles(organization).replace("[profile web]", "[profile swapped]"))
    web, data = organization.accounts["web"], organization.accounts["data"]
    planned = Tenant(provider="aws", id=web, name="web", access={"profile": "data", "partition": "aws"})
    refused = reached(broker, [planned])[web]
    assert isinstance(refused, CallFailed)
    assert refused.reason == f"these credentials are of account {data}, not of {web}"


def test_a_worker_without_the_profile_says_so(aws: AwsServer, organization: Organization, broker: redis.Redis) -> None:
    web = organization.accounts["web"]
    refused = reached(broker, [Tenant(provider="aws", id=web, name="web", access={"profile": "web"})])[web]
    assert isinstance(refused, CallFailed)
    assert (refused.failure, refused.code) == (Failure.DENIED, "ProfileNotFound")


def test_names_come_from_the_account_that_may_list_the_organization(
    aws: AwsServer,
    organization: Organization,
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    configure(monkeypatch, tmp_path, profiles(organization).replace("profile data", "profile some-name"))
    data = organization.accounts["data"]
    named = {tenant.id: tenant.name for tenant in found(broker, aws_sync_all_profiles=True).found}
    assert named[data] == "data", "Organizations knows better than a profile"
    aws.reset()
    asked = found(broker, aws_sync_all_profiles=True, aws_organization_account_ids=(data,))
    assert aws.calls().count("organizations", "ListAccounts") == 1
    assert {tenant.access["asked_for_organization"] for tenant in asked.found} == {data}


def test_scopes_that_begin_together_ask_once_whose_credentials_they_have(
    aws: AwsServer, organization: Organization, broker: redis.Redis
) -> None:
    hub, *_ = found(broker, aws_assume_role="Reader").found

    async def connect() -> None:
        try:
            await asyncio.gather(*(tenants.connect(hub, GLOBAL, RedisRateLimiter(broker)) for _ in range(20)))
        finally:
            await client.close()

    aws.reset()
    asyncio.run(connect())
    assert aws.calls().count("sts", "GetCallerIdentity") == 1


async def _organization(broker: redis.Redis, tenant: Tenant) -> list[str]:
    """What a tenant's scope tells of the organization: the kinds of its items."""
    try:
        connection = await tenants.connect(tenant, GLOBAL, RedisRateLimiter(broker))
        return [next(iter(item.value)) async for item in ORGANIZATIONS.fetch.items(connection, "")]
    finally:
        await client.close()


def test_the_organization_is_told_by_the_account_that_manages_it(
    aws: AwsServer, organization: Organization, broker: redis.Redis
) -> None:
    hub, *members = found(broker, aws_assume_role="Reader").found
    assert asyncio.run(_organization(broker, hub)) == ["Organization", "Root"]
    web = next(member for member in members if member.name == "web")
    assert asyncio.run(_organization(broker, web)) == [], "a member manages none"


def test_an_account_that_is_not_asked_for_the_organization_tells_nothing_and_deletes_nothing(
    aws: AwsServer, organization: Organization, broker: redis.Redis
) -> None:
    data = organization.accounts["data"]
    listed = found(broker, aws_assume_role="Reader", aws_organization_account_ids=(data,))
    aws.reset()
    hub = next(tenant for tenant in listed.found if tenant.id == HUB)
    with pytest.raises(CallFailed) as skipped:
        asyncio.run(_organization(broker, hub))
    assert skipped.value.failure is Failure.NOT_ENABLED, "skipped: what was told before stays"
    assert aws.calls().count("organizations") == 0
    delegated = next(tenant for tenant in listed.found if tenant.id == data)
    with pytest.raises(CallFailed, match="ParentNotFound"):  # it begins to tell; the simulator has no delegation
        asyncio.run(_organization(broker, delegated))


def test_a_mended_profile_is_read_again(
    aws: AwsServer, organization: Organization, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A fleet stands for months: what a session could not do isn't kept."""
    text = profiles(organization)
    configure(
        monkeypatch, tmp_path, text.replace(f"aws_access_key_id = {HUB}", "credential_process = /no/such/program")
    )

    async def twice() -> tuple[str, Listed[Tenant]]:
        try:
            broken = await tenants.tenants(AwsOptions(aws_sync_all_profiles=True), RedisRateLimiter(broker))
            configure(monkeypatch, tmp_path, text)
            return broken.incomplete_reason, await tenants.tenants(
                AwsOptions(aws_sync_all_profiles=True), RedisRateLimiter(broker)
            )
        finally:
            await client.close()

    unseen, mended = asyncio.run(twice())
    assert "profile hub" in unseen
    assert HUB in {tenant.id for tenant in mended.found}


def test_a_device_counts_only_where_it_would_be_asked_for(
    aws: AwsServer, organization: Organization, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web = organization.accounts["web"]
    device = f"mfa_serial = arn:aws:iam::{HUB}:mfa/alice"
    configure(
        monkeypatch,
        tmp_path,
        f"[default]\n{device}\n[profile base]\naws_access_key_id = {HUB}\naws_secret_access_key = x\n{device}\n"
        f"[profile by-base]\nrole_arn = arn:aws:iam::{web}:role/Reader\nsource_profile = base\n",
    )
    listed = found(broker, aws_sync_all_profiles=True)
    assert ({tenant.id for tenant in listed.found}, listed.incomplete_reason) == ({HUB, web}, "")
    assert list(tenants.missing(AwsOptions())) == [], "keys of the environment need no device"


def test_who_would_be_asked_for_a_code_is_told_before_the_run(
    aws: AwsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    configure(
        monkeypatch,
        tmp_path,
        f"[default]\nrole_arn = arn:aws:iam::{HUB}:role/me\nsource_profile = base\n"
        f"mfa_serial = arn:aws:iam::{HUB}:mfa/a\n"
        f"[profile base]\naws_access_key_id = {HUB}\naws_secret_access_key = x\n",
    )
    (line,) = tenants.missing(AwsOptions())
    assert "mfa_serial" in line


def test_a_profile_that_is_not_there_is_told_in_one_line(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "typo")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (line,) = tenants.missing(AwsOptions())
    assert "typo" in line
