"""The rules of who may use what: the file, read and checked against the graph's schema before anything runs."""

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
from loaders.model import GraphSchema, NodeModel

DEFAULTS: Final = Path(__file__).with_name("permission_relationships.yaml")
ACCOUNT: Final = "AWSAccount"
PROVIDER: Final = "aws."
_FIELDS: Final = ("target_label", "permissions", "relationship_name")
# Of what kind the ARNs of labels are that the tagging API doesn't list by them.
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
    """A file of rules that can't be used: which, and of each problem the entry, the field, the value, the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may do one of `permissions` with a `target_label` of the same account has `relationship_name` to it."""

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
    """By each spelling of its label, what a rule may lead to: it belongs to an account, and has an ARN."""
    found = {
        spelling: model
        for model in schema.models
        if schema.owners[model.label].startswith(PROVIDER)
        and model.tenant == ACCOUNT
        and any(prop.name == "arn" for prop in model.properties)
        for spelling in model.spellings
    }
    return dict(sorted(found.items()))


def kind(model: NodeModel) -> str:
    """What the ARNs of its nodes are, as `rds:db`; '' where they are none that AWS has."""
    return getattr(model.cls, "arn_kind", "") or _KINDS.get(model.label, "")


def read(file: Path | None, schema: GraphSchema, taken: Mapping[str, str]) -> list[Rule]:
    """The rules of a file, or the default ones. Raises RuleFileError, which names all that is wrong.

    taken    relationship types that something else writes, with what that is
    """
    path = file or DEFAULTS
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
        told = f"can't be read: {error}; name a readable UTF-8 file, or leave out --permission-relationships-file"
        raise RuleFileError(f"{path}: {told}") from None
    except yaml.YAMLError as error:
        raise RuleFileError(f"{path}: is no YAML: {' '.join(str(error).split())}; correct it") from None
    if not isinstance(content, list):
        told = f"is {_shown(content)}; give a list of entries, each with {', '.join(_FIELDS)}; [] draws none"
        raise RuleFileError(f"{path}: {told}")
    return content


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """One that doesn't drop the first of two equal fields."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(name, deep=True) for name, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} is there twice", node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class _Check:
    """What is wrong with an entry, each a text that names field, value and way out."""

    def __init__(self, targets: Mapping[str, NodeModel], taken: Mapping[str, str]) -> None:
        self._targets = targets
        self._taken = taken
        self._seen: dict[tuple[str, str], int] = {}

    def problems(self, number: int, entry: Any) -> Iterator[str]:
        if not isinstance(entry, dict):
            yield f"is {_shown(entry)}; give a mapping with {', '.join(_FIELDS)}"
            return
        for name in entry:
            if name not in _FIELDS:
                yield f"{_shown(name)} is no field; there are {', '.join(_FIELDS)}"
        checks: dict[str, Callable[[Any], str | None]] = {
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

    def _target_label(self, value: Any) -> str | None:
        if isinstance(value, str) and value in self._targets:
            return None
        near = get_close_matches(str(value), self._targets, n=3) or self._targets
        return (
            f"no AWS type has nodes of that label that belong to an account and have an arn; known: {', '.join(near)}"
        )

    def _permissions(self, value: Any) -> str | None:
        told = "give a list of service:Action, with * and ? in the action if need be"
        if not isinstance(value, list) or not value:
            return told
        wrong = [one for one in value if not isinstance(one, str) or not _PERMISSION.fullmatch(one)]
        if wrong:
            return f"{_shown(wrong[0])} is no permission: {told}"
        lower = [one.lower() for one in value]
        twice = [one for one in value if lower.count(one.lower()) > 1]
        return f"{_shown(twice[-1])} is there twice: leave one out" if twice else None

    def _relationship_name(self, value: Any) -> str | None:
        if not isinstance(value, str) or not _RELATIONSHIP.fullmatch(value):
            return "give capitals, digits and _, beginning with a capital"
        if value in self._taken:
            return f"{self._taken[value]} writes relationships of that type; give another name"
        return None

    def _twice(self, number: int, entry: Mapping[str, Any]) -> Iterator[str]:
        label = self._targets[entry["target_label"]].label
        first = self._seen.setdefault((entry["relationship_name"], label), number)
        if first != number:
            told = f"entry {first} has it as well, to {label}; put their permissions in one entry"
            yield f"relationship_name is {_shown(entry['relationship_name'])}; {told}"

    def _without_effect(self, entry: Mapping[str, Any]) -> Iterator[str]:
        """Permissions that nobody can have for such a resource: AWS asks about another one, or about none."""
        label = entry["target_label"]
        for permission in entry["permissions"]:
            found = service_authorization.actions(permission)
            if not found:
                yield f"permissions has {_shown(permission)}; {_unknown(permission)}"
            elif not any(asked_about(action, kind(self._targets[label])) for action in found):
                told = f"which {label} doesn't stand for; {self._way_out(found)}"
                yield f"permissions has {_shown(permission)}; it works on {_told(found)}, {told}"

    def _way_out(self, found: Sequence[service_authorization.Action]) -> str:
        models = {model.label: model for model in self._targets.values()}
        fit = [name for name, model in models.items() if any(asked_about(one, kind(model)) for one in found)]
        return f"give {' or '.join(fit[:3])} as target_label, or another action" if fit else "give another action"


def _unknown(permission: str) -> str:
    service = permission.partition(":")[0]
    names = service_authorization.names(service)
    near = get_close_matches(permission, names, n=3, cutoff=0.7)
    told = f"AWS's reference of {service_authorization.date()} knows no such action"
    if not names:
        return f"{told}, nor a service {_shown(service)}; correct it"
    return f"{told}; correct it" + (f", for example to {', '.join(near)}" if near else "")


def _told(found: Sequence[service_authorization.Action]) -> str:
    arns = list(dict.fromkeys(arn for action in found for arn in works_on(action)))
    return ", ".join(arns[:3]) if arns else "no resource of its own"


def taken(schema: GraphSchema, jobs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Relationship types that declarations or jobs (by name, their types) write, with who does."""
    by_jobs = {type_: f"the job {name}" for name, types in jobs.items() for type_ in types}
    first_last = reversed(schema.models)
    declared = {r.type: schema.owners[model.label] for model in first_last for r in model.relationships}
    return by_jobs | declared


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
