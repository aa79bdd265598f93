"""What was a secret in this process is in no text that leaves it; what isn't one stays."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote

import pytest

from loaders.masking import MASK, MAX_SECRETS, keep_secret, keep_secret_of, mask
from loaders.reason import Reason

SECRET = "vT7/q+wZ=0p'Lm\"9xK"  # as a test needs one


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps(SECRET)[1:-1],
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_masked_however_it_is_written(written: str) -> None:
    keep_secret(SECRET)
    masked = mask(f"token <{written}> is invalid, {written}")
    assert written not in masked
    assert masked.startswith((f"token <{MASK}", f"token <'{MASK}"))


@pytest.mark.parametrize("before", ["", "u:", "us:", "use:"])
def test_it_is_masked_within_other_text_in_base64(before: str) -> None:
    """As the header Authorization has a password, after the user. A character at its ends may remain."""
    keep_secret(SECRET)
    masked = mask(base64.b64encode(f"{before}{SECRET}:x".encode()).decode())
    assert MASK in masked
    assert len(masked) <= 20, "what stands around it, and a character of it at each end"


def test_a_secret_that_a_text_was_cut_within_is_masked() -> None:
    keep_secret(SECRET)
    assert mask(f"invalid: {SECRET}"[:20]) == f"invalid: {MASK}"


def test_short_secrets_blank_out_no_words() -> None:
    keep_secret("pass")
    keep_secret("abc")
    assert mask("password abc: pass, bypass") == f"password abc: {MASK}, bypass"


def test_passwords_in_urls_are_masked_whoever_they_belong_to() -> None:
    assert mask("no route to redis://fleet:hunter22@broker:6379/0") == f"no route to redis://{MASK}@broker:6379/0"
    assert mask(f"redis://fleet:{MASK}@broker:6379/0") == f"redis://fleet:{MASK}@broker:6379/0"
    assert mask(f"redis://fleet:{MASK}hunter22@broker:6379/0") == f"redis://{MASK}@broker:6379/0"
    keep_secret_of("rediss://:from-a-url@broker:6379/0")
    assert mask("AUTH from-a-url") == f"AUTH {MASK}"
    assert mask("https://example.com/a:b@c") == "https://example.com/a:b@c"


def test_credentials_in_a_header_are_masked_whoever_they_belong_to() -> None:
    assert mask("Authorization: Bearer eyJhbGciOi.JIUz") == f"Authorization: Bearer {MASK}"


def test_a_reason_has_no_secret() -> None:
    keep_secret(SECRET)
    reason = Reason(failure="denied", code=SECRET, action=f"GET /?key={quote(SECRET, safe='')}", detail=f"no {SECRET}")
    assert Reason.parse(reason.to_json()) == Reason(
        failure="denied", code=MASK, action=f"GET /?key={MASK}", detail=f"no {MASK}"
    )


def test_many_secrets_and_long_texts_take_no_time() -> None:
    """Tokens of hundreds of accounts, renewed each hour: the oldest are forgotten."""
    for number in range(MAX_SECRETS + 50):
        keep_secret(f"{number:05} a token of an account")
    started = time.thread_time()
    masked = mask("00001 a token of an account, 02049 a token of an account " + "some text " * 20_000)
    assert time.thread_time() - started < 1
    assert masked.startswith(f"00001 a token of an account, {MASK} some")
