"""Why a transaction failed, as far as it matters for what to do next."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

_FAULTS_OF_DATA: Final = ("Neo.ClientError.Statement.", "Neo.ClientError.Schema.ConstraintValidation")
_FAULTS_OF_DATA_OR_SERVER: Final = (
    "Neo.DatabaseError.Statement.ExecutionFailed",
    "Neo.DatabaseError.Transaction.TransactionCommitFailed",
)
_NEEDS_A_HAND: Final = (
    "no space left",
    "disk space",
    "critical error",
    "needs to be restarted",
    "read-only",
    "read only",
    "ReadOnly",
    "TransactionLogError",
)
MAX_TEXT: Final = 300  # characters


class Cause(Enum):
    """What failed: the rows, their number, or something else: the connection, the server, or nobody knows what."""

    DATA = auto()
    TOO_MUCH = auto()
    OTHER = auto()


def cause_of(error: Exception) -> Cause:
    from neo4j.exceptions import DriverError, Neo4jError

    if is_too_much(error):
        return Cause.TOO_MUCH
    if isinstance(error, DriverError):
        return Cause.OTHER
    if not isinstance(error, Neo4jError):
        return Cause.DATA  # the driver can't even send it: an integer beyond 64 bits, half of a surrogate pair
    return Cause.DATA if (error.code or "").startswith((*_FAULTS_OF_DATA, *_FAULTS_OF_DATA_OR_SERVER)) else Cause.OTHER


def is_too_much(error: Exception) -> bool:
    """It needs more memory, or more time, than a transaction may have."""
    code: str = getattr(error, "code", None) or ""
    return isinstance(error, MemoryError) or "Memory" in code or "TimedOut" in code


def text_of(error: Exception) -> str:
    """In one line: what Neo4j says; of any other error its type, too."""
    message: str | None = getattr(error, "message", None)
    first = (message or str(error)).strip().split("\n")[0]
    if message:
        return first[:MAX_TEXT]
    return f"{type(error).__name__}: {first}"[:MAX_TEXT] if first else type(error).__name__


def needs_a_hand(error: Exception) -> bool:
    """Whether Neo4j goes on refusing until somebody frees its disk, restarts it or makes it writable."""
    text = f"{getattr(error, 'code', '')} {error}"
    return any(sign.lower() in text.lower() for sign in _NEEDS_A_HAND)
