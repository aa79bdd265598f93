"""A provider as the contract tests see it: the responses of one sample, served over HTTP to the real client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from loaders.scope import Scope
from tasks.clients.rate_limiter import RateLimiter
from tasks.engine.listing import Listing
from tasks.resource import Api, ResourceType, Tenant
from tests.contract.shapes import ServiceModel

# A list is the pages of one call. A mapping holds the responses of a call that is made per item, by a word that tells
# the items' calls apart, each a response, a list of pages, or the code of an error.
Responses = dict[str, Any]

SOMETHING_ELSE = "NoSuchNonsense"  # a "not found" of which no declaration says what it means


@dataclass(frozen=True)
class OtherResponse:
    """What comes with status 200 and isn't the response. `xml`: the same where a service speaks XML; `{call}` stands
    for the name of the call.
    """

    json: str
    xml: str
    content_type: str = ""  # "": as the provider's own
    seconds: float = 0  # how long it takes to come


@dataclass(frozen=True)
class Asked:
    """A call that the server received. `text`: what was asked, decoded."""

    call: str
    text: str


class StandIn(ABC):
    """`answers` may be replaced at any time; `received`: every call since it was last emptied.

    model    what the provider publishes of its API; None where it publishes nothing that declarations could be held to
    regions  whether types may be regional
    tells_empty  whether a response without items is told from one of something else
    """

    provider: ClassVar[str]
    regions: ClassVar[bool] = False
    tells_empty: ClassVar[bool] = True
    model: ClassVar[ServiceModel | None] = None
    partition: ClassVar[str] = ""
    tenant: Tenant
    responses: Responses
    suffix: str = ""  # of the tenants' ids: those of others than the samples'

    def tenant_of(self, type_: ResourceType) -> Tenant:
        """The tenant that has such things."""
        return replace(self.tenant, id=self.tenant.id + self.suffix)

    @abstractmethod
    async def connect(self, scope: Scope, rate_limiter: RateLimiter) -> Api:
        """The provider's API, as a worker reaches it."""

    @abstractmethod
    async def close(self) -> None:
        """End what `connect` opened."""

    @abstractmethod
    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        """Where a response of the listing holds its items, "" where it is the list; none where it is the item."""

    @abstractmethod
    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        """(call, where its response holds a list) of what a type reads its items from."""

    @property
    @abstractmethod
    def received(self) -> list[Asked]: ...

    @abstractmethod
    def forget(self) -> None:
        """Nothing was received, and nothing is refused any more."""

    @abstractmethod
    def throttle(self, call: str, times: int = 1) -> None:
        """The next such calls are told to slow down: for no time, so that a test of every call ends."""

    @abstractmethod
    def deny(self, call: str) -> None:
        """All such calls are refused for lack of permission."""

    @abstractmethod
    def lose(self, call: str, code: str) -> None:
        """The next such call is answered that there is no such thing, with this code."""

    @abstractmethod
    def respond_otherwise(self, calls: Collection[str], other: OtherResponse) -> None:
        """These calls are answered so; none other is answered any more."""

    @property
    def the_end(self) -> dict[str, Any]:
        """What stands beside a list to say that nothing follows."""
        return {}

    def permission(self, call: str) -> str:
        """What a report names where the call is denied."""
        return call

    @property
    def counts(self) -> Mapping[str, int]:
        return Counter(asked.call for asked in self.received)
