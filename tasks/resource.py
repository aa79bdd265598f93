"""What resource types are declared with: their scopes, how they are fetched, and their provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from loaders.model import NOT_SEEN as NOT_SEEN
from loaders.model import Each, Node
from loaders.reason import NO_REASON, Reason
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
    """What data belongs to: an account, a project, an organization.

    kind       where a provider has tenants of several kinds; each type is fetched from the kind that has it
    access     how to reach it, by names (a profile, a role, a variable), never a secret
    principal  who the credentials are there: what the report names as the one to grant a permission to
    """

    provider: str
    id: str
    name: str = ""
    kind: str = ""
    access: Mapping[str, str] = field(default_factory=dict)
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Tenants, or regions.

    complete           there are no others: what isn't listed no longer exists, rather than not being selected
    owner              whose list it is, where several may be complete: an organization doesn't list another's accounts
    notes              for the report
    incomplete_reason  why not everything could be listed; the rest is listed all the same
    """

    found: Sequence[T] = ()
    complete: bool = False
    owner: str = ""
    notes: tuple[str, ...] = ()
    incomplete_reason: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A detail of an item that could not be seen; the item itself was. `cause`: the same as fields."""

    action: str
    reason: str
    cause: Reason = field(default=NO_REASON, compare=False)

    @classmethod
    def of(cls, error: CallFailed) -> Gap:
        """What failed, by the API's own code, or by the class of the failure and the reason."""
        detail = "" if error.code else error.reason[:200]
        cause = Reason(failure=str(error.failure), code=error.code, action=error.action, detail=detail)
        return cls(error.action, error.code or f"{error.failure}: {detail}", cause)

    @property
    def as_reason(self) -> Reason:
        return self.cause if self.cause.action else Reason(action=self.action, detail=self.reason)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a listing, with its details merged in.

    gaps     details not seen: in place of their responses the item has NOT_SEEN, or None for those of `unseen`
    failure  why nothing of it could be read: it stays in the graph as it is. NOT_FOUND: it no longer exists
    key      identifies it, the same in every run; "": the key of its first node does
    unseen   names of details that are None because they were not seen: a function of the declaration decides what that
             means for a property
    """

    value: Any
    gaps: tuple[Gap, ...] = ()
    failure: CallFailed | None = None
    key: str = ""
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An API call that a type makes, the permission that it needs, and how often it is made.

    permission  None where the call is always allowed
    per         what one call is made for: `scope`, `item`, `100 items`, `element of <path>`, ... None: code decides
    paged       one call per page
    frequency   how often it is made, in words
    """

    call: str
    permission: str | None = None
    per: str | None = None
    paged: bool = False
    frequency: str = ""


class Api(Protocol):
    """A provider's API for one tenant and region: authenticated, rate limited, with retries. `calls`: requests sent."""

    calls: int
    partition: str
    tenant: Tenant


class Fetch(Protocol):
    """How a type's items are read from its provider's API."""

    @property
    def calls(self) -> tuple[str, ...]:
        """The API calls that it makes. Permissions and documentation are derived from them."""

    def items(self, api: Any, part: str) -> AsyncIterator[Item]:
        """The items of a scope, or of one part of it."""

    def parts(self, api: Any) -> AsyncIterator[str] | None:
        """The parts that the scope is fetched in; None where it is fetched as a whole."""


@dataclass(frozen=True)
class ResourceType:
    """A declared type of resource.

    yields       its node models; `Each` says where in an item a model's own items are
    aliases      names by which `--<provider>-requested-syncs` of other tools selects it
    tenant_kind  the kind of tenant that has such resources
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
    """A source of resource types: how to list its tenants and regions, and how to reach its API.

    tenants        lists the tenants that the options select. Raises NotConfigured, CallFailed
    regions        lists the regions of a tenant in which its regional types are fetched
    connect        the API of a tenant in a region; clients are shared within the process. Raises CallFailed where the
                   tenant can't be reached
    problems       what this machine lacks to serve the options, one line each (a profile, a variable). Raises
                   NotConfigured, with the settings that enable the provider, where nothing is configured
    close          closes what `connect` opened
    options        a class of ProviderOptions: its functions get an instance. Or a tuple of Option: they get a mapping
    conflicts      for a tuple of options: one that contradicts the others, and why
    calls          the calls that a type's fetch makes, with their permissions and frequencies
    check_access   tries the calls of these types in each tenant; None where that isn't possible. Raises NotConfigured
    check_tenant   what a tenant's record says that these options don't, "" for nothing: a worker asks with its own
                   options before it connects, so that no other process decides where its credentials are sent
    other_words    words of other tools' `--<provider>-requested-syncs` that select nothing here -> the remark on them
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
    check_tenant: Callable[[OptionsT, Tenant], str] = lambda options, tenant: ""
    other_words: Mapping[str, str] = field(default_factory=dict)

    def read_options(self, values: Mapping[str, object]) -> OptionsT:
        """The options as its functions get them. Raises ValueError where a value isn't of the declared type."""
        if isinstance(self.options, type) and issubclass(self.options, ProviderOptions):
            return cast(OptionsT, self.options.from_json(values))
        return cast(OptionsT, values)
