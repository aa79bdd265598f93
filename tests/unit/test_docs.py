"""The pages say what the code does: generated parts are fresh, links and commands hold, the example runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import generate, schema_pages
from docs.wrapping import MAX_COLUMNS
from loaders.coverage import rows as coverage_rows
from loaders.errors import UsageError
from loaders.indexes import BOOKKEEPING
from loaders.scope import Scope
from tasks.aws.options import AwsOptions
from tasks.engine import registry
from tests.fleet.ledger_records import unit
from workers.commands.parser import parse, parser_of
from workers.commands.table import COMMANDS, find
from workers.settings import fleet_key
from workers.settings.settings import PREFIX, Settings, known

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
NO_SETTINGS = {f"{PREFIX}CONFIG", fleet_key.VARIABLE}  # variables with the prefix that name no setting
OTHERS_FLAGS = {"--address", "--conf", "--tasks_columns"}  # Flower's

AFTERNOON = ROOT / "docs" / "a-provider-in-an-afternoon.md"  # its test runs it, with the provider that it makes

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
every_page_of_its_own_providers = pytest.mark.parametrize(
    "page", [page for page in PAGES if page != AFTERNOON], ids=lambda page: str(page.relative_to(ROOT))
)

FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
UNWRAPPED = re.compile(r"^\||^#|^    |^!\[|://")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return [match["text"] for match in FENCED.finditer(page.read_text()) if match["language"] == language]


def prose(page: Path) -> str:
    """The page without what stands in fences."""
    return FENCED.sub("", page.read_text())


# --- generated parts, links ---


def test_generated_parts_are_fresh() -> None:
    pages = list(generate.pages())
    assert pages
    for page in pages:
        fresh = page.read_text() == generate.generated(page.read_text())
        assert fresh, f"{page.relative_to(ROOT)} is out of date: run `make docs`"


def test_the_pages_of_the_schema_are_fresh_and_complete() -> None:
    stale = [
        str(file.relative_to(ROOT))
        for file, text in schema_pages.files().items()
        if not file.exists() or file.read_text() != text
    ]
    assert not stale, "missing or out of date: run `make docs`"
    assert not schema_pages.stray(), "of no family: remove them, or rename the queries"


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(prose(page)):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {match['target']} leads nowhere"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {file.name} has no heading #{anchor}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@every_page
def test_text_is_wrapped(page: Path) -> None:
    """Not what can't be: tables, headings, code, pictures, addresses."""
    assert [line for line in prose(page).splitlines() if len(line) > MAX_COLUMNS and not UNWRAPPED.search(line)] == []


def test_every_picture_and_page_is_linked() -> None:
    linked = {
        (page.parent / match["target"].partition("#")[0]).resolve()
        for page in PAGES
        for match in LINK.finditer(page.read_text())
    }
    docs = ROOT / "docs"
    there = {*docs.rglob("*.md"), *(docs / "images").iterdir(), *docs.rglob("*.svg")}
    assert not {file.name for file in there - linked}


# --- commands and settings ---


def commands(page: Path) -> Iterator[str]:
    """Every `chartfleet ...` of a page that is a command: an indented or fenced line, or code in a sentence."""
    text = re.sub(r"\\\n\s*", "", page.read_text())  # lines that a backslash continues
    lines = [line.strip().removeprefix("$ ") for line in text.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", prose(page))
    for found in (*lines, *inline):
        if command := re.match(r"(\w+=('[^']*'|\S*) )*chartfleet(?P<arguments>( .*)?)$", found):
            yield shlex.join(shlex.split(command["arguments"], comments=True))


@every_page_of_its_own_providers
def test_commands_are_understood(page: Path) -> None:
    for command in commands(page):
        words = shlex.split(command)
        if words[-1:] in (["--help"], ["--help-all"], ["--version"]):
            words = words[:-1]
        try:
            parse(words)
        except UsageError as error:
            pytest.fail(f"{page.name}: `chartfleet {command}`: {error}")


def test_commands_are_found() -> None:
    found = list(commands(ROOT / "README.md"))
    assert any(command.startswith("worker --broker-url") for command in found)
    assert any(command.startswith("--neo4j-uri") for command in found), "a command without a sub-command"


@every_page_of_its_own_providers
def test_flags_and_variables_exist(page: Path) -> None:
    text = prose(page)
    variables = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", text))
    assert variables <= {setting.variable for setting in known().values()} | NO_SETTINGS
    flags = set(re.findall(r"`(--[a-z][\w-]+)", text))
    assert flags <= known_flags() | OTHERS_FLAGS, f"{page.name}: no command has {flags - known_flags() - OTHERS_FLAGS}"


def known_flags() -> set[str]:
    parsers = [parser_of(name, find(name)) for name in COMMANDS]
    return {"--version"} | {flag for parser in parsers for action in parser._actions for flag in action.option_strings}


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^    |`)make ([a-z][\w-]*)", page.read_text(), re.MULTILINE))
        assert named <= targets, f"{page.name}: make has no {named - targets}"


def test_the_settings_file_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks(ROOT / "docs" / "configuration.md", "toml")
    file = tmp_path / "chartfleet.toml"
    file.write_text(example)
    for name in re.findall(r'_env_var = "(\w+)"', example):
        monkeypatch.setenv(name, "for this test")
    settings = Settings.load({"config": str(file)}, environment={})
    assert settings.options(AwsOptions).aws_regions == ("eu-west-1", "us-east-1")


# --- what queries name ---


def test_queries_name_what_is_in_the_graph() -> None:
    complete = unit(Scope(type="aws.account", tenant="1"))
    of_scope = {*next(iter(coverage_rows([complete]))), "complete_at"}
    labels = {label for model in registry.schema().models for label in model.labels} | set(BOOKKEEPING)
    queries = blocks(ROOT / "docs" / "operations.md", "cypher")
    assert queries
    for query in queries:
        assert set(re.findall(r"\(\w*:(\w+)", query)) <= labels
        assert set(re.findall(r"\bscope\.(\w+)", query)) <= of_scope, query
