"""Invalid times and characters, for which botocore would reject the whole response."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.aws.client.parsing import NoTime, prepare_body, time_or_none


def test_times_are_read_as_botocore_reads_them() -> None:
    when = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert time_or_none(1_700_000_000) == when
    assert time_or_none("2023-11-14T22:13:20Z") == when
    assert time_or_none("Tue, 14 Nov 2023 22:13:20 GMT") == when


@pytest.mark.parametrize("value", [1775836321122, 1e300, "soon", "", "0000-00-00T00:00:00Z", "99999-01-01T00:00:00Z"])
def test_an_invalid_time_keeps_its_text(value: object) -> None:
    assert time_or_none(value) == NoTime(value)


@given(st.text() | st.integers() | st.floats())
def test_no_value_of_a_time_rejects_a_response(value: object) -> None:
    assert isinstance(time_or_none(value), datetime | NoTime)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("bell &#x7;.", "bell \ufffd."),
        ("bell \x07.", "bell \ufffd."),
        ("half &#xD83D; a pair &#55357;", "half \ufffd a pair \ufffd"),
        ("no character &#xFFFF;", "no character \ufffd"),
        ("a line&#xA; and &amp;#x7; and \u00e9 &#x1F600;", "a line\n and &#x7; and \u00e9 \U0001f600"),
    ],
)
def test_a_character_forbidden_in_xml_is_replaced(written: str, read: str) -> None:
    response = {"body": f"<d>{written}</d>".encode()}
    prepare_body(response)
    assert ElementTree.fromstring(response["body"]).text == read


def test_json_is_unchanged() -> None:
    response = {"body": b'{"a": "&#x7;"}'}
    prepare_body(response)
    assert response["body"] == b'{"a": "&#x7;"}'
