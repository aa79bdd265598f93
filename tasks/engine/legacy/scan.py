"""What a package uses by an old name, found in its source before it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.engine.legacy.names import (
    ARGUMENTS,
    INSTANCES,
    MEMBERS,
    METHOD_ARGUMENTS,
    METHODS,
    MODULES,
    MOVED,
    PUBLIC,
)

_NEW_NAMES = {old: new for module in MODULES.values() for old, new in module.renamed.items()}
_OWN = ("tasks", "loaders")  # top-level packages of Chartfleet that providers import


def changes(files: Iterable[Path]) -> list[str]:
    """What has to change in these files, as `old -> new`. Empty: nothing old is used."""
    found: set[str] = set()
    modules: set[str] = set()
    for file in files:
        tree = ast.parse(file.read_bytes(), str(file))
        imported = set(_imported_modules(tree))
        modules |= imported
        if imported - {PUBLIC}:
            found |= {*_old_names(tree), *_old_arguments(tree), *_old_members(tree)}
    if not found and not modules & MOVED:
        return []
    return [f"imports of {', '.join(sorted(modules - {PUBLIC}))} -> {PUBLIC}", *sorted(found)]


def _imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module in _OWN:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif node.module.partition(".")[0] in _OWN:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in _OWN)


def _old_names(tree: ast.AST) -> Iterator[str]:
    """Names that are imported from their module, or looked up in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module in MODULES:
            for alias in node.names:
                yield from _renamed(node.module, alias.name, alias.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from _renamed(f"tasks.{node.value.id}", node.attr, f"{node.value.id}.{node.attr}")


def _renamed(module: str, name: str, shown: str) -> Iterator[str]:
    if module in MODULES and name in MODULES[module].renamed:
        yield f"{shown} -> {MODULES[module].renamed[name]}"
    elif module in MODULES and name in INSTANCES:
        yield f"{shown} -> {INSTANCES[name]}()"


def _old_arguments(tree: ast.AST) -> Iterator[str]:
    methods = {old: new for renamed in METHODS.values() for old, new in renamed.items()}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _callee(node)
        if isinstance(node.func, ast.Attribute) and name in methods:
            yield f".{name}() -> .{methods[name]}()"
        renamed = {**ARGUMENTS.get(_NEW_NAMES.get(name, name), {}), **METHOD_ARGUMENTS.get(name, {})}
        for keyword in node.keywords:
            if keyword.arg in renamed:
                yield f"{name}({keyword.arg}=) -> {renamed[keyword.arg]}="


def _old_members(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            new = MEMBERS.get(node.value.id, {}).get(node.attr)
            if new:
                yield f"{node.value.id}.{node.attr} -> {new}"


def _callee(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
