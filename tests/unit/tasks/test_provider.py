"""What authors of providers import stays as it is: names, fields, parameters."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import provider_names
from tasks import provider

ROOT = Path(__file__).parents[3]
PINNED = ROOT / "tests" / "facts" / "provider_api.txt"
_INHERITED = {*dir(Exception), *dir(str)}
HEAVY = {"boto3", "botocore", "aiobotocore", "celery", "googleapiclient", "requests", "redis"}


def surface() -> Iterator[str]:
    """A line per name: how it is called, and the public attributes of a class."""
    for name in sorted(provider.__all__):
        value = getattr(provider, name)
        yield name
        if inspect.isclass(value) or inspect.isfunction(value):
            yield from (f"{name}({parameter})" for parameter in parameters(value))
        if inspect.isclass(value):
            attributes = {attribute for attribute in dir(value) if not attribute.startswith("_")}
            yield from (f"{name}.{attribute}" for attribute in sorted(attributes - _INHERITED))


def parameters(value: object) -> Iterator[str]:
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except ValueError:  # an enum, a protocol
        return
    for parameter in signature.parameters.values():
        required = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        )
        yield f"{parameter.name}{'' if required else '='}"


def test_the_public_names_stay() -> None:
    """What a package may use must not vanish: keep an old name in tasks/engine/legacy, then renew the file with
    `python -m tests.unit.tasks.test_provider`.
    """
    assert PINNED.read_text().splitlines() == list(surface())


@pytest.mark.parametrize("name", provider.__all__)
def test_each_is_documented(name: str) -> None:
    assert provider_names.paragraph(name).endswith((".", ")"))


def test_what_mypy_sees_is_what_there_is() -> None:
    tree = ast.parse(Path(provider.__file__).read_text())
    imported = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.col_offset
        for alias in node.names
    }
    declared = {
        name: module for modules in provider.SUBJECTS.values() for module, names in modules.items() for name in names
    }
    assert imported == declared
    assert sorted(provider.__all__) == sorted(declared)


def test_importing_it_imports_no_client() -> None:
    code = "import sys, tasks.provider; from tasks.provider import ProviderOptions, option; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        provider.no_such_name  # noqa: B018


if __name__ == "__main__":
    PINNED.write_text("".join(f"{line}\n" for line in surface()))
