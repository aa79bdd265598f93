"""What the fault harness takes for a broken promise, and what it doesn't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loaders.ledger import RunState
from loaders.model import UNOWNED
from loaders.scope import Scope
from tests.fleet.ledger_records import run_info, unit
from tests.soak.oracle import MAX_LOST, Ended, violations
from tests.soak.schedule import Kind
from tests.soak.snapshot import Element, Snapshot

SCOPE = "github.users/example/global"
OWNED = {"SyncGitHubMember(example/ada)": SCOPE}
DERIVED = {"GitHubUser(ada)": UNOWNED, "GitHubUser(ada) -MEMBER_OF-> GitHubOrganization(example)": ""}


@pytest.mark.parametrize("settled", [True, False])
def test_what_a_scope_holds_is_not_deleted(settled: bool) -> None:
    assert violations(_ended(OWNED, settled=settled)) == [
        "deleted although it exists: SyncGitHubMember(example/ada)",
    ]


def test_nor_is_what_is_derived_from_it() -> None:
    assert len(violations(_ended(DERIVED, settled=True))) == 2


def test_after_a_run_that_ended_before_its_barrier_what_is_derived_follows_what_that_run_saw() -> None:
    assert violations(_ended(DERIVED, settled=False)) == []


@pytest.mark.parametrize(
    ("suspects", "kinds", "noticed"),
    [
        pytest.param(MAX_LOST + 1, {Kind.HANG}, True, id="a slow API is taken for dead processes"),
        pytest.param(MAX_LOST, {Kind.HANG}, False, id="a process stood still once"),
        pytest.param(MAX_LOST + 1, {Kind.HANG, Kind.KILL}, False, id="processes died"),
    ],
)
def test_leases_last_as_long_as_their_processes(suspects: int, kinds: set[Kind], noticed: bool) -> None:
    units = [unit(Scope.parse(f"aws.t{number}/123456789012/global"), suspect=True) for number in range(suspects)]
    complete = run_info("1700000000-abcd", 1_700_000_000, state=RunState.COMPLETE)
    said = violations(replace(_ended({}, settled=True), info=complete, units=units, kinds=frozenset(kinds)))
    assert any("leases ran out" in text for text in said) is noticed


def _ended(existed: dict[str, str], *, settled: bool) -> Ended:
    """A run of which Redis lost the ledger, and after which nothing is left of what existed and exists."""
    before = _snapshot(existed)
    return Ended(
        run="1700000000-abcd",
        info=None,
        units=[],
        before=before,
        after={},
        expected=before,
        kinds=frozenset({Kind.REDIS_FLUSHED}),
        settled=settled,
    )


def _snapshot(owners: dict[str, str]) -> Snapshot:
    return {
        name: Element(owner=owner, says="", declared="", current=True, firstseen=1) for name, owner in owners.items()
    }
