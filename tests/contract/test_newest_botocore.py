"""The program that holds the declarations against another botocore finds what would break, and tells what is new."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from tasks.engine import registry
from tests.contract.newest_botocore import Models, broken, changed

SNAPSHOTS = registry.types()["aws.rds.snapshots"]
Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture
def models(tmp_path: Path) -> Callable[[Change], Models]:
    def make(change: Change) -> Models:
        """Those of RDS as they are pinned, but for a change of its model and paginators."""
        service, paginators = (deepcopy(Loader().load_service_model("rds", kind)) for kind in KINDS)
        change(service, paginators)
        folder = tmp_path / "rds" / "2014-10-31"
        folder.mkdir(parents=True)
        for kind, document in zip(KINDS, (service, paginators), strict=True):
            (folder / f"{kind}.json").write_text(json.dumps(document))
        return Models(tmp_path)

    return make


KINDS = ("service-2", "paginators-1")


def test_the_same_models_say_nothing(models: Callable[[Change], Models]) -> None:
    same = models(lambda service, paginators: None)
    assert list(broken([SNAPSHOTS], same)) == list(changed([SNAPSHOTS], same)) == []


def test_a_path_that_is_gone_breaks(models: Callable[[Change], Models]) -> None:
    gone = models(lambda service, _: service["shapes"]["DBSnapshot"]["members"].pop("Timezone"))
    assert any("property RDSSnapshot.timezone: Timezone: DBSnapshot" in line for line in broken([SNAPSHOTS], gone))


def test_a_call_that_is_gone_breaks(models: Callable[[Change], Models]) -> None:
    gone = models(lambda service, _: service["operations"].pop("DescribeDBSnapshotAttributes"))
    assert "there is no rds:DescribeDBSnapshotAttributes" in list(broken([SNAPSHOTS], gone))


def test_a_paginator_that_is_gone_breaks_nothing_where_the_names_say_the_same(
    models: Callable[[Change], Models],
) -> None:
    gone = models(lambda _, paginators: paginators["pagination"].pop("DescribeDBSnapshots"))
    assert list(broken([SNAPSHOTS], gone)) == []


def test_other_tokens_break(models: Callable[[Change], Models]) -> None:
    def other(service: dict[str, Any], paginators: dict[str, Any]) -> None:
        paginators["pagination"]["DescribeDBSnapshots"]["output_token"] = "Cursor"

    assert any("DescribeDBSnapshots pages otherwise" in line for line in broken([SNAPSHOTS], models(other)))


def test_what_is_new_and_deprecated_is_told(models: Callable[[Change], Models]) -> None:
    def newer(service: dict[str, Any], paginators: dict[str, Any]) -> None:
        members = service["shapes"]["DBSnapshot"]["members"]
        members["Shape"] = {"shape": "String"}
        members["Timezone"] = {"shape": "String", "deprecated": True}
        service["operations"]["DescribeDBSnapshots"]["deprecated"] = True

    found = models(newer)
    assert list(broken([SNAPSHOTS], found)) == []
    assert set(changed([SNAPSHOTS], found)) == {
        "rds:DescribeDBSnapshots is deprecated",
        "rds:DescribeDBSnapshots: new member DBSnapshots[].Shape",
        "rds:DescribeDBSnapshots: member DBSnapshots[].Timezone is deprecated",
    }
