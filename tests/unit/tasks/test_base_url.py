"""Where a secret is sent must be said in full, and encrypted."""

from __future__ import annotations

import pytest

from tasks import base_url


@pytest.mark.parametrize(
    "value", ["https://api.example.com/v1", "https://10.0.0.5:8443", "http://127.0.0.1:8080", "http://localhost"]
)
def test_it_can_be_used(value: str) -> None:
    assert base_url.check(value) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("api.example.com", "must be the whole address"),
        ("ftp://api.example.com", "must be the whole address"),
        ("https://", "must be the whole address"),
        ("http://api.example.com", "in the clear"),
        ("https://me:secret@api.example.com", "must have no user"),
        ("https://api.example.com/v1?key=1", "must have no user, no ?"),
        ("https://api.example.com:port", "Port could not be cast"),
    ],
)
def test_what_is_wrong_is_told(value: str, told: str) -> None:
    assert told in str(base_url.check(value))
