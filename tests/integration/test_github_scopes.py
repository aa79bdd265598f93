"""A token of GitHub with the scopes that the documentation asks for sees all, and one with less what it may see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.rate_limiter import RateLimit
from tasks.engine import registry, rows
from tasks.failures import CallFailed
from tasks.github import scopes
from tasks.resource import ResourceType, Tenant
from tests.contract.providers.github import CONFIGURATION, configuration
from tests.servers.company import Company, Size, github

every_type = pytest.mark.parametrize("type_", registry.of("github"), ids=lambda type_: type_.name)


@dataclass
class Seen:
    gaps: set[str] = field(default_factory=set)
    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, label: str) -> list[dict[str, Any]]:
        return [properties for found, properties in self.rows if found == label]


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with Company(Size(people=5, repositories=2, page=3)) as running:
        yield running


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.github.api._LIMIT", RateLimit(10_000, 10_000))


def read(type_: ResourceType, company: Company, token: str, monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setenv(CONFIGURATION, configuration((company.url, "example", token)))
    name = f"example@{company.url.removeprefix('http://')}"
    tenant = Tenant(provider="github", id=name, name="example", access={"config_variable": CONFIGURATION})
    seen = Seen()

    async def all_of_it() -> None:
        provider = registry.providers()["github"]
        try:
            planned = type_.fetch.parts(await provider.connect(tenant, "", LocalRateLimiter()))
            for part in [""] if planned is None else [part async for part in planned]:
                await read_part(part, await provider.connect(tenant, "", LocalRateLimiter()))
        finally:
            await provider.close()

    async def read_part(part: str, api: Any) -> None:
        async for item in type_.fetch.items(api, part):
            assert item.failure is None
            seen.gaps |= {gap.reason for gap in item.gaps}
            found = rows.read(type_, Source(item.value, Scope(type=type_.name, tenant=name)), item.key or None)
            assert not found.rejected
            seen.rows += [(model.label, row["p"]) for model, row in found.rows]

    asyncio.run(all_of_it())
    return seen


@every_type
def test_the_documented_scopes_see_all(type_: ResourceType, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read(type_, company, github.TOKEN, monkeypatch)
    assert seen.rows
    assert not seen.gaps
    assert all(person["email"] for person in seen.of("GitHubUser"))


@every_type
def test_without_the_scope_for_addresses_all_else_is_seen(
    type_: ResourceType, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that isn't seen is null, and none is "", as GitHub says it. It is told which scope it needs."""
    whole = read(type_, company, github.TOKEN, monkeypatch)
    seen = read(type_, company, github.TOKEN_WITHOUT_EMAIL, monkeypatch)
    told = "email: INSUFFICIENT_SCOPES (email needs user:email or read:user)"
    assert seen.gaps == ({told} if whole.of("GitHubUser") else set())
    assert all(person.get("email") is None for person in seen.of("GitHubUser"))
    assert without_email(seen) == without_email(whole)


def without_email(seen: Seen) -> list[str]:
    return sorted(repr((label, sorted({**row, "email": ""}.items(), key=repr))) for label, row in seen.rows)


@every_type
def test_each_scope_is_needed(type_: ResourceType, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, the refusal names it. It is asked for once, as it is no failure that passes."""
    needed = {scope for document in type_.fetch.documents for scope in scopes.least(document.text)}  # type: ignore[attr-defined]
    for scope in needed - {"user:email"}:
        monkeypatch.setitem(github.TOKENS, "without", frozenset(needed - {scope}))
        company.received = []
        with pytest.raises(CallFailed) as caught:
            read(type_, company, "without", monkeypatch)
        assert f"needs {scope}" in caught.value.code
        assert len(company.received) <= 2
