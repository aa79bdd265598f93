"""The structure of the production code: few rooms per folder, few imports between them, none of them in a circle.

A room is a file or a folder, seen from the folder that it is in; an arrow is one room that imports another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = ("workers", "tasks", "analysis", "loaders")  # each may import those that follow
FOLDERS = sorted({path.parent for top in TOP for path in (ROOT / top).rglob("*.py")})
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
SHARED_OF_AWS = ("client", "doctor", "options", "vocabulary")  # what declarations of AWS have in common

Imports = Mapping[str, frozenset[str]]


@cache
def files() -> Mapping[str, Path]:
    """Every module of the production code."""
    return {module_of(path): path for top in TOP for path in sorted((ROOT / top).rglob("*.py"))}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> Imports:
    """Which module names which other in an import, at its top or inside a function."""
    return {
        module: frozenset(named(ast.parse(path.read_text(encoding="utf-8")))) - {module}
        for module, path in files().items()
    }


def named(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name in files())
            case ast.ImportFrom(module=str(package), names=names, level=0) if package.partition(".")[0] in TOP:
                for name in names:
                    yield module if (module := f"{package}.{name.name}") in files() else package


def rooms(folder: str) -> Imports:
    """The rooms of a folder, each with those of the same folder that it imports."""
    inside = {module: room_of(module, folder) for module in files() if f"{module}.".startswith(f"{folder}.")}
    arrows: dict[str, set[str]] = {
        room: set() for module, room in inside.items() if module != folder or imports()[module]
    }
    for module, room in inside.items():
        for imported in imports()[module]:
            if inside.get(imported, room) != room:
                arrows[room].add(inside[imported])
    return {room: frozenset(others) for room, others in arrows.items()}


def room_of(module: str, folder: str) -> str:
    return module.removeprefix(folder).lstrip(".").partition(".")[0] or "__init__"


def circle(graph: Imports) -> list[str] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return None


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(imports()) is None


@pytest.mark.parametrize("folder", [module_of(folder / "__init__.py") for folder in FOLDERS])
def test_no_rooms_import_each_other_in_a_circle(folder: str) -> None:
    assert circle(rooms(folder)) is None


@pytest.mark.parametrize(("folder", "max_rooms", "max_arrows"), [("workers", 10, 20), ("tasks.aws", 25, 40)])
def test_a_folder_stays_small_enough_to_be_seen_at_once(folder: str, max_rooms: int, max_arrows: int) -> None:
    plan = rooms(folder)
    arrows = [(room, other) for room, others in plan.items() for other in sorted(others)]
    assert len(plan) <= max_rooms, sorted(plan)
    assert len(arrows) <= max_arrows, arrows


@pytest.mark.parametrize(("lower", "upper"), [(low, up) for up, low in pairwise(TOP)])
def test_nothing_imports_upward(lower: str, upper: str) -> None:
    above = TOP[: TOP.index(upper) + 1]
    upward = {
        (module, imported)
        for module, others in imports().items()
        for imported in others
        if module.partition(".")[0] == lower and imported.partition(".")[0] in above
    }
    assert not upward


def test_what_declarations_share_imports_no_declaration() -> None:
    """The doctor finds them by the registry."""
    plan = rooms("tasks.aws")
    assert {
        room: others - set(SHARED_OF_AWS) for room, others in plan.items() if room in SHARED_OF_AWS
    } == dict.fromkeys(SHARED_OF_AWS, frozenset())


def test_files_and_functions_are_short() -> None:
    texts = {module: path.read_text(encoding="utf-8") for module, path in files().items()}
    assert {module: lines for module, text in texts.items() if (lines := text.count("\n")) > MAX_LINES} == {}
    functions = {
        f"{module}.{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > MAX_FUNCTION_LINES} == {}
