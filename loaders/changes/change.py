"""One change of a node or a relationship, as it is kept in the graph."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from loaders import coverage
from loaders.masking import mask
from loaders.model import Reference
from loaders.scope import Scope

MAX_VALUE: Final = 300  # characters of a value that is kept
MAX_KEY: Final = 1_000  # of a key: those of some nodes are whole rules

Scalar = bool | int | float | str | None


class Kind(StrEnum):
    APPEARED = "appeared"
    CHANGED = "changed"
    GONE = "gone"


class Cause(StrEnum):
    """Why something went, or why it appeared elsewhere.

    DELETED  a complete list no longer has it
    RETIRED  its tenant or region is no longer listed, for as many runs as `retired_runs_kept`
    MOVED    another tenant or region lists it now
    """

    DELETED = "deleted"
    RETIRED = "retired"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A relationship of a node, named by its other end."""

    type: str
    label: str
    key: Any
    incoming: bool

    @classmethod
    def of(cls, reference: Reference, key: Any) -> Self:
        return cls(type=reference.type, label=reference.label, key=key, incoming=reference.incoming)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Of a node, of one of its relationships, or of one of its properties.

    scope   what owns the node
    detail  of a cause: why the scope is retired, or from which scope to which the node moved
    """

    kind: Kind
    scope: str
    label: str
    key: Any
    cause: Cause | None = None
    detail: str | None = None
    relationship: Relationship | None = None
    property: str | None = None
    before: Any = None
    after: Any = None

    def properties(self, run: str, tag: int) -> dict[str, Any]:
        """Of its node in the graph. Its id is the same however often one run records it."""
        place = coverage.place(Scope.parse(self.scope))
        other = self.relationship
        of = {
            "kind": str(self.kind),
            "label": self.label,
            "key": shortened(self.key, MAX_KEY),
            "relationship": other.type if other else None,
            "other_label": other.label if other else None,
            "other_key": shortened(other.key, MAX_KEY) if other else None,
            "incoming": other.incoming if other else None,
            "property": self.property,
        }
        what = json.dumps([run, *of.values(), str(self.key), str(other.key) if other else None, self.scope])
        return {
            **place,
            **of,
            "id": hashlib.blake2b(what.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(),
            "run": run,
            "tag": tag,
            "before": shortened(self.before, MAX_VALUE),
            "after": shortened(self.after, MAX_VALUE),
            "cause": str(self.cause) if self.cause else None,
            "detail": shortened(self.detail, MAX_VALUE),
        }


def shortened(value: Any, length: int) -> Scalar:
    """A value as it is kept: without secrets, a list as JSON, and no longer than this many characters."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = mask(value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))
    return text if len(text) <= length else f"{text[: length - 1]}…"
