"""GCP as the contract tests see it: an organization, and a project in which every service is enabled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.gcp import api, identity, kinds
from tasks.gcp.compute.aggregated import Aggregated
from tasks.resource import ResourceType, Tenant
from tests.contract.google_stand_in import GoogleStandIn
from tests.contract.samples import sample
from tests.servers import google_identity
from tests.servers.json_api import Asked, JsonApi, Reply

ORGANIZATION, PROJECT = "123456789012", "example-shop"


class Gcp(GoogleStandIn):
    provider = "gcp"

    def __init__(self, server: JsonApi) -> None:
        access = {"endpoint": server.url}
        project = Tenant(provider="gcp", id=PROJECT, name="Shop", kind=kinds.PROJECT, access=access)
        super().__init__(server, project)
        self.organization = Tenant(provider="gcp", id=ORGANIZATION, kind=kinds.ORGANIZATION, access=access)
        self.lookups[self.path_of(api.SERVICES)] = enabled

    def tenant_of(self, type_: ResourceType) -> Tenant:
        tenant = self.organization if type_.tenant_kind == kinds.ORGANIZATION else self.tenant
        return replace(tenant, id=tenant.id + self.suffix)

    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        """Of a list over all zones, that of each zone that the sample has."""
        if not isinstance(type_.fetch, Aggregated):
            return super().lists(type_)
        places = dict.fromkeys(place for page in sample(type_)[type_.fetch.action] for place in page["items"])
        return [(type_.fetch.action, f"items.{place}.{type_.fetch.name}") for place in places]

    def permission(self, call: str) -> str:
        return call


def enabled(asked: Asked) -> Reply:
    names = [names[0] for names in api.ENABLED.values()]
    return Reply({"services": [{"name": f"projects/1/services/{name}", "state": "ENABLED"} for name in names]})


STAND_IN = Gcp


@contextmanager
def running() -> Iterator[Gcp]:
    with (
        JsonApi({}, google_identity.guard) as server,
        tempfile.TemporaryDirectory() as directory,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(identity.VARIABLE, str(google_identity.key_file(Path(directory) / "key.json", server.url)))
        api.forget()
        yield Gcp(server)
        api.forget()
