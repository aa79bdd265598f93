"""All that an author of a provider or of a resource type imports, and all that stays compatible.

    from tasks.provider import Node, Per, ResourceType, incoming, key, listing, prop

Names are imported when they are used: a module that only declares options doesn't import an HTTP client.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from loaders.model import Node as Node
    from loaders.model import id_link as id_link
    from loaders.model import incoming as incoming
    from loaders.model import key as key
    from loaders.model import link as link
    from loaders.model import link_through as link_through
    from loaders.model import outgoing as outgoing
    from loaders.model import prop as prop
    from loaders.source import NOT_SEEN as NOT_SEEN
    from loaders.source import NotSeen as NotSeen
    from loaders.source import Source as Source
    from loaders.source import at as at
    from loaders.source import constant as constant
    from loaders.source import parent as parent
    from loaders.source import scope_region as scope_region
    from loaders.source import scope_tenant as scope_tenant
    from tasks.access import Access as Access
    from tasks.access import Examination as Examination
    from tasks.access import Examined as Examined
    from tasks.access import Finding as Finding
    from tasks.access import How as How
    from tasks.access import Reached as Reached
    from tasks.access import Remedy as Remedy
    from tasks.clients.api_client import ApiClient as ApiClient
    from tasks.clients.api_client import ApiPolicy as ApiPolicy
    from tasks.clients.api_client import Response as Response
    from tasks.clients.base_url import check_base_url as check_base_url
    from tasks.clients.client import ErrorResponse as ErrorResponse
    from tasks.clients.graphql import Connection as Connection
    from tasks.clients.graphql import SingleObject as SingleObject
    from tasks.clients.graphql_api import Document as Document
    from tasks.clients.graphql_api import GraphqlApi as GraphqlApi
    from tasks.clients.graphql_by_ids import ByIds as ByIds
    from tasks.clients.graphql_errors import classify_graphql_error as classify_graphql_error
    from tasks.clients.http import HttpApi as HttpApi
    from tasks.clients.http import HttpService as HttpService
    from tasks.clients.http import http_calls as http_calls
    from tasks.clients.http_errors import by_status as by_status
    from tasks.clients.http_errors import message_of as message_of
    from tasks.clients.http_requests import close_http as close_http
    from tasks.clients.paginators import Cursor as Cursor
    from tasks.clients.paginators import LinkHeader as LinkHeader
    from tasks.clients.paginators import NextPage as NextPage
    from tasks.clients.paginators import Paginator as Paginator
    from tasks.clients.paginators import SinglePage as SinglePage
    from tasks.clients.rate_limiter import RateLimit as RateLimit
    from tasks.clients.rate_limiter import RateLimiter as RateLimiter
    from tasks.clients.variables import read_variable as read_variable
    from tasks.clients.variables import unset_variables as unset_variables
    from tasks.engine.concurrency import bounded as bounded
    from tasks.engine.listing import Listing as Listing
    from tasks.engine.listing import listing as listing
    from tasks.engine.naming import named as named
    from tasks.failures import CallFailed as CallFailed
    from tasks.failures import Failure as Failure
    from tasks.failures import InvalidRecord as InvalidRecord
    from tasks.failures import NotConfigured as NotConfigured
    from tasks.failures import RetryLater as RetryLater
    from tasks.options import ProviderOptions as ProviderOptions
    from tasks.options import option as option
    from tasks.resource import Api as Api
    from tasks.resource import Call as Call
    from tasks.resource import Fetch as Fetch
    from tasks.resource import Gap as Gap
    from tasks.resource import Item as Item
    from tasks.resource import Listed as Listed
    from tasks.resource import Per as Per
    from tasks.resource import Provider as Provider
    from tasks.resource import ResourceType as ResourceType
    from tasks.resource import Tenant as Tenant
    from tasks.tenant_access import TenantAccess as TenantAccess
    from tasks.waits import retry_after as retry_after
    from tasks.waits import seconds_until as seconds_until

# By subject, as the documentation shows them, and by the module that defines them.
SUBJECTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Nodes": {
        "loaders.model": ("Node", "key", "prop"),
        "loaders.source": ("parent", "constant", "scope_region", "scope_tenant", "Source", "at", "NOT_SEEN", "NotSeen"),
        "tasks.engine.naming": ("named",),
    },
    "Relationships": {
        "loaders.model": ("outgoing", "incoming", "id_link", "link", "link_through"),
    },
    "Resource types": {
        "tasks.resource": ("ResourceType", "Per", "Fetch", "Item", "Gap", "Call"),
        "tasks.engine.listing": ("listing", "Listing"),
        "tasks.engine.concurrency": ("bounded",),
    },
    "Providers": {
        "tasks.resource": ("Provider", "Tenant", "Listed", "Api"),
        "tasks.options": ("ProviderOptions", "option"),
        "tasks.tenant_access": ("TenantAccess",),
        "tasks.clients.base_url": ("check_base_url",),
        "tasks.clients.variables": ("read_variable", "unset_variables"),
    },
    "Errors": {
        "tasks.failures": ("Failure", "CallFailed", "RetryLater", "InvalidRecord", "NotConfigured"),
    },
    "JSON over HTTP": {
        "tasks.clients.http": ("HttpService", "HttpApi", "http_calls"),
        "tasks.clients.http_requests": ("close_http",),
        "tasks.clients.api_client": ("Response", "ApiPolicy", "ApiClient"),
        "tasks.clients.client": ("ErrorResponse",),
        "tasks.clients.http_errors": ("by_status", "message_of"),
        "tasks.waits": ("retry_after", "seconds_until"),
        "tasks.clients.paginators": ("Paginator", "NextPage", "LinkHeader", "Cursor", "SinglePage"),
        "tasks.clients.rate_limiter": ("RateLimit", "RateLimiter"),
    },
    "GraphQL": {
        "tasks.clients.graphql_api": ("Document", "GraphqlApi"),
        "tasks.clients.graphql": ("Connection", "SingleObject"),
        "tasks.clients.graphql_by_ids": ("ByIds",),
        "tasks.clients.graphql_errors": ("classify_graphql_error",),
    },
    "Checks of access, for `chartfleet doctor`": {
        "tasks.access": ("Examination", "Examined", "Reached", "Access", "How", "Finding", "Remedy"),
    },
}
_MODULES: Final = {name: module for modules in SUBJECTS.values() for module, names in modules.items() for name in names}

__all__ = list(_MODULES)  # a list, made from the table


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_MODULES]
