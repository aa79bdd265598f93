"""Samples of Google's services: a call is a method of a discovery document, which says where it is served."""

from __future__ import annotations

import re

from tasks.clients.google_documents import discovery_document, lists_of, method_of
from tasks.engine.listing import Listing
from tasks.resource import ResourceType, Tenant
from tests.contract.discovery_model import DiscoveryModel
from tests.contract.json_stand_in import JsonStandIn
from tests.servers import google_identity
from tests.servers.json_api import JsonApi, Reply


class GoogleStandIn(JsonStandIn):
    model = DiscoveryModel()
    throttled = Reply(
        {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}, 429, {"Retry-After": "0"}
    )
    denied = Reply({"error": {"code": 403, "message": "Not allowed", "errors": [{"reason": "forbidden"}]}}, 403)

    def __init__(self, server: JsonApi, tenant: Tenant) -> None:
        super().__init__(server, tenant)
        self.lookups = {google_identity.TOKEN_ROUTE: google_identity.token}

    def lost(self, code: str) -> Reply:
        return Reply({"error": {"code": 404, "message": "Not found", "errors": [{"reason": code}]}}, 404)

    def path_of(self, call: str) -> str:
        method = method_of(call)
        path = method.get("flatPath") or re.sub(r"\{\+(\w+)\}", r"{\1+}", method["path"])
        return f"{method['httpMethod']} /{discovery_document(call.partition(':')[0])['servicePath']}{path}"

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        return self.model.items_paths(fetch)

    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        if isinstance(type_.fetch, Listing):
            return [(type_.fetch.action, path) for path in self.items_paths(type_.fetch)]
        return [(call, path) for call in type_.fetch.calls for path in lists_of(call)]
