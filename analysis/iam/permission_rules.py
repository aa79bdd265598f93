"""The rules of permission relationships: their file, read and checked against the schema before anything runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.iam import service_authorization
from analysis.iam.action_parts import asked_about, works_on
from loaders.errors import UsageError
from loaders.model import NodeModel
from loaders.schema import GraphSchema
from loaders.trusted_file import distrust

DEFAULTS: Final = Path(__file__).with_name("permission_relationships.yaml")
ACCOUNT: Final = "AWSAccount"
PROVIDER: Final = "aws."
_FIELDS: Final = ("target_label", "permissions", "relationship_name")
# The kind of ARN of labels that the tagging API doesn't list by ARN.
_KINDS: Final = {
    "AWSGroup": "iam:group",
    "AWSRole": "iam:role",
    "AWSUser": "iam:user",
    "EC2KeyPair": "ec2:key-pair",
    "KMSAlias": "kms:alias",
}
_PERMISSION: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RELATIONSHIP: Final = re.compile(r"[A-Z][A-Z0-9_]*")


class RuleFileError(UsageError, ValueError):
    """A rule file that can't be used. Names the file and, for each problem, the entry, field, value and solution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A principal with one of `permissions` on a `target_label` of its account gets `relationship_name` to it."""

    target_label: str
    permissions: tuple[str, ...]
    relationship_name: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Rule:
        """From `as_json`."""
        return cls(**{**values, "permissions": tuple(values["permissions"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"permissions": list(self.permissions)}


def targets(schema: GraphSchema) -> dict[str, NodeModel]:
    """The models that a rule may name, by each spelling of their label: those with an account and an ARN."""
    models = {
        spelling: model
        for model in schema.models
        if schema.owners[model.label].startswith(PROVIDER)
        and model.tenant == ACCOUNT
        and any(prop.name == "arn" for prop in model.properties)
        for spelling in model.spellings
    }
    return dict(sorted(models.items()))


def kind(model: NodeModel) -> str:
    """The kind of its nodes' ARNs, as `rds:db`; '' if they don't have AWS's own."""
    declared: str = getattr(model.cls, "arn_kind", "")
    return declared or _KINDS.get(model.label, "")


def read(file: Path | None, schema: GraphSchema, taken: Mapping[str, str]) -> list[Rule]:
    """The rules of a file, or the default rules. Raises RuleFileError, which lists every problem.

    taken    relationship types that something else writes, and what writes them
    """
    path = file or DEFAULTS
    if file and file.exists() and (problem := distrust(file)):
        raise RuleFileError(f"{file}: {problem}: it decides which permissions the graph shows")
    entries = _entries(path)
    check = _Check(targets(schema), taken)
    problems = [
        f"{path}: entry {number}: {problem}"
        for number, entry in enumerate(entries, start=1)
        for problem in check.problems(number, entry)
    ]
    if problems:
        raise RuleFileError("\n".join(problems))
    return [Rule.of(entry) for entry in entries]


def _entries(path: Path) -> list[Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)  # noqa: S506  # it is a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        solution = "name a readable UTF-8 file, or omit --permission-relationships-file"
        raise RuleFileError(f"{path}: can't be read: {error}; {solution}") from None
    except yaml.YAMLError as error:
        raise RuleFileError(f"{path}: is not valid YAML: {' '.join(str(error).split())}; correct it") from None
    if not isinstance(content, list):
        solution = f"give a list of entries, each with {', '.join(_FIELDS)}; [] for no relationships"
        raise RuleFileError(f"{path}: is {_shown(content)}; {solution}")
    return content


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Refuses a field that is given twice, instead of ignoring the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        names: list[object] = [self.construct_object(name, deep=True) for name, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} is given twice", node.start_mark)
        mapping: dict[object, object] = super().construct_mapping(node, deep)
        return mapping


class _Check:
    """The problems of an entry, each as a text that names field, value and solution."""

    def __init__(self, targets: Mapping[str, NodeModel], taken: Mapping[str, str]) -> None:
        self._targets = targets
        self._taken = taken
        self._seen: dict[tuple[str, str], int] = {}

    def problems(self, number: int, entry: object) -> Iterator[str]:
        if not isinstance(entry, dict):
            yield f"is {_shown(entry)}; give a mapping with {', '.join(_FIELDS)}"
            return
        for name in entry:
            if name not in _FIELDS:
                yield f"{_shown(name)} is not a field; the fields are {', '.join(_FIELDS)}"
        checks: dict[str, Callable[[object], str | None]] = {
            "target_label": self._target_label,
            "permissions": self._permissions,
            "relationship_name": self._relationship_name,
        }
        wrong = False
        for name, check in checks.items():
            if name not in entry:
                wrong = True
                yield f"{name} is missing; give {', '.join(_FIELDS)}"
            elif problem := check(entry[name]):
                wrong = True
                yield f"{name} is {_shown(entry[name])}; {problem}"
        if not wrong:
            yield from self._twice(number, entry)
            yield from self._without_effect(entry)

    def _target_label(self, value: object) -> str | None:
        if isinstance(value, str) and value in self._targets:
            return None
        near = get_close_matches(str(value), self._targets, n=3) or self._targets
        return f"no AWS type has nodes of that label with an account and an arn; known: {', '.join(near)}"

    def _permissions(self, value: object) -> str | None:
        solution = "give a list of service:Action; the action may contain * and ?"
        if not isinstance(value, list) or not value:
            return solution
        wrong = [name for name in value if not isinstance(name, str) or not _PERMISSION.fullmatch(name)]
        if wrong:
            return f"{_shown(wrong[0])} is not a permission: {solution}"
        names: list[str] = value
        lower = [name.lower() for name in names]
        twice = [name for name in names if lower.count(name.lower()) > 1]
        return f"{_shown(twice[-1])} is listed twice: remove one" if twice else None

    def _relationship_name(self, value: object) -> str | None:
        if not isinstance(value, str) or not _RELATIONSHIP.fullmatch(value):
            return "give capital letters, digits and _, beginning with a letter"
        if value in self._taken:
            return f"{self._taken[value]} writes relationships of that type; give another name"
        return None

    def _twice(self, number: int, entry: Mapping[str, Any]) -> Iterator[str]:
        label = self._targets[entry["target_label"]].label
        first = self._seen.setdefault((entry["relationship_name"], label), number)
        if first != number:
            solution = f"entry {first} also has it, to {label}; put their permissions in one entry"
            yield f"relationship_name is {_shown(entry['relationship_name'])}; {solution}"

    def _without_effect(self, entry: Mapping[str, Any]) -> Iterator[str]:
        """Permissions that nobody can have on such a resource: their actions work on other resources, or on none."""
        label = entry["target_label"]
        for permission in entry["permissions"]:
            actions = service_authorization.actions(permission)
            if not actions:
                yield f"permissions has {_shown(permission)}; {_unknown(permission)}"
            elif not any(asked_about(action, kind(self._targets[label])) for action in actions):
                solution = f"not on {label}; {self._solution(actions)}"
                yield f"permissions has {_shown(permission)}; it works on {_arns(actions)}, {solution}"

    def _solution(self, actions: Sequence[service_authorization.Action]) -> str:
        models = {model.label: model for model in self._targets.values()}
        fit = [name for name, model in models.items() if any(asked_about(action, kind(model)) for action in actions)]
        return f"give {' or '.join(fit[:3])} as target_label, or another action" if fit else "give another action"


def _unknown(permission: str) -> str:
    service = permission.partition(":")[0]
    names = service_authorization.names(service)
    near = get_close_matches(permission, names, n=3, cutoff=0.7)
    unknown = f"AWS's reference of {service_authorization.date()} has no such action"
    if not names:
        return f"{unknown}, nor a service {_shown(service)}; correct it"
    return f"{unknown}; correct it" + (f", for example to {', '.join(near)}" if near else "")


def _arns(actions: Sequence[service_authorization.Action]) -> str:
    arns = list(dict.fromkeys(arn for action in actions for arn in works_on(action)))
    return ", ".join(arns[:3]) if arns else "no resource of its own"


def taken(schema: GraphSchema, jobs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Relationship types that declarations or jobs write, and which. `jobs`: by name, the types that each writes."""
    by_jobs = {type_: f"the job {name}" for name, types in jobs.items() for type_ in types}
    # Reversed, so that the first model that declares a type is named.
    models = reversed(schema.models)
    declared = {r.type: schema.owners[model.label] for model in models for r in model.relationships}
    return by_jobs | declared


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
