"""Rule files: one rule each, YAML, read and checked before anything runs."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from analysis import cypher35
from analysis.findings.rule import Rule, Severity
from loaders.errors import UsageError
from loaders.nearest import did_you_mean
from loaders.trusted_file import distrust_below

SHIPPED: Final = Path(__file__).parents[1] / "rules"

_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_NEEDED: Final = ("id", "title", "severity", "reads", "query", "why", "fix")
_FIELDS: Final = (*_NEEDED, "unknown", "references", "frameworks")
_LISTS: Final = ("reads", "references")
# What a query that only reads never says. Neo4j has the last word: it refuses to write in a transaction that reads.
_WRITING: Final = ("create", "merge", "set", "delete", "detach", "remove", "drop", "foreach", "load", "call")
_MAX_BYTES: Final = 64 * 1024


class RuleFileError(UsageError, ValueError):
    """Rule files that can't be used. Names the file, the field, its value and the way out, for all of them."""


def load_rules(directory: Path, *, known_types: Collection[str], shipped: bool = False) -> list[Rule]:
    """Every *.yaml below a directory, by path, without hidden files and folders. Raises RuleFileError.

    known_types  the resource types that a rule may read
    shipped      they come with Chartfleet; any other file must not be one that others may write
    """
    if not directory.is_dir():
        reason = "is not a directory" if directory.exists() else "does not exist"
        raise RuleFileError(f"rules_directory: {directory}: {reason}; name the directory that holds the *.yaml rules")
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for file in _files(directory):
        if not shipped and (problem := distrust_below(directory, file)):
            problems.append(f"{file}: {problem}: it decides what is found")
            continue
        fields, wrong = _checked(file, known_types)
        problems += wrong
        if wrong:
            continue
        rule = _rule(file, fields, own=not shipped)
        if other := rules.get(rule.id):
            problems.append(f"{file}: id: {rule.id!r}: is that of {other.file}, too; give it another")
        rules[rule.id] = rule
    if problems:
        raise RuleFileError("\n".join(problems))
    return list(rules.values())


def _files(directory: Path) -> list[Path]:
    return sorted(
        path
        for path in directory.rglob("*.yaml")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )


def _checked(file: Path, known_types: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """The fields of a file, and its problems, each with file and field."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            return {}, [f"{file}: is larger than {_MAX_BYTES} bytes; one file holds one rule"]
        fields = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{file}: can't be read: {error}; make it a readable UTF-8 file, or move it away"]
    except yaml.YAMLError as error:
        return {}, [f"{file}: is not valid YAML: {' '.join(str(error).split())}; correct it"]
    if not isinstance(fields, dict):
        return {}, [f"{file}: is {_shown(fields)}; give a mapping with {', '.join(_NEEDED)}"]
    return fields, [f"{file}: {problem}" for problem in _problems(file, fields, known_types)]


def _problems(file: Path, fields: Mapping[Any, Any], known_types: Collection[str]) -> Iterator[str]:
    for name in fields:
        if name not in _FIELDS:
            yield f"{name}: is not a field{did_you_mean(str(name), _FIELDS)}; the fields are {', '.join(_FIELDS)}"
    for name in _NEEDED:
        if name not in fields:
            yield f"{name}: is missing; a rule has {', '.join(_NEEDED)}"
    for name in fields.keys() & set(_FIELDS) - {*_LISTS, "frameworks"}:
        if not isinstance(fields[name], str) or not fields[name].strip():
            yield f"{name}: {_shown(fields[name])}: give a text"
            return
    for name in _LISTS:
        if not _is_texts(fields.get(name, [])):
            yield f"{name}: {_shown(fields[name])}: give a list of texts"
            return
    yield from _id_problems(file, fields.get("id", ""))
    if (severity := fields.get("severity", Severity.INFO)) not in list(Severity):
        yield f"severity: {severity!r}: must be one of {', '.join(Severity)}"
    if "reads" in fields and not fields["reads"]:
        yield "reads: []: name the resource types without which the rule can't be judged"
    for type_ in fields.get("reads", []):
        if type_ not in known_types:
            way_out = did_you_mean(type_, known_types)
            yield f"reads: {type_!r}: is not a resource type{way_out}; `chartfleet schema` lists them"
    for name, column in (("query", "resource"), ("unknown", "why")):
        yield from _query_problems(name, fields.get(name, ""), column)
    yield from _framework_problems(fields.get("frameworks", {}))


def _id_problems(file: Path, id_: str) -> Iterator[str]:
    if id_ and not _ID.fullmatch(id_):
        yield f"id: {id_!r}: must be lower-case words with hyphens, as aws-s3-public-bucket"
    elif id_ and file.stem != id_:
        yield f"id: {id_!r}: must be the name of its file; call the file {id_}.yaml"


def _query_problems(name: str, query: str, column: str) -> Iterator[str]:
    if not query:
        return
    words = {token.text.lower() for token in cypher35.code(query) if token.is_name}
    if written := [word for word in _WRITING if word in words]:
        yield f"{name}: has {written[0].upper()}: a rule only reads; quote a name with backticks if it is one"
    for needed in ("resource", *([column] if column != "resource" else [])):
        if needed not in words:
            yield f"{name}: returns no {needed}: end it with RETURN ... AS {needed}"


def _framework_problems(frameworks: object) -> Iterator[str]:
    if not isinstance(frameworks, dict) or not all(
        isinstance(name, str) and _is_texts(numbers) and numbers for name, numbers in frameworks.items()
    ):
        yield f'frameworks: {_shown(frameworks)}: give lists of control numbers as texts, {{"cis-aws-6.0": ["2.1.4"]}}'


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)


def _shown(value: object) -> str:
    return json.dumps(value, default=str)[:80]


def _rule(file: Path, fields: Mapping[str, Any], *, own: bool) -> Rule:
    return Rule(
        id=fields["id"],
        title=fields["title"].strip(),
        severity=Severity(fields["severity"]),
        reads=tuple(fields["reads"]),
        query=fields["query"].strip(),
        why=" ".join(fields["why"].split()),
        fix=" ".join(fields["fix"].split()),
        unknown=fields.get("unknown", "").strip(),
        references=tuple(fields.get("references", [])),
        frameworks={name: tuple(numbers) for name, numbers in fields.get("frameworks", {}).items()},
        file=file,
        own=own,
    )
