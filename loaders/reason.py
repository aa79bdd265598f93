"""Why a scope, or a detail of its items, was not seen: as fields, kept as JSON in the ledger."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Final, Self

from loaders.masking import mask

MAX_DETAIL: Final = 300  # characters
REJECTED: Final = "rejected"  # by Chartfleet itself: what came doesn't fit the declaration
THROTTLED: Final = "throttled"  # for so long that the scope was given up
UNFINISHED: Final = "unfinished"  # it, or its run, took too long
_BY_CODE: Final = ("denied", "not enabled")  # the code and the permission come first in their text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What failed and why.

    failure  the class of the failure: `denied`, `transient`, ...; empty where an older version wrote plain text
    code     the API's own error code
    action   the permission, call or endpoint
    detail   anything else worth knowing, in words
    items    how many items it affects; 0: the whole scope
    """

    failure: str = ""
    code: str = ""
    action: str = ""
    detail: str = ""
    items: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """From JSON, or from the plain text of an older version."""
        try:
            values = json.loads(text) if text.startswith("{") else None
        except json.JSONDecodeError:
            values = None
        if not isinstance(values, dict):
            return cls(detail=text)
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_json(self) -> str:
        """Equal reasons have equal JSON: the ledger counts gaps by it. Without secrets, which a server may repeat."""
        values = {name: mask(value) if isinstance(value, str) else value for name, value in asdict(self).items()}
        values["detail"] = values["detail"][:MAX_DETAIL]
        return json.dumps({name: value for name, value in values.items() if value}, separators=(",", ":"))

    def __str__(self) -> str:
        """`AccessDenied ec2:DescribeVpcs`, `transient: iam:ListUsers: no response`, `2 items rejected, ...`."""
        if self.failure == REJECTED and self.items:
            return f"{counted(self.items, 'item')} rejected{', the first' if self.items > 1 else ''}: {self.detail}"
        text = ": ".join(filter(None, (self._cause, self.detail)))
        return f"{text} for {counted(self.items, 'item')}" if self.items else text

    @property
    def _cause(self) -> str:
        if self.failure in _BY_CODE:
            return " ".join(filter(None, (self.code or self.failure, self.action)))
        if self.action:
            return ": ".join(filter(None, (self.failure, self.action)))
        return " ".join(filter(None, (self.failure, self.code)))

    def of_details(self) -> str:
        """The same, of details not seen: `s3:GetBucketPolicy: AccessDenied (2 items)`."""
        why = self.code or ": ".join(filter(None, (self.failure, self.detail)))
        if self.code and self.detail:
            why = f"{self.code}: {self.detail}"
        text = ": ".join(filter(None, (self.action, why)))
        return f"{text} ({counted(self.items, 'item')})" if self.items else text


NO_REASON: Final = Reason()


def counted(count: int, thing: str) -> str:
    """`1 item`, `2 items`, `1,200 batches`."""
    plural = f"{thing}es" if thing.endswith(("s", "ch")) else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"
