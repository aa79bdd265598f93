"""Signatures of what lies in Redis: everyone who can write there could otherwise plan scopes, load rows, delete data.

The key of the fleet is not in Redis. A signature covers the kind of the record, the run, and everything that says what
the record is about, so that none can be moved to another run, tenant, scope or batch.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final

from loaders.errors import ChartfleetError

MIN_KEY_LENGTH: Final = 32  # characters
SIGNATURE_BYTES: Final = 32  # before each sealed payload
_SHORT_BYTES: Final = 16  # 128 bits, for what a run has by the hundred thousand
_UNSIGNED: Final = bytes(SIGNATURE_BYTES)


class NotSigned(ChartfleetError):
    """A record that no process with the fleet's key wrote as it is: it is not obeyed."""

    def __init__(self, record: str) -> None:
        super().__init__(
            f"{record} doesn't carry the signature of this fleet's key, and is not obeyed: a process with another key "
            "wrote it, or somebody who may write to Redis"
        )


class FleetKey:
    """What all processes of a fleet share and Redis doesn't hold. Prints as ***."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return "FleetKey(***)"

    def digest(self, kind: str, *parts: str | bytes) -> bytes:
        """HMAC-SHA-256 of the parts, each with its length before it, so that none can run into the next."""
        encoded = [part.encode() if isinstance(part, str) else part for part in (f"chartfleet:{kind}", *parts)]
        message = b"".join(word for data in encoded for word in (len(data).to_bytes(8), data))
        return hmac.digest(self._secret, message, "sha256")

    def fingerprint(self, nonce: str) -> str:
        """Shows that two processes have the same key, to whoever asked with this nonce, and nothing to others."""
        return self.digest("fingerprint", nonce).hex()


class Signer:
    """Signs and verifies the records of one run.

    Without a key it signs nothing and accepts everything: for commands that only show what Redis says.
    """

    def __init__(self, key: FleetKey | None, run: str) -> None:
        self._key = key
        self._run = run

    @property
    def verifies(self) -> bool:
        return self._key is not None

    def sign(self, kind: str, *parts: str) -> str:
        """A short signature, as text; empty without a key."""
        if self._key is None:
            return ""
        digest = self._key.digest(kind, self._run, *parts)[:_SHORT_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def fits(self, signature: str, kind: str, *parts: str) -> bool:
        return self._key is None or hmac.compare_digest(signature.encode(), self.sign(kind, *parts).encode())

    def seal(self, kind: str, name: str, payload: bytes) -> bytes:
        """The payload behind its signature."""
        digest = _UNSIGNED if self._key is None else self._key.digest(kind, self._run, name, payload)
        return digest + payload

    def open(self, kind: str, name: str, sealed: bytes) -> bytes | None:
        """The payload of what `seal` made; None if the signature is another one's."""
        digest, payload = sealed[:SIGNATURE_BYTES], sealed[SIGNATURE_BYTES:]
        if self._key is None:
            return payload
        return payload if hmac.compare_digest(digest, self._key.digest(kind, self._run, name, payload)) else None
