"""AWS as the contract tests see it: checked against botocore's models, which its responses are written to the wire
by.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import pytest
from botocore.model import OperationModel
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

from loaders.scope import Scope
from tasks.aws.client import client, credentials
from tasks.aws.client.client import AwsApi
from tasks.aws.client.paging import paging
from tasks.aws.client.permissions import permission
from tasks.clients.rate_limiter import RateLimiter
from tasks.engine.listing import Listing
from tasks.resource import ResourceType, Tenant
from tests.contract.shapes import NotInModel
from tests.contract.stand_in import Asked, OtherResponse, Responses, StandIn
from tests.servers.aws import Call, Effect, Fault
from tests.servers.dns import NameServer
from tests.servers.responses import ACCOUNT, ResponseServer

NAMES: Final = {"search-logs-4fhz2kq7.eu-west-1.es.amazonaws.com": ["192.0.2.10", "192.0.2.9"]}  # those in the samples


class BotocoreModel:
    @cache  # noqa: B019  # there is one, for as long as the tests run
    def operation(self, action: str) -> OperationModel:
        service, name = action.split(":")
        model = credentials.service_model(service)
        if name not in model.operation_names:
            raise NotInModel(f"botocore's model of {service} has no operation {name}")
        found: OperationModel = model.operation_model(name)
        return found

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        if fetch.items_path is not None:
            return (fetch.items_path,) if fetch.items_path else ()
        config = paging(fetch.action)
        if config is None:
            raise NotInModel(f"{fetch.action} doesn't page: the declaration must say items_path=")
        return config.results


class Aws(StandIn):
    provider = "aws"
    regions = True
    model = BotocoreModel()
    partition = "aws"

    def __init__(self, server: ResponseServer, name_server: str) -> None:
        self.server = server
        self.tenant = Tenant(provider="aws", id=ACCOUNT, name="sample", access={"name_server": name_server})

    @property
    def responses(self) -> Responses:  # as attributes of others are
        return self.server.responses

    @responses.setter
    def responses(self, responses: Responses) -> None:
        self.server.responses = responses

    async def connect(self, scope: Scope, rate_limiter: RateLimiter) -> AwsApi:
        return AwsApi(self.tenant, scope.region, rate_limiter, self.partition)

    async def close(self) -> None:
        await client.close()

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        return self.model.items_paths(fetch)

    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        if isinstance(type_.fetch, Listing):
            return [(type_.fetch.action, path) for path in self.items_paths(type_.fetch)]
        paged = {action: paging(action) for action in type_.fetch.calls}
        return [(action, path) for action, config in paged.items() if config for path in config.results]

    @property
    def received(self) -> list[Asked]:
        return [Asked(f"{call.service}:{call.action}", call.text) for call in self.server.received]

    def forget(self) -> None:
        self.server.simulator.reset()
        self.server.received = []

    def throttle(self, call: str, times: int = 1) -> None:
        self._fault(Effect.THROTTLE, call, times=times, retry_after_seconds=0)

    def deny(self, call: str) -> None:
        self._fault(Effect.DENY, call)

    def lose(self, call: str, code: str) -> None:
        self._fault(Effect.DENY, call, code=code, status=404, times=1)

    def not_enabled(self, call: str) -> None:
        """The account hasn't enabled the region."""
        self._fault(Effect.NOT_ENABLED, call)

    def permission(self, call: str) -> str:
        return permission(call)

    def respond_otherwise(self, calls: Collection[str], other: OtherResponse) -> None:
        def response(call: Call) -> Response:
            is_json = get_service_model(call.service).metadata["protocol"].endswith("json")
            text = other.json if is_json else other.xml.replace("{call}", call.action)
            own = "application/x-amz-json-1.1" if is_json else "text/xml"
            time.sleep(other.seconds)
            return Response(text, 200, {"Content-Type": other.content_type or own})

        self.server.responses = dict.fromkeys(calls, response)

    def _fault(self, effect: Effect, call: str, **how: Any) -> None:
        service, action = call.split(":")
        self.server.simulator.add(Fault(effect, service=service, action=action, **how))


STAND_IN = Aws


@contextmanager
def running() -> Iterator[Aws]:
    """AWS as this process sees it; its credentials are an account's number, as the server wants them."""
    with ResponseServer() as server, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        credentials.forget({})
        names = NameServer(NAMES).start()
        yield Aws(server, names.address)
        credentials.forget({})
