"""Which OAuth scopes calls of Google's need: the least set, by what the discovery documents say of each method."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.clients.google_documents import scopes_of
from tasks.clients.google_scopes import is_read_only, least_scopes, narrowest
from tasks.gcp import scopes as gcp
from tasks.gsuite import api as gsuite
from tests.servers import google_methods
from tests.servers.company import GOOGLE_SCOPES

AUTH = "https://www.googleapis.com/auth/"
PAGE = Path(__file__).parents[4] / "docs" / "providers.md"


@pytest.mark.parametrize(
    ("calls", "scopes"),
    [
        (["compute:networks.list"], ["compute.readonly"]),
        (["compute:networks.list", "dns:managedZones.list"], ["compute.readonly", "ndev.clouddns.readonly"]),
        (["dns:managedZones.list", "resourcemanager:projects.get"], ["cloud-platform.read-only"]),
        (["directory:users.list"], ["admin.directory.user.readonly"]),
        (["directory:members.list"], ["admin.directory.group.member.readonly"]),
        (["directory:members.list", "directory:groups.list"], ["admin.directory.group.readonly"]),
        (["iam:projects.roles.list", "compute:networks.list", "storage:buckets.getIamPolicy"], ["cloud-platform"]),
        ([], []),
    ],
)
def test_the_least_set_that_does(calls: list[str], scopes: list[str]) -> None:
    assert least_scopes(calls) == tuple(f"{AUTH}{scope}" for scope in scopes)
    assert least_scopes(reversed(calls)) == least_scopes(calls)


def test_one_that_may_only_read_is_narrower() -> None:
    assert narrowest(scopes_of("directory:users.list")) == f"{AUTH}admin.directory.user.readonly"
    assert not is_read_only(narrowest(scopes_of("iam:projects.roles.list")))


@pytest.mark.parametrize("call", sorted(gcp.calls()))
def test_each_call_to_gcp_takes_a_scope_that_is_asked_for(call: str) -> None:
    assert scopes_of(call) & {*gcp.needed()}


def test_the_double_knows_the_methods_by_their_paths() -> None:
    """So that it refuses what Google would refuse."""
    found = google_methods.called("GET", "/compute/v1/projects/example-shop/aggregated/instances")
    assert [method.id for method in found] == ["compute.instances.aggregatedList"]
    found = google_methods.called("GET", "/v1/projects/example-shop/serviceAccounts/web%40example/keys")
    assert [method.id for method in found] == ["iam.projects.serviceAccounts.keys.list"]


def test_the_page_names_the_scopes_that_are_asked_for() -> None:
    """Who delegates to a service account must name each of them, and no more than they have."""
    page, all_named = PAGE.read_text(), set[str]()
    for section, needed in (("GCP", gcp.needed()), ("GSuite", gsuite.scopes())):
        text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        named = {word.strip("`,.|") for word in text.split() if word.strip("`,.|").startswith(AUTH)}
        assert named == set(needed), section
        all_named |= named
    assert all_named == {*GOOGLE_SCOPES}, "so the company of the integration tests gives no other token"
