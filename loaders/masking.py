"""Secrets of this process, and how texts that leave it are freed of them.

Whatever is read as a secret, or obtained as one, is remembered here. A server may repeat it in an error text, as it is,
in Base64 or percent-encoded; a text may have been cut within it. Whoever keeps or prints a text from outside masks it.

A secret of up to 3 characters isn't masked, since any text has those; one of up to 7 is only where it stands by itself.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

MASK: Final = "***"
MAX_SECRETS: Final = 2_000  # the least recently used is forgotten: tokens are renewed each hour, in each account
_SHORT: Final = 8  # characters; anything shorter may be part of a common word
_MIN: Final = 4
# Passwords in URLs, with their user, who may be a token; and what follows the name of a scheme of the header
# Authorization, whoever they belong to. A URL that is shown with its password masked stays as it is.
_USERINFO: Final = re.compile(r"(://)(?![^\s/@:]{0,200}:\*\*\*@)[^\s/@]{0,200}:[^\s/@]{1,500}@")
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic|ssws)( +)[\w.~+/=-]{8,}")


class _Registry:
    """Secrets by the first characters of each of their forms, so that a text is searched in linear time."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._by_start: dict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def add(self, secret: str) -> None:
        with self._lock:
            if secret in self._forms:
                self._forms.move_to_end(secret)
                return
            self._forms[secret] = forms = tuple(dict.fromkeys(_forms(secret)))
            for form in forms:
                self._by_start[form[:_MIN]].add(form)
            if len(self._forms) > MAX_SECRETS:
                self._forget(self._forms.popitem(last=False)[1])

    def _forget(self, forms: tuple[str, ...]) -> None:
        for form in forms:
            self._by_start[form[:_MIN]].discard(form)
            if not self._by_start[form[:_MIN]]:
                del self._by_start[form[:_MIN]]

    def mask(self, text: str) -> str:
        if not self._by_start:
            return text
        masked: list[str] = []
        at = copied = 0
        while at <= len(text) - _MIN:
            start = text[at : at + _MIN]
            end = self._end(start, text, at) if start in self._by_start else None
            if end is None:
                at += 1
                continue
            masked += (text[copied:at], MASK)
            at = copied = end
        return text if not masked else "".join((*masked, text[copied:]))

    def _end(self, start: str, text: str, at: int) -> int | None:
        """Where the longest secret that begins here ends."""
        ends = (_end_of(form, text, at) for form in tuple(self._by_start.get(start, ())))
        return max((end for end in ends if end is not None), default=None)


_registry: Final = _Registry()


def keep_secret(secret: str | None) -> None:
    """Remember a secret: from here on, `mask` removes it from every text."""
    for text in {secret, secret.strip()} if secret else ():
        if len(text) >= _MIN:
            _registry.add(text)


def keep_secret_of(url: str | None) -> None:
    """Remember the password of a URL."""
    if url:
        try:
            keep_secret(urlsplit(url).password)
        except ValueError:
            return


def mask(text: str) -> str:
    """The text with *** in the place of every secret of this process, and of any password in a URL."""
    masked = _registry.mask(text)
    if "://" in masked:
        masked = _USERINFO.sub(rf"\1{MASK}@", masked)
    return _SCHEME.sub(rf"\1\2{MASK}", masked)


def _forms(secret: str) -> Iterator[str]:
    """How a secret may appear in a text."""
    yield secret
    if len(secret) < _SHORT:
        return
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    raw = secret.encode(errors="surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):  # it may be encoded together with other texts
            encoded = encode(b"\0" * offset + raw).decode().rstrip("=")
            whole = encoded[(0, 2, 3)[offset] :]
            yield whole if (offset + len(raw)) % 3 == 0 else whole[:-1]


def _end_of(form: str, text: str, at: int) -> int | None:
    if text.startswith(form, at):
        end = at + len(form)
        return end if len(form) >= _SHORT or not _is_within_word(text, at, end) else None
    rest = len(text) - at  # what was cut within the secret
    return len(text) if _SHORT <= rest < len(form) and form.startswith(text[at:]) else None


def _is_within_word(text: str, at: int, end: int) -> bool:
    return (at > 0 and text[at - 1].isalnum()) or (end < len(text) and text[end].isalnum())
