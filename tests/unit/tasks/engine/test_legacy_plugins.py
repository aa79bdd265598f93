"""Provider packages written for an earlier Chartfleet: they load, and one line says what to change."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.engine.legacy.imports import import_package
from tasks.failures import Failure
from tasks.resource import Provider, ResourceType, Tenant

TESTS = Path(__file__).parents[3]

OLD_NAMES = """
import tasks.http
from tasks import rate_budget
from tasks.budgeted import Answer, Refusal
from tasks.failures import Failure, Later
from tasks.http import HttpApi, HttpService, cursor, next_link
from tasks.listing import listing
from tasks.rate_budget import Limit
from tasks.resource import Call, Listed, Option, Per, Provider, ResourceType, Tenant


def refusal(answer):
    return Refusal(Failure.GONE, "404", "gone") if answer.status == 404 else None


SERVICE = HttpService(
    limit=lambda action: ("all", Limit(1, highest=2)),
    in_flight=1,
    refusal=refusal,
    further=cursor("next", "after"),
    items_at="value",
    but_at={"GET /one": None},
    thing_has="id",
)
LINKED = HttpService(limit=SERVICE.limit, in_flight=1, further=next_link)
FETCH = (
    listing("GET /things", items_at="things", gone_if="404")
    .beside("GET /others", by="id")
    .then("GET /things/{id}", id="id", none_if="E1")
    .then("GET /things/{id}/more", id="id")
)
TOGETHER = listing("GET /things").together("GET /many", ids="id", most=5, by="[].id")
PARTS = listing("GET /things").in_parts(100, by="id", again="GET /things/{id}")
CALL = Call(call="GET /things", made="1 per page")
LATER = Later("throttled", after_seconds=5)


class Api(HttpApi):
    async def whole(self, action, **parameters):
        return ["mine", await super().whole(action, **parameters)]


async def tenants(options, budget):
    await budget.take("all", Limit(1000, 1000))
    return Listed([Tenant(provider="old", id="1")], whole=True, unseen="some")


async def regions(api, options):
    return Listed()


async def connect(tenant, region, budget):
    return Api(tenant=tenant, terms=SERVICE, budget=budget, base_url="https://example.com", headers=dict)


async def close(): ...


PROVIDER = Provider(
    name="old",
    tenants=tenants,
    regions=regions,
    connect=connect,
    missing=lambda options: ["nothing"],
    contradiction=lambda options: ("old_key", "why"),
    close=close,
    calls=tasks.http.described,
    options=(Option(name="old_key", meaning="a key", also=("old_word",)),),
)
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], ModuleType]]:
    """Imports a package of one module, as a provider's entry point does."""
    names: list[str] = []

    def load(name: str, text: str) -> ModuleType:
        names.append(name)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
        importlib.invalidate_caches()
        return import_package(name)

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield load
    for name in names:
        sys.modules.pop(name, None)


def test_old_names_mean_what_they_mean_now(load: Callable[[str, str], Any]) -> None:
    old = load("old_names", OLD_NAMES)
    assert old.SERVICE.items_path == "value"
    assert (old.SERVICE.items_path_overrides, old.SERVICE.required_field) == ({"GET /one": None}, "id")
    assert old.SERVICE.limit("x")[1].maximum == 2
    page = old.Answer(200, {}, {"next": "p2"}, {"next": "https://example.com/2"})
    assert (old.SERVICE.paginator(page), old.LINKED.paginator(page)) == ({"after": "p2"}, "https://example.com/2")
    assert old.SERVICE.classify_error(old.Answer(404, {}, None)).failure is Failure.NOT_FOUND
    assert (old.CALL.frequency, old.CALL.made) == ("1 per page", "1 per page")
    assert old.LATER.after_seconds == 5


def test_old_methods_of_a_listing_say_the_same(load: Callable[[str, str], Any]) -> None:
    old = load("old_listings", OLD_NAMES)
    assert old.FETCH.calls == ("GET /things", "GET /others", "GET /things/{id}", "GET /things/{id}/more")
    assert (old.FETCH.items_path, old.FETCH.not_found_codes) == ("things", ("404",))
    assert old.FETCH.lookups[0].key == "id"
    assert old.FETCH.details[0].absent_codes == ("E1",)
    assert (old.TOGETHER.batch_details[0].max_batch, old.TOGETHER.batch_details[0].key) == (5, "[].id")
    assert old.PARTS.partitioned.refetch.action == "GET /things/{id}"


def test_a_provider_is_called_by_the_new_names(load: Callable[[str, str], Any]) -> None:
    provider = load("old_provider", OLD_NAMES).PROVIDER
    assert isinstance(provider, Provider)
    assert provider.problems({}) == ["nothing"]
    assert provider.conflicts({}) == ("old_key", "why")
    assert provider.options[0].aliases == ("old_word",)
    tenants: Any = provider.tenants({}, LocalRateLimiter())
    listed = asyncio.run(tenants)
    assert (listed.complete, listed.incomplete_reason) == (True, "some")


def test_what_a_package_overrides_by_an_old_name_is_called(
    load: Callable[[str, str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = load("old_overrides", OLD_NAMES).PROVIDER
    api = asyncio.run(provider.connect(Tenant(provider="old", id="1"), "", LocalRateLimiter()))

    async def pages(action: str) -> Any:
        yield {"value": []}

    monkeypatch.setattr(api, "pages", pages)
    assert asyncio.run(api.read_all("GET /things")) == ["mine", {"value": []}]


def test_one_line_says_what_to_change(load: Callable[[str, str], Any], caplog: pytest.LogCaptureFixture) -> None:
    load("old_lines", OLD_NAMES)
    (record,) = caplog.records
    line = record.getMessage()
    assert record.levelno == logging.WARNING
    assert line.startswith("old_lines was written for an earlier Chartfleet and still works; to change: imports of ")
    assert "tasks.budgeted, tasks.failures, tasks.http, tasks.listing, " in line
    for change in (
        "Answer -> Response",
        "Provider(missing=) -> problems=",
        "Limit(highest=) -> maximum=",
        ".then() -> .detail()",
        "then(none_if=) -> absent_codes=",
        "Failure.GONE -> NOT_FOUND",
        "next_link -> LinkHeader()",
        ".take() -> .acquire()",
    ):
        assert change in line
    assert "\n" not in line


def test_a_package_of_today_has_nothing_to_change(
    load: Callable[[str, str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    new = load("new_names", "from tasks.provider import Listed, Node, key\nLISTED = Listed((), complete=True)\n")
    assert caplog.records == []
    with pytest.raises(TypeError):
        new.Listed((), whole=True)


@pytest.mark.parametrize(
    ("folder", "package"), [("toy_provider_before", "toy"), ("afternoon_before", "chartfleet_tailscale")]
)
def test_the_examples_of_before_still_load(
    folder: str, package: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(str(TESTS / folder))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == package}
    try:
        loaded = import_package(package)
        module = importlib.import_module(f"{package}.network") if package != "toy" else loaded
        assert isinstance(loaded.PROVIDER, Provider)
        assert len([value for value in vars(module).values() if isinstance(value, ResourceType)]) == 2
        assert len(caplog.records) == 1
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        sys.modules.update(before)
