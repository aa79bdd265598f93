"""GSuite as the contract tests see it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.gsuite import api
from tasks.resource import Tenant
from tests.contract.google_stand_in import GoogleStandIn
from tests.servers import google_identity
from tests.servers.json_api import JsonApi


class GSuite(GoogleStandIn):
    provider = "gsuite"


STAND_IN = GSuite


@contextmanager
def running() -> Iterator[GSuite]:
    with (
        JsonApi({}, google_identity.guard) as server,
        tempfile.TemporaryDirectory() as directory,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(api.FILE, str(google_identity.key_file(Path(directory) / "key.json", server.url)))
        patch.setenv(api.ADMIN, "admin@example.com")
        access = {"endpoint": server.url}
        yield GSuite(server, Tenant(provider="gsuite", id="C01abcdef", name="example.com", access=access))
