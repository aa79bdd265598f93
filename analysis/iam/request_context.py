"""What the graph knows of the context of a request: the values of condition keys, by principal and by resource.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Undecided(Enum):
    UNDECIDED = "depends on the request, or was not read"


UNDECIDED: Final = Undecided.UNDECIDED
# A pattern that the value matches, mostly a plain text; None: the request lacks the key.
Value = str | None | Undecided

TAG: Final = "aws:principaltag/"
OF_PRINCIPAL: Final = frozenset(
    (
        "aws:federatedprovider",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalorgid",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:principaltype",
        "aws:userid",
        "aws:username",
    )
)
OF_RESOURCE: Final = frozenset(("aws:resourceaccount", "aws:resourceorgid"))


def depends_on_principal(key: str) -> bool:
    """Whether its value may follow from the principal. Letter case doesn't matter in keys, including those of tags."""
    return key.lower() in OF_PRINCIPAL or key.lower().startswith(TAG)


def depends_on_resource(key: str) -> bool:
    return key.lower() in OF_RESOURCE


@dataclass(frozen=True, slots=True)
class Context:
    """Values by key, in lower case. The value of any other key isn't known.

    tags    all tags of the principal, by name in lower case; None: not known
    """

    values: Mapping[str, Value]
    tags: Mapping[str, str] | None = None

    def get(self, key: str) -> Value:
        name = key.lower()
        if name.startswith(TAG):
            return UNDECIDED if self.tags is None else self.tags.get(name.removeprefix(TAG))
        return self.values.get(name, UNDECIDED)
