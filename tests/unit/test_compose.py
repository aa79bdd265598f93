"""What docker-compose.yml, .env.example and the Dockerfile must hold. They run in tests/integration/test_compose.py."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.compose import FILE, ROOT, Refused, env_file, project
from workers.commands.parser import parse
from workers.fleet.queues import expand
from workers.settings import fleet_key
from workers.settings.settings import PREFIX, Settings, known

EXAMPLE = (ROOT / ".env.example").read_text()
PASSWORDS = {
    "REDIS_PASSWORD": "rrr",
    "CHARTFLEET_FLEET_KEY": "0123456789abcdef0123456789abcdef",
    "NEO4J_PASSWORD": "nnn",
    "FLOWER_BASIC_AUTH": "me:fff",
}
SERVICES: dict[str, Any] = project(PASSWORDS)["services"]
OWN = sorted(name for name, service in SERVICES.items() if service["image"] == "chartfleet")

every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_service_of_ours = pytest.mark.parametrize("name", OWN)


# --- docker-compose.yml ---


def test_the_file_is_valid() -> None:
    """By the schema of the Compose specification, as check-jsonschema carries it."""
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_service_builds_the_image_and_the_others_take_it() -> None:
    """Where several build one tag at once, only the first can give it its name."""
    assert [name for name in OWN if "build" in SERVICES[name]] == ["coordinator"]
    assert {SERVICES[name].get("pull_policy") for name in OWN if name != "coordinator"} == {"never"}


@pytest.mark.parametrize("missing", sorted(PASSWORDS))
@pytest.mark.parametrize("as_", [None, ""])
def test_nothing_starts_without_its_passwords(missing: str, as_: str | None) -> None:
    variables = {name: value for name, value in PASSWORDS.items() if name != missing}
    with pytest.raises(Refused, match=missing):
        project(variables if as_ is None else variables | {missing: as_})


def test_the_example_holds_the_variables_of_the_file_and_no_secret() -> None:
    assert env_file(EXAMPLE) == dict.fromkeys(PASSWORDS, "")
    text = FILE.read_text()
    passed_on = {key for service in SERVICES.values() for key, value in service["environment"].items() if value is None}
    interpolated = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert set(re.findall(r"^#?([A-Z_]\w*)=", EXAMPLE, re.MULTILINE)) == interpolated | passed_on


@pytest.mark.parametrize("file", ["docker-compose.yml", ".env.example", "Dockerfile"])
def test_every_setting_that_is_named_is_one(file: str) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", (ROOT / file).read_text()))
    assert named <= {setting.variable for setting in known().values()} | {fleet_key.VARIABLE}


@every_service_of_ours
def test_its_command_and_settings_are_usable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SERVICES[name]
    environment = {key: value for key, value in service["environment"].items() if value is not None}
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    parse(service["command"])
    settings = Settings.load({}, environment)
    assert settings.broker == "redis://:rrr@redis:6379/0"
    if name in ("coordinator", "loader", "sync"):
        assert settings.graph_address
        assert settings.graph_address.password == "nnn"
    if "healthcheck" in service:
        how, program, *words = service["healthcheck"]["test"]
        assert (how, program) == ("CMD", "chartfleet")
        parse(words)


@pytest.mark.parametrize("name", ["coordinator", "fetch", "loader"])
def test_the_health_check_asks_for_the_name_that_the_worker_has(name: str) -> None:
    _, worker = parse(SERVICES[name]["command"])
    _, health = parse(SERVICES[name]["healthcheck"]["test"][2:])
    assert worker.hostname == health.hostname


def test_every_queue_is_served_by_one_service() -> None:
    served = [
        queue
        for name in OWN
        if SERVICES[name]["command"][0] == "worker"
        for queue in parse(SERVICES[name]["command"])[1].queues.split(",")
    ]
    assert sorted(expand(served)) == sorted(expand(["coordinator", "fetch", "loader"]))
    assert SERVICES["loader"]["deploy"]["replicas"] == 1
    assert SERVICES["beat"]["deploy"]["replicas"] == 1


def test_a_service_is_given_the_passwords_that_it_needs_and_no_others() -> None:
    def holders(secret: str) -> set[str]:
        return {n for n, service in SERVICES.items() if secret in str({**service["environment"], "and": service})}

    assert holders("rrr") == {"redis", *OWN}
    assert holders("nnn") == {"neo4j", "coordinator", "loader", "sync"}
    assert holders("fff") == {"flower"}
    assert holders(PASSWORDS["CHARTFLEET_FLEET_KEY"]) == {"coordinator", "fetch", "loader", "sync"}
    for credential in ("AWS_SECRET_ACCESS_KEY", "OKTA_TOKEN", "GITHUB_CONFIG", "CRXCAVATOR_KEY"):
        assert holders(credential) == {"coordinator", "fetch"}


@every_service
def test_a_service_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if name != "neo4j":
        assert service["read_only"] is True
    if name in ("redis", "neo4j"):  # our own image has a user
        assert service["user"]
        assert ":" in service["image"]
        assert not service["image"].endswith(":latest")
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_only_the_browser_bolt_and_flower_are_published() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "neo4j": ["127.0.0.1:7474:7474", "127.0.0.1:7687:7687"],
        "flower": ["127.0.0.1:5555:5555"],
    }


@every_service
def test_a_service_comes_back_and_waits_for_what_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("no" if name == "sync" else "unless-stopped")
    assert ("healthcheck" in service) == (name != "sync")
    needed = set(service.get("depends_on", ()))
    assert all(of == {"condition": "service_healthy"} for of in service.get("depends_on", {}).values())
    environment = str(service["environment"])
    assert needed >= {host for host in ("redis", "neo4j") if f"//{host}:" in environment}


def test_a_loader_has_the_time_to_end_its_transaction() -> None:
    minutes = int(SERVICES["loader"]["stop_grace_period"].removesuffix("m"))
    seconds = known()["transaction_seconds"].default
    assert isinstance(seconds, int | float)
    assert minutes * 60 > seconds


def test_volumes_and_networks_are_declared() -> None:
    declared = project(PASSWORDS)
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
        if isinstance(volume, str)
    }
    assert used == set(declared["volumes"])
    assert {network for service in SERVICES.values() for network in service["networks"]} == set(declared["networks"])


def test_the_page_names_services_that_are_there() -> None:
    page = (ROOT / "docs" / "compose.md").read_text()
    assert set(re.findall(r"^\| `([a-z0-9]+)` \|", page, re.MULTILINE)) == set(SERVICES)
    for command in re.findall(r"^    docker compose run --rm sync(.*?)(?:  #.*)?$", page, re.MULTILINE):
        parse(command.split())
    assert set(re.findall(r"--scale (\w+)=", page)) <= set(SERVICES)


# --- the image ---

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)


def test_the_base_is_pinned_and_slim() -> None:
    assert instructions("ARG") == ["BASE=python:3.13-slim"]
    assert instructions("FROM") == ["${BASE} AS build", "${BASE}"]


def test_the_image_runs_as_a_user_of_its_own() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert DOCKERFILE.rindex("USER ") > DOCKERFILE.rindex("RUN ")  # nothing after it needs more
    assert instructions("ENTRYPOINT") == ['["chartfleet"]']


def test_the_image_is_given_no_secret() -> None:
    told = " ".join([*instructions("ARG"), *instructions("ENV"), *instructions("LABEL")])
    assert not re.search(r"PASSWORD|SECRET|TOKEN|KEY|AWS_|CREDENTIAL", told, re.IGNORECASE)
    assert instructions("ADD") == []


def test_the_image_is_built_from_what_is_needed() -> None:
    from_here = [word for copy in instructions("COPY") if not copy.startswith("--from") for word in copy.split()[:-1]]
    assert {name for name in from_here if (ROOT / name).is_dir()} == set(packages())
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    for name in from_here:
        assert any(fnmatch(name, pattern) for pattern in allowed), f"{name} doesn't reach the build"
    for secret in (".env", "chartfleet.env", "chartfleet.toml", ".git", "tests"):
        assert not any(fnmatch(secret, pattern) for pattern in allowed)


def packages() -> Iterator[str]:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    yield from wheel["packages"]


def test_everything_that_is_installed_has_a_checksum_and_is_no_source() -> None:
    installs = [
        step for run in instructions("RUN") for step in run.split("&&") if " install " in step and "pip" in step
    ]
    assert len(installs) == 3
    for step in installs:
        assert {"--require-hashes", "--only-binary"} <= set(step.split()) or "--no-index" in step


@pytest.mark.parametrize("lock", ["image.lock", "build.lock"])
def test_the_image_holds_the_versions_that_are_tested(lock: str) -> None:
    tested = pinned(ROOT / "requirements.lock")
    held = pinned(ROOT / "docker" / lock)
    assert held
    assert {name: tested[name] for name in held} == held


def test_the_image_holds_what_the_product_needs_and_two_of_its_extras() -> None:
    project_ = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project_["optional-dependencies"]
    needed = {*project_["dependencies"], *extras["fast"], *extras["redbeat"]}
    held = pinned(ROOT / "docker" / "image.lock")
    assert {re.split(r"[>=<\[; ]", one)[0] for one in needed} <= set(held)
    assert not {re.split(r"[>=<\[; ]", one)[0] for one in extras["embedded"]} & set(held)


def pinned(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Package -> version and checksums."""
    found = {}
    for block in re.split(r"^(?=\w)", lock.read_text(), flags=re.MULTILINE):
        if match := re.match(r"([\w-]+)==([^\s;]+)", block):
            found[match[1]] = (match[2], frozenset(re.findall(r"sha256:(\w+)", block)))
    return found
