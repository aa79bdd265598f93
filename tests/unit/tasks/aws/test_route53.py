"""Route 53 records: their types and ids, and values of any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from loaders.indexes import indexes
from loaders.model import Source
from loaders.scope import GLOBAL, Scope
from tasks.aws.route53 import RECORDS
from tasks.engine import registry
from tasks.engine.rows import rows_of

SCOPE = Scope(type="aws.route53.records", tenant="111122223333", region=GLOBAL)
MAX_INDEXED_BYTES = 8_000  # Neo4j's RANGE index takes a little more


def record(type_: str, **more: Any) -> dict[str, Any]:
    item = {"Name": "www.example.com.", "Type": type_, "HostedZoneId": "/hostedzone/Z1", **more}
    rows: Iterator[Any] = (
        row for model, row in rows_of(RECORDS, Source(item, SCOPE)) if model.label == "AWSRoute53Record"
    )
    found: dict[str, Any] = next(rows)
    return found


@pytest.mark.parametrize(("type_", "end"), [("A", "ALIAS"), ("AAAA", "ALIAS_AAAA")])
def test_an_alias_may_be_of_type_a_or_aaaa(type_: str, end: str) -> None:
    found = record(type_, AliasTarget={"DNSName": "web.example.net."})
    assert found["p"]["type"] == "ALIAS"
    assert found["k"].endswith(f"/{end}"), "the id distinguishes them"


def test_a_record_of_400_addresses_is_complete_and_its_value_not_indexed() -> None:
    values = [{"Value": f"2001:db8:1234:5678:9abc:def0:1234:{number:04x}"} for number in range(400)]
    found = record("AAAA", ResourceRecords=values)
    assert len(found["p"]["value"].split(",")) == 400
    indexed = {name for label, name in indexes(registry.schema()) if label == "AWSRoute53Record"}
    too_long = {name for name, value in found["p"].items() if len(str(value).encode()) > MAX_INDEXED_BYTES}
    assert "value" in too_long
    assert not indexed & too_long
