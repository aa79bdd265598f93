"""What had another name before: modules, names in them, keyword arguments, methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PUBLIC: Final = "tasks.provider"  # what packages import from now on

_CLIENTS: Final = "tasks.clients"
_HTTP: Final = tuple(f"{_CLIENTS}.{name}" for name in ("http", "http_requests", "http_errors", "paginators"))
_CLIENT: Final = (f"{_CLIENTS}.client", f"{_CLIENTS}.api_client")
_GRAPHQL: Final = tuple(
    f"{_CLIENTS}.{name}"
    for name in ("graphql", "graphql_api", "graphql_by_ids", "graphql_errors", "graphql_pages", "graphql_unseen")
)
_LISTING: Final = tuple(f"tasks.engine.{name}" for name in ("listing", "details", "responses", "concurrency"))
_GOOGLE: Final = tuple(
    f"{_CLIENTS}.{name}" for name in ("google", "google_documents", "google_errors", "google_requests")
)


@dataclass(frozen=True, slots=True)
class Module:
    """An old module: the modules that hold its contents now, and what of it was renamed."""

    now: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)


_RATE: Final = {"Limit": "RateLimit", "Budget": "RateLimiter", "RateBudget": "RedisRateLimiter"}
_ANSWER: Final = {"Answer": "Response", "Refusal": "ErrorResponse", "Terms": "ApiPolicy", "BudgetedApi": "ApiClient"}
_TRIES: Final = {"MOST_TRIES": "MAX_ATTEMPTS", "MOST_THROTTLES": "MAX_THROTTLES"}
_CODES: Final = {"refusal": "classify_graphql_error", "OneThing": "SingleObject", "Told": "QueryResult"}
_PAGING: Final = {"close": "close_http", "described": "http_calls", "cursor": "Cursor", "Further": "NextPage"}

MODULES: Final[Mapping[str, Module]] = {
    "tasks.base_url": Module(
        (f"{_CLIENTS}.base_url",), {"check": "check_base_url", "host": "host_of", "own": "resolve_link"}
    ),
    "tasks.budgeted": Module(_CLIENT, {**_ANSWER, **_TRIES}),
    "tasks.calls": Module(("tasks.engine.calls",)),
    "tasks.failures": Module(("tasks.failures",), {"Later": "RetryLater", "BadItem": "InvalidRecord"}),
    "tasks.fetch": Module(("tasks.engine.fetch",)),
    "tasks.google_api": Module(
        _GOOGLE, {"terms": "google_policy", "described": "google_calls", "refusal": "classify_google_error"}
    ),
    "tasks.google_documents": Module((f"{_CLIENTS}.google_documents",)),
    "tasks.google_scopes": Module((f"{_CLIENTS}.google_scopes",)),
    "tasks.graphql": Module(_GRAPHQL, _CODES),
    "tasks.graphql_api": Module(_GRAPHQL, _CODES),
    "tasks.graphql_by_ids": Module(_GRAPHQL, _CODES),
    "tasks.http": Module((*_HTTP, *_CLIENT, "tasks.waits"), {**_PAGING, **_ANSWER}),
    "tasks.ip_range": Module(("tasks.ip_range",)),
    "tasks.link_header": Module((f"{_CLIENTS}.link_header",)),
    "tasks.listing": Module(_LISTING, {"Parts": "Partition", "Beside": "Lookup"}),
    "tasks.own_budget": Module((f"{_CLIENTS}.local_rate_limiter",), {"OwnBudget": "LocalRateLimiter"}),
    "tasks.rate_budget": Module((f"{_CLIENTS}.rate_limiter",), _RATE),
    "tasks.registry": Module(("tasks.engine.registry",)),
    "tasks.resource": Module(("tasks.resource",)),
    "tasks.rows": Module(("tasks.engine.rows",)),
    "tasks.variables": Module((f"{_CLIENTS}.variables",), {"held_by": "read_variable", "unset": "unset_variables"}),
}
MOVED: Final = frozenset(name for name, module in MODULES.items() if module.now != (name,))

# Old functions whose place an object takes: the class that makes it.
INSTANCES: Final[Mapping[str, str]] = {"next_link": "LinkHeader", "one_page": "SinglePage"}

# Members of an enum.
MEMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "Failure": {"BAD_ANSWER": "INVALID_RESPONSE", "GONE": "NOT_FOUND", "OTHER": "UNEXPECTED"},
}

_API: Final = {"terms": "policy", "budget": "rate_limiter"}
_POLICY: Final = {"refusal": "classify_error"}
# Keyword arguments of classes and functions (by their present name), which are attributes of an instance, too.
ARGUMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "ApiClient": _API,
    "ApiPolicy": _POLICY,
    "ByIds": {"inner": "nested", "per_part": "part_size", "at_once": "batch_size"},
    "Call": {"made": "frequency"},
    "GoogleApi": _API,
    "GraphqlApi": {**_API, "left_out": "denied_fields"},
    "HttpApi": _API,
    "HttpService": {
        **_POLICY,
        "further": "paginator",
        "items_at": "items_path",
        "but_at": "items_path_overrides",
        "thing_has": "required_field",
    },
    "Listed": {"whole": "complete", "unseen": "incomplete_reason"},
    "Listing": {},
    "LocalRateLimiter": {},
    "Option": {"also": "aliases"},
    "Provider": {"missing": "problems", "contradiction": "conflicts", "examine": "check_access"},
    "RateLimit": {"highest": "maximum"},
    "ResourceType": {"also": "aliases", "of": "tenant_kind"},
    "listing": {
        "items_at": "items_path",
        "named": "name_field",
        "owner_at": "owner_path",
        "gone_if": "not_found_codes",
    },
}

_API_METHODS: Final = {"whole": "read_all", "items_at": "items_paths", "answer": "response"}
LIMITER_METHODS: Final = {"take": "acquire", "flight": "slot", "hold": "pause"}
# Methods, by class: a package may call them, and override them.
METHODS: Final[Mapping[str, Mapping[str, str]]] = {
    "ApiClient": _API_METHODS,
    "GoogleApi": _API_METHODS,
    "GraphqlApi": {**_API_METHODS, "ask": "query", "along": "connection_pages"},
    "HttpApi": _API_METHODS,
    "Listing": {"then": "detail", "beside": "lookup", "together": "batch_detail", "in_parts": "partition"},
    "LocalRateLimiter": LIMITER_METHODS,
}
# Keyword arguments of old methods.
METHOD_ARGUMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "then": {"none_if": "absent_codes"},
    "beside": {"by": "key"},
    "together": {"most": "max_batch", "by": "key"},
    "in_parts": {"by": "key", "again": "refetch"},
}
