"""The fleet's key: one variable, long, random, the same everywhere; never shown."""

from __future__ import annotations

import pytest

from workers.settings.errors import SettingError
from workers.settings.fleet_key import VARIABLE, fleet_key

GOOD = "0123456789abcdef0123456789abcdef"


def test_it_is_read_from_its_variable() -> None:
    assert GOOD not in repr(fleet_key({VARIABLE: f" {GOOD}\n"}))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "isn't set"),
        ("   ", "isn't set"),
        ("short-secret", "has 12 characters"),
        ("a" * 64, "random"),
    ],
)
def test_what_is_no_key_is_refused_with_the_way_out(value: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as refused:
        fleet_key({VARIABLE: value})
    assert "openssl rand -hex 32" in str(refused.value)
    assert value.strip() == "" or value not in str(refused.value)


def test_a_fingerprint_tells_two_keys_apart_and_nothing_more() -> None:
    one, same, other = (fleet_key({VARIABLE: text}) for text in (GOOD, GOOD, f"{GOOD}x"))
    assert one.fingerprint("nonce") == same.fingerprint("nonce") != other.fingerprint("nonce")
    assert one.fingerprint("nonce") != one.fingerprint("another")
