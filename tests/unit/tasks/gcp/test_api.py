"""GCP's services over HTTP: scopes, projects that are going, buckets whose reader pays, answers that aren't whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.google_options import GoogleOptions
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.failures import CallFailed, Failure
from tasks.gcp import api, identity, kinds, states, tenants
from tasks.resource import Tenant
from tests.servers import google_identity
from tests.servers.json_api import Asked, JsonApi, Reply, Route

PROJECT = "example-shop"
NETWORKS = f"GET /compute/v1/projects/{PROJECT}/global/networks"
BUCKETS = "GET /storage/v1/b"
POLICY = "GET /storage/v1/b/{bucket}/iam"
ACCOUNTS = f"GET /v1/projects/{PROJECT}/serviceAccounts"
TELLING = f"GET /v3/projects/{PROJECT}"
SERVICES = f"GET /v1/projects/{PROJECT}/services"
LIST = "compute:networks.list"
EMPTY = {"kind": "compute#networkList"}


def says(body: Any, status: int = 200, **headers: str) -> Route:
    return lambda asked: Reply(body, status, headers)


def enabled(*names: str) -> Route:
    return says({"services": [{"name": f"projects/1/services/{name}.googleapis.com"} for name in names]})


def refused(status: int, reason: str) -> Route:
    return says({"error": {"code": status, "message": "no", "errors": [{"reason": reason}]}}, status)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JsonApi]:
    routes = {google_identity.TOKEN_ROUTE: google_identity.token, SERVICES: enabled("compute", "storage")}
    with JsonApi(routes, google_identity.guard) as found:
        monkeypatch.setenv(identity.VARIABLE, str(google_identity.key_file(tmp_path / "key.json", found.url)))
        api.forget()
        yield found
        api.forget()
        asyncio.run(identity.close())


def read(server: JsonApi, action: str, *, state: str = "", **parameters: Any) -> list[Any]:
    """The pages of a call for the project."""

    async def pages() -> list[Any]:
        access = {"endpoint": server.url} | ({"state": state} if state else {})
        tenant = Tenant(provider="gcp", id=PROJECT, kind=kinds.PROJECT, access=access)
        connection = await api.connect(tenant, "", LocalRateLimiter())
        return [page async for page in connection.pages(action, **parameters)]

    return asyncio.run(pages())


def failed(server: JsonApi, action: str, **parameters: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        read(server, action, **parameters)
    return caught.value


# --- scopes


def test_a_call_that_is_refused_for_its_scope_names_the_one_that_does(server: JsonApi) -> None:
    key = google_identity.bearer("https://www.googleapis.com/auth/cloud-platform.read-only")
    server.routes[google_identity.TOKEN_ROUTE] = says({"access_token": key, "expires_in": 3600})
    server.routes |= {NETWORKS: says(EMPTY), BUCKETS: says({"kind": "storage#buckets"}), POLICY: says({})}
    assert read(server, "storage:buckets.list")
    for action, parameters, code, scope in (
        (LIST, {}, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "compute.readonly"),
        ("storage:buckets.getIamPolicy", {"bucket": "logs"}, "insufficientPermissions", "devstorage.full_control"),
    ):
        error = failed(server, action, **parameters)
        assert (error.failure, error.code) == (Failure.DENIED, code)
        assert error.action == f"{action} (OAuth scope https://www.googleapis.com/auth/{scope})"


def test_a_token_that_is_not_given_names_the_scopes_asked_for(server: JsonApi) -> None:
    server.routes[google_identity.TOKEN_ROUTE] = google_identity.delegated()
    error = failed(server, "storage:buckets.list")
    assert error.failure is Failure.DENIED
    assert "(OAuth scopes https://www.googleapis.com/auth/cloud-platform)" in error.action


# --- what isn't a response, or not the whole of it


@pytest.mark.parametrize(
    "reply",
    [
        Reply({}),
        Reply([]),
        Reply("null"),
        Reply('"text"'),
        Reply({**EMPTY, "items": None}),
        Reply(EMPTY, headers={"Content-Type": "text/html"}),
    ],
    ids=str,
)
def test_something_else_with_status_200_is_no_list(server: JsonApi, reply: Reply) -> None:
    server.routes[NETWORKS] = lambda asked: reply
    assert failed(server, LIST).failure is Failure.INVALID_RESPONSE


def paged(pages: dict[str, Any]) -> Route:
    return lambda asked: Reply(pages[asked.query.get("pageToken", "")])


def test_an_empty_page_with_a_token_goes_on(server: JsonApi) -> None:
    server.routes[NETWORKS] = paged({"": {**EMPTY, "nextPageToken": "2"}, "2": {**EMPTY, "items": [{"name": "n"}]}})
    assert [page["items"] for page in read(server, LIST)] == [[], [{"name": "n"}]]


def test_a_token_that_was_read_before_ends_the_list(server: JsonApi) -> None:
    again = {**EMPTY, "nextPageToken": "2"}
    server.routes[NETWORKS] = paged({"": again, "2": {**EMPTY, "nextPageToken": "3"}, "3": again})
    assert failed(server, LIST).failure is Failure.INVALID_RESPONSE
    assert server.counts[NETWORKS] == 3


def test_a_warning_is_told_after_what_was_read(server: JsonApi) -> None:
    unreachable = {**EMPTY, "items": [{"name": "n"}], "nextPageToken": "2", "warning": {"code": "UNREACHABLE"}}
    server.routes[NETWORKS] = paged({"": unreachable, "2": {**EMPTY, "items": [{"name": "m"}]}})
    seen: list[str] = []

    async def names() -> None:
        tenant = Tenant(provider="gcp", id=PROJECT, kind=kinds.PROJECT, access={"endpoint": server.url})
        connection = await api.connect(tenant, "", LocalRateLimiter())
        async for page in connection.pages(LIST):
            seen.extend(one["name"] for one in page["items"])

    with pytest.raises(CallFailed, match="incomplete: UNREACHABLE"):
        asyncio.run(names())
    assert seen == ["n", "m"]


# --- projects that are going, services that aren't enabled


def test_nothing_is_asked_of_a_project_that_is_to_be_deleted_but_what_it_is(server: JsonApi) -> None:
    server.routes[TELLING] = says({"name": "projects/1", "projectId": PROJECT, "state": "DELETE_REQUESTED"})
    assert read(server, "resourcemanager:projects.get", state="DELETE_REQUESTED", name=f"projects/{PROJECT}")
    error = failed(server, LIST, state="DELETE_REQUESTED")
    assert (error.failure, error.code, error.action) == (Failure.NOT_ENABLED, "DELETE_REQUESTED", LIST)
    assert NETWORKS not in server.counts


@pytest.mark.parametrize(
    ("status", "state", "failure"),
    [
        (404, "DELETE_REQUESTED", Failure.NOT_ENABLED),
        (403, "DELETE_REQUESTED", Failure.NOT_ENABLED),
        (404, "ACTIVE", Failure.NOT_FOUND),
        (403, "ACTIVE", Failure.DENIED),
    ],
)
@pytest.mark.parametrize("route", [NETWORKS, SERVICES])
def test_a_project_that_refuses_is_asked_whether_it_is_going(
    server: JsonApi, route: str, status: int, state: str, failure: Failure
) -> None:
    server.routes[NETWORKS] = refused(status, "notFound")
    server.routes[route] = refused(status, "notFound")
    server.routes[TELLING] = says({"name": "projects/1", "projectId": PROJECT, "state": state})
    assert failed(server, LIST).failure is failure
    assert failed(server, LIST).failure is failure
    assert server.counts[TELLING] == 1, "what is known isn't asked again"


def test_iam_is_asked_whether_or_not_the_project_has_enabled_it(server: JsonApi) -> None:
    server.routes[ACCOUNTS] = says({"accounts": [{"email": "web@example"}]})
    listed = read(server, "iam:projects.serviceAccounts.list", name="projects/{project}")
    assert listed == [{"accounts": [{"email": "web@example"}]}]
    assert failed(server, "dns:managedZones.list").failure is Failure.NOT_ENABLED


@pytest.mark.parametrize("name", ["storage", "storage-api", "storage-component"])
def test_cloud_storage_has_had_several_names(server: JsonApi, name: str) -> None:
    server.routes |= {SERVICES: enabled(name), BUCKETS: says({"kind": "storage#buckets"})}
    assert read(server, "storage:buckets.list")


# --- buckets whose reader pays


def paid(by: Callable[[Asked], Reply]) -> Route:
    nobody = refused(400, "required")
    return lambda asked: by(asked) if asked.query.get("userProject") == PROJECT else nobody(asked)


def test_a_bucket_whose_reader_pays_is_asked_on_the_projects_account(server: JsonApi) -> None:
    policy = {"kind": "storage#policy", "bindings": []}
    server.routes[POLICY] = paid(says(policy))
    assert read(server, "storage:buckets.getIamPolicy", bucket="datasets") == [policy]
    assert server.counts[POLICY] == 2


def test_what_may_not_be_paid_either_is_denied(server: JsonApi) -> None:
    server.routes[POLICY] = paid(refused(403, "USER_PROJECT_DENIED"))
    error = failed(server, "storage:buckets.getIamPolicy", bucket="datasets")
    assert (error.failure, error.code) == (Failure.DENIED, "USER_PROJECT_DENIED")


# --- tenants


def test_tenants_that_are_going_are_there_with_their_state(server: JsonApi) -> None:
    organization = {"name": "organizations/1", "displayName": "example.com", "state": "ACTIVE"}
    folders = {
        "organizations/1": [
            {"name": "folders/11", "parent": "organizations/1", "state": "ACTIVE"},
            {"name": "folders/12", "parent": "organizations/1", "state": "DELETE_REQUESTED"},
        ]
    }
    projects = {
        "folders/11": [
            {"name": "projects/1", "projectId": "shop", "state": "ACTIVE"},
            {"name": "projects/2", "projectId": "old", "state": "DELETE_REQUESTED"},
        ]
    }

    def listed(name: str, found: dict[str, list[Any]]) -> Route:
        def response(asked: Asked) -> Reply:
            assert asked.query["parent"] != "folders/12", "nothing can be in it"
            assert asked.query["showDeleted"] == "true"
            return Reply({name: found.get(asked.query["parent"], [])})

        return response

    server.routes |= {
        "GET /v3/organizations:search": says({"organizations": [organization]}),
        "GET /v3/folders": listed("folders", folders),
        "GET /v3/projects": listed("projects", projects),
        "GET /v3/projects:search": says({}),
    }
    found = asyncio.run(tenants.tenants(GoogleOptions(google_api_endpoint=server.url), LocalRateLimiter()))
    assert found.complete
    assert {one.id: one.access.get("state", "") for one in found.found} == {
        "1": "",
        "shop": "",
        "old": "DELETE_REQUESTED",
    }


def test_a_state_that_is_not_known_is_no_reason_to_skip_anything() -> None:
    assert [states.of({"state": state}) for state in (None, "ACTIVE", "STATE_UNSPECIFIED", "NEW")] == [""] * 4
