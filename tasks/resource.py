"""The vocabulary of resource types: what they are, how they are fetched, and who provides them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from loaders.model import NOT_SEEN as NOT_SEEN
from loaders.model import Each, Node
from tasks.access import Examination
from tasks.failures import CallFailed
from tasks.options import ProviderOptions as ProviderOptions
from tasks.options import option as option
from tasks.setting import Option as Option

T = TypeVar("T")
if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    OptionsT = TypeVarWithDefault("OptionsT", default=object)
else:
    OptionsT = TypeVar("OptionsT")


class Per(Enum):
    """What a scope of the type covers."""

    REGION = "region"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """What data belong to. `access` says by names how to reach it (a profile, a role, a variable), never a secret.

    `kind`: where a provider has tenants of several kinds: types are fetched of those of their own.
    """

    provider: str
    id: str
    name: str = ""
    kind: str = ""
    access: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Tenants, or regions. `complete`: there are no others, so what isn't listed is gone, not merely not selected.

    owner    whose list it is, where more than one may be whole: an organization's says nothing of another's accounts
    notes    what whoever reads the report should know of the list
    incomplete_reason  why not everything could be listed; what could be is
    """

    found: Sequence[T] = ()
    complete: bool = False
    owner: str = ""
    notes: tuple[str, ...] = ()
    incomplete_reason: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A detail of an item that could not be seen; the item itself was."""

    action: str
    reason: str

    @classmethod
    def of(cls, error: CallFailed) -> Gap:
        """What failed, by the API's own code, or by the class and the reason."""
        return cls(error.action, error.code or f"{error.failure}: {error.reason}"[:200])


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a listing, with its details merged in.

    gaps     details not seen: where one's response would be, the item has NOT_SEEN, or None for those of `unseen`
    failure  why nothing of it could be read: it stays in the graph as it is. GONE: it isn't there any more
    key      what tells it from the others, the same in every run; "": the key of its first node does
    unseen   names of details for which it has None because they were not seen: a function of the declaration says
             what that means for a property
    """

    value: Any
    gaps: tuple[Gap, ...] = ()
    failure: CallFailed | None = None
    key: str = ""
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An API call that a type makes: what a policy must allow for it, and how often it is made.

    permission  None where it is answered whatever a policy says
    per         what one call is made for: `scope`, `item`, `100 items`, `element of <path>`, ... None: code decides
    paged       made again for every further page
    frequency   the same in words
    """

    call: str
    permission: str | None = None
    per: str | None = None
    paged: bool = False
    frequency: str = ""


class Api(Protocol):
    """A provider's API for one tenant and region: authenticated, budgeted, retried. `calls` counts what was sent."""

    calls: int
    partition: str
    tenant: Tenant


class Fetch(Protocol):
    """How a type's items are read from its provider's API."""

    @property
    def calls(self) -> tuple[str, ...]:
        """The API calls that it makes; permissions and documentation are derived from them."""

    def items(self, api: Any, part: str) -> AsyncIterator[Item]:
        """Every item of a scope, or of one part of it."""

    def parts(self, api: Any) -> AsyncIterator[str] | None:
        """The parts that the scope is fetched in, or None where it is fetched as a whole."""


@dataclass(frozen=True)
class ResourceType:
    """One declared kind of thing to fetch. `yields`: node models, each with where in an item its own items lie.

    aliases      the words by which `--<provider>-requested-syncs` of other tools select it
    tenant_kind  the kind of tenant that has such things
    """

    name: str
    per: Per
    fetch: Fetch
    yields: tuple[type[Node] | Each, ...]
    aliases: tuple[str, ...] = ()
    tenant_kind: str = ""

    @property
    def provider(self) -> str:
        return self.name.partition(".")[0]

    @property
    def each(self) -> tuple[Each, ...]:
        return tuple(y if isinstance(y, Each) else Each(y) for y in self.yields)

    @property
    def nodes(self) -> tuple[type[Node], ...]:
        return tuple(dict.fromkeys(each.node for each in self.each))


Options = Mapping[str, Any]  # what a provider gets that declares its options by `Option`


@dataclass(frozen=True, kw_only=True)
class Provider(Generic[OptionsT]):
    """A source of resource types: how its tenants and regions are found and its API is reached.

    tenants        the tenants that these options select. Raises NotConfigured, CallFailed
    regions        the regions of a tenant in which its regional types are fetched
    connect        the API of a tenant in a region; clients are shared within the process. Raises CallFailed where the
                   tenant can't be reached
    problems       what this machine lacks to serve these options, one line each (a profile, a variable). Raises
                   NotConfigured, with the settings that enable it, where nothing says that the provider is wanted
    close          ends what `connect` opened
    options        a class of ProviderOptions: its functions get an instance. Or a tuple of Option: they get a mapping
    conflicts      for a tuple of options: one that contradicts the others, and why
    calls          the calls that a type's fetch makes, with permission and number
    check_access   tries what these types call, tenant by tenant; None where that can't be tried. Raises NotConfigured
    other_words    what other tools' `--<provider>-requested-syncs` takes, and selects nothing here: what is said of it
    """

    name: str
    tenants: Callable[[OptionsT, Any], Awaitable[Listed[Tenant]]]
    regions: Callable[[Any, OptionsT], Awaitable[Listed[str]]]
    connect: Callable[[Tenant, str, Any], Awaitable[Api]]
    problems: Callable[[OptionsT], Iterable[str]]
    close: Callable[[], Awaitable[None]]
    options: type[OptionsT] | tuple[Option, ...] = ()
    conflicts: Callable[[OptionsT], tuple[str, str] | None] = lambda options: None
    calls: Callable[[Fetch], tuple[Call, ...]] = lambda fetch: tuple(Call(call=call) for call in fetch.calls)
    check_access: Callable[[OptionsT, Sequence[ResourceType], Any], Awaitable[Examination]] | None = None
    other_words: Mapping[str, str] = field(default_factory=dict)

    def read_options(self, values: Mapping[str, object]) -> OptionsT:
        """The options as its functions get them. Raises ValueError where a value isn't of the declared type."""
        if isinstance(self.options, type) and issubclass(self.options, ProviderOptions):
            return cast(OptionsT, self.options.from_json(values))
        return cast(OptionsT, values)
