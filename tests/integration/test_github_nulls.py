"""Whatever may be null by GitHub's schema is nulled, one place at a time, in the responses to every document: it costs
itself, and nothing beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.clients.graphql_api import Document
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.rate_limiter import RateLimit
from tasks.engine import registry, rows
from tasks.failures import CallFailed, Failure
from tasks.resource import ResourceType
from tests.contract import providers
from tests.contract.samples import sample
from tests.contract.stand_in import Responses, StandIn
from tests.facts import github_graphql
from tests.facts.github_nullable import Path, nullable

TYPES = registry.of("github")
# Null says something there: nothing was ever pushed; the package is of an ecosystem that GitHub doesn't tell.
MEANT = ("defaultBranchRef", "packageManager")
every_type = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)


@dataclass
class Seen:
    """What a reading came to. `nodes`: (item, label, key) of each row; `told`: gaps, rejections and failures."""

    nodes: set[tuple[str, str, str]] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    kept: int = 0
    failed: list[CallFailed] = field(default_factory=list)


@pytest.fixture(scope="module")
def github() -> Iterator[StandIn]:
    with providers.running("github") as running:
        yield running
        asyncio.run(running.close())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.clients.graphql_api.RETRY_SECONDS", (0.0,))
    monkeypatch.setattr("tasks.github.api._LIMIT", RateLimit(10_000, 10_000))


def read(type_: ResourceType, responses: Responses, github: StandIn) -> Seen:
    github.responses = responses
    seen = Seen()

    async def all_of_it() -> None:
        api = await registry.providers()["github"].connect(github.tenant, "", LocalRateLimiter())
        try:
            planned = type_.fetch.parts(api)
            for part in [""] if planned is None else [part async for part in planned]:
                await _read_part(type_, api, part, seen)
        except CallFailed as error:
            seen.failed.append(error)

    asyncio.run(all_of_it())
    return seen


async def _read_part(type_: ResourceType, api: Any, part: str, seen: Seen) -> None:
    scope = Scope(type=type_.name, tenant="example")
    try:
        async for item in type_.fetch.items(api, part):
            seen.told += [gap.reason for gap in item.gaps]
            if item.failure:
                seen.told.append(str(item.failure))
                continue
            found = rows.read(type_, Source(item.value, scope), item.key or None)
            seen.told += found.rejected.values()
            seen.kept += len(found.kept)
            seen.nodes |= {(item.key, model.label, row["k"]) for model, row in found.rows}
    except CallFailed as error:
        seen.failed.append(error)


def places(document: Document, responses: Responses) -> Iterator[tuple[Path, Responses]]:
    """Each place of the document's sample that may be null, with the sample in which it is."""
    found = responses[document.action]
    for which, page in enumerate(found) if isinstance(found, list) else found.items():
        # The whole data of a page; those of the first page of an item; or what is told of an item by its id.
        data, around = (
            (page, ()) if isinstance(found, list) else (page[0], (0,)) if isinstance(page, list) else ((), ())
        )
        if not data:
            data = {"nodes": [page]}
        for path in nullable(document.text, data, github_graphql.schema("newest")):
            within = path[2:] if "nodes" in data and not around and isinstance(found, dict) else path
            if path in (("nodes",), ()):
                continue
            nulled = deepcopy(responses)
            null_at(nulled[document.action], (which, *around, *within))
            yield path, nulled


def null_at(place: Any, path: Path) -> None:
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = None


@every_type
def test_what_may_be_null_costs_itself(type_: ResourceType, github: StandIn) -> None:
    whole = read(type_, sample(type_), github)
    assert whole.nodes
    assert not whole.told
    assert not whole.failed
    tried = 0
    for document in type_.fetch.documents:  # type: ignore[attr-defined]
        for path, responses in places(document, sample(type_)):
            tried += 1
            check(type_, document, path, whole, read(type_, responses, github))
    assert tried > 2


def check(type_: ResourceType, document: Document, path: Path, whole: Seen, seen: Seen) -> None:
    where = f"{document.name} {'.'.join(map(str, path))}"
    lost = whole.nodes - seen.nodes
    if seen.failed:  # what is a list itself, or hides one of its elements
        assert document is type_.fetch.documents[0], where  # type: ignore[attr-defined]
        assert {error.failure for error in seen.failed} <= {Failure.DENIED, Failure.INVALID_RESPONSE}, where
        if is_element(path):
            assert len({item for item, _, _ in lost if item}) <= 1, where
        return
    assert len({item for item, _, _ in lost}) <= 1, f"{where}: {lost}"
    assert not lost or seen.told or path[-1] in MEANT, f"{where}: {lost} are gone, and nothing is told"
    if is_element(path):
        assert len({key for _, label, key in lost if label.startswith("Sync")}) <= 1, where


def is_element(path: Path) -> bool:
    """Of a list, or the end of an edge; not the whole item."""
    return len(path) > 2 and (isinstance(path[-1], int) or path[-1] == "node")
