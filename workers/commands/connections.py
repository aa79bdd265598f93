"""The services that a command talks to: those that the settings name, else the embedded ones of the data directory."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from workers.fleet.readiness import check_graph, check_redis
from workers.settings import process_settings

if TYPE_CHECKING:
    from celery import Celery

    from loaders.graph import Graph, GraphAddress
    from workers.settings.settings import Settings


def data_dir(settings: Settings) -> Path:
    from workers.embedded.services import default_data_dir  # here and below: `status` of a fleet must not wait for it

    return Path(settings.data_dir) if settings.data_dir else default_data_dir()


def impatient(broker: str) -> redis.Redis:
    """A client that fails at once where nothing responds, for the first contact."""
    return redis.Redis.from_url(broker, socket_connect_timeout=5, socket_timeout=10, retry=None)


def checked_broker(broker: str) -> redis.Redis:
    """Raises NotReady."""
    client = impatient(broker)
    check_redis(client, broker)
    return client


def broker_of(settings: Settings, stack: ExitStack) -> redis.Redis:
    """The broker; an embedded one runs until the stack is closed. Raises NotReady, EmbeddedError."""
    if settings.broker is not None:
        return checked_broker(settings.broker)
    from workers.embedded.services import using

    services = stack.enter_context(using(data_dir(settings), say=lambda _: None, graph=False))
    return checked_broker(services.broker_url)


def graph_address_of(settings: Settings, stack: ExitStack) -> GraphAddress:
    """The same for the graph. Raises EmbeddedError."""
    if settings.graph_address is not None:
        return settings.graph_address
    from workers.embedded.services import using

    return stack.enter_context(using(data_dir(settings), say=lambda _: None, broker=False)).graph


def opened(address: GraphAddress, stack: ExitStack) -> Graph:
    """Raises NotReady."""
    return stack.enter_context(closing(check_graph(address)))


def running_graph(settings: Settings, stack: ExitStack) -> Graph | None:
    """The graph that the settings name, or the embedded one if it runs; it isn't started."""
    from workers.embedded.services import status

    if settings.graph_address is None and not status(data_dir(settings)).graph.running:
        return None
    return opened(graph_address_of(settings, stack), stack)


def celery_app(settings: Settings) -> Celery:
    """The app of this process, with the settings of this command."""
    process_settings.use(settings)
    from workers.fleet.app import app

    return app
