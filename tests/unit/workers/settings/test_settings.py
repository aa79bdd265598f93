from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tasks.aws.options import AwsOptions
from workers.fleet.configuration import configuration
from workers.fleet.process import connect_redis
from workers.settings.settings import PREFIX, SettingError, Settings, known, masked


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without a settings file of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(flags: dict[str, Any] | None = None, **variables: str) -> Settings:
    return Settings.load(flags, {PREFIX + name.upper(): value for name, value in variables.items()})


def problem(flags: dict[str, Any] | None = None, **variables: str) -> str:
    with pytest.raises(SettingError) as raised:
        load(flags, **variables)
    return str(raised.value)


def test_a_flag_wins_over_a_variable_wins_over_the_file_wins_over_the_default() -> None:
    def found(**values: Any) -> tuple[int, str]:
        settings = load(**values)
        return settings.concurrency, settings.origins["concurrency"]

    assert found() == (0, "default")
    Path("chartfleet.toml").write_text("concurrency = 1")
    assert found() == (1, "chartfleet.toml")
    assert found(concurrency="2") == (2, "CHARTFLEET_CONCURRENCY")
    assert found(flags={"concurrency": "3"}, concurrency="2") == (3, "--concurrency")


def test_a_file_named_by_flag_or_variable_takes_the_place_of_the_one_here() -> None:
    Path("chartfleet.toml").write_text("concurrency = 1\nmost_deaths = 5")
    Path("other.toml").write_text("concurrency = 2")
    Path("third.toml").write_text("concurrency = 3")
    assert load(config="other.toml").concurrency == 2
    assert load(config="other.toml").max_crashes == 3
    assert load({"config": "third.toml"}, config="other.toml").concurrency == 3


def test_an_empty_variable_is_unset() -> None:
    assert load(neo4j_uri="", concurrency="").neo4j_uri is None


def test_lists_are_words_with_commas_or_toml_lists() -> None:
    assert load(aws_regions="eu-west-1, us-east-1,").options(AwsOptions).aws_regions == ("eu-west-1", "us-east-1")
    Path("chartfleet.toml").write_text('aws_regions = ["eu-west-1", "us-east-1"]')
    assert load().options(AwsOptions).aws_regions == ("eu-west-1", "us-east-1")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("concurrency", "many", "concurrency (CHARTFLEET_CONCURRENCY): 'many': is not a whole number"),
        ("concurrency", "257", "must be from 0 to 256"),
        ("broker_url", "amqp://localhost", "must begin with redis:// or rediss://"),
        ("broker_url", "redis://[::1", "Invalid IPv6 URL"),
        ("broker_url", "redis://localhost:abc", "Port could not be cast"),
        ("broker_url", "redis://localhost:1/0?foo=bar", "unexpected keyword argument 'foo'"),
        ("neo4j_uri", "bolt://localhost:abc", "Port could not be cast"),
        ("neo4j_uri", "bolt://", "must name a host"),
        ("neo4j_uri", "localhost:7687", "must begin with bolt://"),
        ("selected_modules", "azure", "'azure' is not a provider; known: aws"),
        ("aws_regions", "eu-west-9", "'eu-west-9' is not an AWS region"),
        ("aws_requested_syncs", "aws.ec2.moons", "is not a resource type of aws; did you mean"),
        ("expected_gaps", "eu-south-1", "'eu-south-1' is not TYPE/TENANT/REGION, as in aws.ec2.*/*/eu-south-1"),
        ("schedule", "daily", "must be the seconds between runs (3600), or the five fields of a crontab"),
        ("schedule", "0", "must be the seconds"),
        ("schedule", "61 3 * * *", "must be the seconds"),
        ("lease_seconds", "0.5", "must be from 1 to 120"),
    ],
)
def test_an_error_names_the_setting_the_value_and_the_way_out(name: str, value: str, expected: str) -> None:
    flags: dict[str, Any] = {name: value}
    message = problem(**flags)
    assert message.startswith(f"{name} (CHARTFLEET_{name.upper()}): ")
    assert expected in message


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("concurrency = [1, 2]", "must be one value"),
        ("[aws]\nregions = 1", "chartfleet.toml: aws: no setting has this name"),
        ("concurrency = true", "is not a whole number"),
        ("=", "is not TOML"),
    ],
)
def test_what_a_file_can_have_wrong(toml: str, expected: str) -> None:
    Path("chartfleet.toml").write_text(toml)
    assert expected in problem()


