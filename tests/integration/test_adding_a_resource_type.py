"""The example of docs/adding-a-resource-type.md passes the command that the page names, in a copy of the sources."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from loaders.schema import GraphSchema
from loaders.scope import Scope
from loaders.source import Source
from tasks.engine import registry
from tasks.resource import ResourceType

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-resource-type.md"
COPIED = ("analysis", "docs", "loaders", "tasks", "tests", "workers", "demo", "pyproject.toml", "Makefile", "README.md")
FILE = re.compile(r"^```\w+\n(?:# |// )(?P<name>\S+/\S+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
SAMPLE = re.compile(r"^```json\n(?P<text>.*?)^```$.*?^It belongs in `(?P<name>\S+)`", re.DOTALL | re.MULTILINE)


def files() -> Mapping[str, str]:
    """The files of the page, by their paths."""
    text = PAGE.read_text()
    return {match["name"]: match["text"] for pattern in (FILE, SAMPLE) for match in pattern.finditer(text)}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    file = tmp_path_factory.mktemp("example") / "example_type.py"
    file.write_text(files()["tasks/aws/memorydb.py"])
    spec = importlib.util.spec_from_file_location("example_type", file)
    assert spec
    assert spec.loader
    sys.modules["example_type"] = loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    yield loaded
    del sys.modules["example_type"]


@pytest.fixture(scope="module")
def type_(module: ModuleType) -> ResourceType:
    (found,) = (value for value in vars(module).values() if isinstance(value, ResourceType))
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources, with the files of the page."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    added = files()
    assert len(added) == 3
    for name, text in added.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.timeout(600)
def test_the_example_passes_the_contract_test(copy: Path) -> None:
    """All of it that needs no graph."""
    files = ("declarations", "calls", "outcomes", "odd_values", "absent_members")
    assert passed(copy, *(f"tests/contract/test_{name}.py" for name in files), "-k", "memorydb") >= 20


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_command_of_the_page_passes(copy: Path) -> None:
    (command,) = re.findall(r"^    make test PYTEST_FLAGS=(.+)$", PAGE.read_text(), re.MULTILINE)
    assert passed(copy, *shlex.split(shlex.split(command)[0])) >= 20


def passed(copy: Path, *flags: str) -> int:
    """How many tests pass in the copy; none may fail."""
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flags]
    done = subprocess.run(pytest_, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    counted = re.search(r"(\d+) passed", done.stdout)
    return int(counted[1]) if counted else 0


def test_the_example_is_accepted_beside_all_types(type_: ResourceType) -> None:
    types = {**registry.types(), type_.name: type_}
    assert len(types) > len(registry.types()), "the example is a type of its own by now: choose another one"
    schema = GraphSchema({name: type_.nodes for name, type_ in types.items()})
    assert all(node.model.label in schema.by_label for node in type_.nodes)


def source(type_: ResourceType, item: dict[str, Any]) -> Source:
    return Source(item, Scope(type=type_.name, tenant="111122223333", region="eu-west-1"))


def test_a_detail_that_was_not_seen_is_not_an_empty_list(module: ModuleType, type_: ResourceType) -> None:
    assert module.users(source(type_, {"DescribeACLs": None})) is None
    assert module.users(source(type_, {"DescribeACLs": {}})) == []
