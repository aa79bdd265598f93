"""Whatever a run says, a worker sends its credentials where its own settings say, and reads the variables they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tasks.clients import variables
from tasks.clients.variables import read_variable
from tasks.engine import catalog
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant
from tasks.setting import ValueType
from workers.fleet import own_settings
from workers.settings.settings import Settings

OWN = {
    "CHARTFLEET_OKTA_ORG_ID": "example",
    "CHARTFLEET_OKTA_API_KEY_ENV_VAR": "OKTA_TOKEN",
    "CHARTFLEET_GITHUB_CONFIG_ENV_VAR": "GITHUB_CONFIG",
    "CHARTFLEET_CRXCAVATOR_API_KEY_ENV_VAR": "CRX_KEY",
    "CHARTFLEET_AWS_ASSUME_ROLE": "Reader",
    "CHARTFLEET_AWS_EXTERNAL_ID": "42",
}
ROLE = "arn:aws:iam::111122223333:role/Reader"
OKTA = {"base_url": "https://example.okta.com", "api_key_variable": "OKTA_TOKEN", "saml_role_regex": "x"}
CRX = {"base_url": "https://api.crxcavator.io/v1", "api_key_variable": "CRX_KEY"}
SECRET = "AWS_SECRET_ACCESS_KEY"

GOOD: list[tuple[str, str, dict[str, str]]] = [
    ("okta", "example", OKTA),
    ("github", "org", {"config_variable": "GITHUB_CONFIG"}),
    ("crxcavator", "api.crxcavator.io", CRX),
    ("gcp", "project", {}),
    ("gsuite", "C01", {}),
    ("aws", "111122223333", {"partition": "aws", "role": ROLE, "external_id": "42"}),
    ("aws", "444455556666", {"partition": "aws", "state": "SUSPENDED"}),
]
FORGED: list[tuple[str, str, dict[str, str]]] = [
    ("okta", "example", OKTA | {"base_url": "https://evil.example"}),
    ("okta", "example", OKTA | {"base_url": "https://example.okta.com.evil.example"}),
    ("okta", "example", OKTA | {"api_key_variable": SECRET}),
    ("github", "org", {"config_variable": SECRET}),
    ("crxcavator", "evil", CRX | {"base_url": "https://evil.example"}),
    ("crxcavator", "evil", CRX | {"api_key_variable": SECRET}),
    ("gcp", "project", {"endpoint": "https://evil.example"}),
    ("gsuite", "C01", {"endpoint": "https://evil.example"}),
    ("aws", "111122223333", {"profile": "production-admin"}),
    ("aws", "111122223333", {"role": "arn:aws:iam::111122223333:role/Admin", "external_id": "42"}),
    ("aws", "111122223333", {"role": "arn:aws:iam::999999999999:role/Reader", "external_id": "42"}),
    ("aws", "111122223333", {"role": ROLE, "external_id": "43"}),
    ("aws", "111122223333", {"partition": "evil"}),
    ("aws", "111122223333", {"name_server": "192.0.2.1"}),
]


@pytest.fixture
def own() -> Settings:
    return Settings.load({}, OWN)


@pytest.fixture
def restricted(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "_allowed", None)
    own_settings.restrict_variables(own)


def tenant(provider: str, id_: str, access: Mapping[str, str]) -> Tenant:
    return Tenant(provider=provider, id=id_, access=access)


@pytest.mark.parametrize(("provider", "id_", "access"), GOOD)
def test_what_the_own_settings_say_is_reached(own: Settings, provider: str, id_: str, access: dict[str, str]) -> None:
    own_settings.check_tenant(own, tenant(provider, id_, access))


@pytest.mark.parametrize(("provider", "id_", "access"), FORGED)
def test_nothing_else_is_reached(own: Settings, provider: str, id_: str, access: dict[str, str]) -> None:
    with pytest.raises(CallFailed, match="own settings") as refused:
        own_settings.check_tenant(own, tenant(provider, id_, access))
    assert (refused.value.failure, refused.value.code) == (Failure.DENIED, "NotOwnSetting")


def test_each_provider_has_a_forged_record_above() -> None:
    assert {provider for provider, _, _ in FORGED} == {*catalog.declared()}


def test_a_profile_is_reached_where_the_settings_sync_the_profiles() -> None:
    settings = Settings.load({}, {"CHARTFLEET_AWS_SYNC_ALL_PROFILES": "true"})
    own_settings.check_tenant(settings, tenant("aws", "111122223333", {"profile": "audit", "partition": "aws"}))


# -- options of a run


def options(own: Settings, **changed: Any) -> dict[str, Any]:
    return {**own.run_config()["options"], **changed}


@pytest.mark.parametrize(
    ("provider", "changed"),
    [
        ("okta", {"okta_base_url": "https://evil.example"}),
        ("okta", {"okta_api_key_env_var": SECRET}),
        ("github", {"github_config_env_var": SECRET}),
        ("crxcavator", {"crxcavator_api_base_uri": "https://evil.example"}),
        ("gcp", {"google_api_endpoint": "https://evil.example"}),
        ("gsuite", {"google_api_endpoint": "https://evil.example"}),
        ("aws", {"aws_assume_role": "Admin"}),
        ("aws", {"aws_sync_all_profiles": True}),
        ("aws", {"aws_name_server": "192.0.2.1"}),
    ],
)
def test_a_run_does_not_decide_where_credentials_go(own: Settings, provider: str, changed: dict[str, Any]) -> None:
    with pytest.raises(CallFailed, match="a worker obeys its own"):
        own_settings.check_options(own, provider, options(own, **changed))
    found = own_settings.check(own, [provider], options(own, **changed))
    assert found.lacks
    assert next(iter(changed)) in found.lacks[0]


def test_a_run_decides_what_is_fetched_and_may_do_without_a_setting(own: Settings) -> None:
    changed = options(own, aws_regions=["eu-west-1"], aws_assume_role=None, aws_external_id=None)
    own_settings.check_options(own, "aws", changed)


def test_every_option_that_names_an_address_or_credentials_is_a_workers_own() -> None:
    """One that is added must say so: `access=True`."""
    theirs = ("_requested_syncs", "aws_regions", "aws_organization_account_ids", "_regex", "_best_effort_mode")
    for provider in catalog.declared().values():
        for setting in provider.settings:
            assert setting.decides_access or setting.name.endswith(theirs), setting.name
            assert setting.decides_access or setting.type is not ValueType.PATH


# -- variables


def test_no_variable_is_read_that_the_settings_do_not_name(restricted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "must-not-leave")
    monkeypatch.setenv("OKTA_TOKEN", "token")
    assert read_variable("OKTA_TOKEN") == "token"
    with pytest.raises(CallFailed, match="isn't named by this worker's own settings"):
        read_variable(SECRET)


def test_githubs_variable_is_not_another_one(restricted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.github import configuration

    monkeypatch.setenv(SECRET, "must-not-leave")
    with pytest.raises(CallFailed, match="isn't named"):
        configuration.read(SECRET)


# -- files


def test_the_loader_runs_the_jobs_of_its_own_directory_only() -> None:
    own = Settings.load({}, {"CHARTFLEET_ANALYSIS_JOB_DIRECTORY": "/srv/jobs"})
    assert own_settings.foreign_directory(own, None) == own_settings.foreign_directory(own, "/srv/jobs") == ""
    assert "CHARTFLEET_ANALYSIS_JOB_DIRECTORY" in own_settings.foreign_directory(own, "/tmp/evil")
    assert "CHARTFLEET_ANALYSIS_JOB_DIRECTORY" in own_settings.foreign_directory(Settings.load({}, {}), "/tmp/evil")