def test_limits_are_checked_against_each_other() -> None:
    message = problem(hard_time_limit_seconds="3600", visibility_timeout_seconds="3600")
    assert message.startswith("CHARTFLEET_HARD_TIME_LIMIT_SECONDS: 3600: must be below the visibility timeout, 3600")
    expected = "CHARTFLEET_SWEEP_SECONDS: 34.0: must be at most a quarter of the lease, 60"
    assert problem(sweep_seconds="34").startswith(expected)
    assert "must be below the hard time limit, 30" in problem(hard_time_limit_seconds="30", lease_seconds="30")


def test_a_named_password_that_is_not_set() -> None:
    assert "names a variable that isn't set" in problem(neo4j_user="neo4j", neo4j_password_env_var="NO_SUCH_VARIABLE")
    assert "names a variable that isn't set" in problem(broker_password_env_var="NO_SUCH_VARIABLE")


def test_a_password_in_the_place_of_its_variables_name_is_not_printed() -> None:
    message = problem(neo4j_password_env_var="hunter2!")
    assert "must be the NAME of a variable" in message
    assert "hunter2" not in message


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = load(broker_url="redis://me:hidden@redis.example:6379/0")
    shown = {name: value for name, value, _ in settings.shown()}
    assert shown["broker_url"] == "redis://me:***@redis.example:6379/0"
    assert "hidden" not in repr(settings) + str(shown)
    assert "hidden" not in problem(broker_url="http://me:hidden@redis.example")
    expected = problem(neo4j_uri="bolt://neo4j:hidden@graph.example")
    assert "give it with --neo4j-user" in expected
    assert "hidden" not in expected


def test_the_certificate_of_a_broker_is_checked_by_each_of_its_clients() -> None:
    settings = load(broker_url="rediss://redis.example.com:6380/0")
    app = Celery(set_as_current=False)
    app.conf.update(configuration(settings))
    required = ssl.CERT_REQUIRED
    backend: Any = app.backend
    of_connection: Any = app.connection().ssl
    assert backend.connparams["ssl_cert_reqs"] == of_connection["ssl_cert_reqs"] == required
    connection: Any = connect_redis(str(settings.broker)).connection_pool.make_connection()
    assert connection.cert_reqs == required
    own = "rediss://redis.example.com:6380/0?ssl_cert_reqs=none"
    assert load(broker_url=own).broker == own


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:pass@localhost", "redis://:***@localhost"),
        ("redis://user:p@ss@localhost", "redis://user:***@localhost"),
        ("unix:///run/redis.sock?password=pass&db=1", "unix:///run/redis.sock?password=***&db=1"),
        ("redis://:pa/ss@[::1", "redis://:***@[::1"),
        (None, "-"),
    ],
)
def test_masked(url: str | None, shown: str) -> None:
    assert masked(url) == shown


def test_the_brokers_password_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "p@ss/word")
    settings = load(broker_url="redis://me@redis.example:6379/1", broker_password_env_var="REDIS_PASSWORD")
    assert settings.broker == "redis://me:p%40ss%2Fword@redis.example:6379/1"
    assert "p@ss" not in str(settings.as_environment())


def test_another_process_gets_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobs").mkdir()
    Path("mine.toml").write_text('most_deaths = 7\naws_regions = ["eu-west-1"]\nanalysis_job_directory = "jobs"')
    settings = load({"config": "mine.toml", "concurrency": "0", "aws_regions": "us-east-1"}, concurrency="9")
    environment = {f"{PREFIX}CONCURRENCY": "9", **settings.as_environment()}
    monkeypatch.chdir("/")
    again = Settings.load({}, environment)
    values = [(name, value) for name, value, _ in settings.shown()]
    assert [(name, value) for name, value, _ in again.shown()] == values
    assert (again.concurrency, again.max_crashes) == (0, 7)
    assert again.options(AwsOptions).aws_regions == ("us-east-1",)


def test_a_run_gets_names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_PASSWORD", "hidden")
    settings = load(
        neo4j_uri="bolt://graph.example", neo4j_user="neo4j", neo4j_password_env_var="GRAPH_PASSWORD",
        broker_url="redis://:hidden@redis.example", aws_regions="eu-west-1",
    )  # fmt: skip
    config = settings.run_config()
    assert config["options"]["aws_regions"] == ["eu-west-1"]
    assert "hidden" not in str(config)


def test_every_setting_has_a_meaning_and_a_default_that_passes_its_own_check() -> None:
    for setting in known().values():
        assert setting.meaning
        assert setting.default in (None, ()) or setting.problem(setting.default) is None, setting.name
