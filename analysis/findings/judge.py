"""Puts the rules to the graph, and says of each what it found, what it could not judge, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from neo4j.exceptions import DatabaseUnavailable, Neo4jError

from analysis.findings.evidence import Evidence, Gap
from loaders import read_only
from loaders.model import UNOWNED
from loaders.scope import GLOBAL, Scope

if TYPE_CHECKING:
    import neo4j

    from analysis.findings.rule import Rule
    from loaders.graph import Graph
    from loaders.model import NodeModel
    from loaders.schema import GraphSchema

MAX_FINDINGS: Final = 10_000  # of one rule that are kept; all are counted
MAX_PATH: Final = 24  # nodes and relationships of a path that are kept
MAX_TEXT: Final = 500  # characters of a name or a detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A node that a finding is about. `tenant` with its provider: aws/111122223333."""

    label: str
    key: str
    name: str
    tenant: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource that a rule found.

    path    what proves it, node by node: [{"label", "key", "name"}, {"relationship", "forward"}, ...]
    unseen  what this run did not see of what the rule rests on, there: the finding is as old as that
    """

    resource: Resource
    detail: str = ""
    path: tuple[Mapping[str, Any], ...] = ()
    unseen: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of one rule in one run.

    tenants     all of its providers'
    count       resources found, of which `found` holds no more than MAX_FINDINGS
    unknown     resources that it could not judge, with the reason
    not_judged  types that it rests on and that were never seen of a tenant: nothing is known there
    unseen      scopes of these types that this run did not see: what is said of them is from before
    error       why its query failed, if it did
    """

    rule: Rule
    tenants: Sequence[str]
    found: Sequence[Found] = ()
    count: int = 0
    unknown: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by label and key
    not_judged: Sequence[Gap] = ()
    unseen: Sequence[Gap] = ()
    error: str = ""


def judge(
    graph: Graph,
    rules: Iterable[Rule],
    schema: GraphSchema,
    evidence: Evidence,
    *,
    present: Collection[str],
    timeout_seconds: float,
) -> Iterator[Judgement]:
    """One by one. A rule whose query fails says so, and stops no other; a rule of a provider that the graph doesn't
    know is left out.

    present  the labels that nodes have: without any of what its types load, a rule has nothing to find
    """
    reader = _Reader(graph, schema, timeout_seconds)
    for rule in rules:
        tenants = evidence.tenants(rule.reads)
        if not tenants:
            continue
        gaps = [gap for tenant in tenants for gap in evidence.never_seen(tenant, rule.reads)]
        unseen = [gap for tenant in tenants for gap in evidence.not_seen(tenant, rule.reads)]
        coverage: dict[str, Any] = {"rule": rule, "tenants": tenants, "not_judged": gaps, "unseen": unseen}
        if not any(model.label in present for type_ in rule.reads for model in schema.models_of_type.get(type_, ())):
            yield Judgement(**coverage)
            continue
        blind = {gap.tenant for gap in gaps}
        try:
            found = [one for one in reader.found(rule) if one.resource.tenant not in blind]
            unknown = dict(reader.unknown(rule)) if rule.unknown else {}
        except DatabaseUnavailable:
            raise
        except (Neo4jError, read_only.NotReadOnly, read_only.InvalidQuery) as error:
            message = (getattr(error, "message", None) or str(error)).strip()
            yield Judgement(**coverage, error=message.splitlines()[0] if message else type(error).__name__)
            continue
        kept = [_dated(one, rule, evidence) for one in found[:MAX_FINDINGS]]
        yield Judgement(**coverage, found=kept, count=len(found), unknown=unknown)


def _dated(found: Found, rule: Rule, evidence: Evidence) -> Found:
    gaps = evidence.not_seen(found.resource.tenant, rule.reads, found.resource.region)
    return Found(resource=found.resource, detail=found.detail, path=found.path, unseen=tuple(gaps))


class _Reader:
    """Runs the queries of rules, each in a transaction that only reads and has a time limit."""

    def __init__(self, graph: Graph, schema: GraphSchema, timeout_seconds: float) -> None:
        self._graph = graph
        self._schema = schema
        self._timeout_seconds = timeout_seconds

    def found(self, rule: Rule) -> list[Found]:
        """The resources, each once, with the first row's path."""
        found: dict[tuple[str, str], Found] = {}
        for row in self._rows(rule.query, own=rule.own):
            if (resource := self._resource(row["resource"])) is None:
                continue
            place = resource.label, resource.key
            if place not in found:
                steps = tuple(self._steps(row.get("path")))[:MAX_PATH]
                found[place] = Found(resource=resource, detail=_text(row.get("detail")), path=steps)
        return list(found.values())

    def unknown(self, rule: Rule) -> Iterator[tuple[tuple[str, str], str]]:
        for row in self._rows(rule.unknown, own=rule.own):
            if resource := self._resource(row["resource"]):
                yield (resource.label, resource.key), _text(row["why"])

    def _rows(self, query: str, *, own: bool) -> list[dict[str, Any]]:
        """A user's query is first looked at, by Neo4j's plan: a transaction that reads can do more than read."""

        def work(tx: neo4j.ManagedTransaction) -> list[dict[str, Any]]:
            if own:
                read_only.plan(tx, query)
            return [{name: record[name] for name in record.keys()} for record in tx.run(query)]  # noqa: SIM118

        return self._graph.read(work, timeout_seconds=self._timeout_seconds)

    def _resource(self, node: Any) -> Resource | None:
        """None for a stub, which no scope has seen, and for what is not a node."""
        owner = getattr(node, "labels", None) is not None and node.get("_scope")
        if not owner or owner == UNOWNED:
            return None
        scope = Scope.parse(owner)
        model = self._model(node)
        region = node.get("region") if scope.has_region is False else scope.region
        return Resource(
            label=model.label,
            key=_text(node.get(model.key.name)),
            name=name_of(node, model),
            tenant=scope.tenant_key,
            region=region if isinstance(region, str) and region else GLOBAL,
        )

    def _model(self, node: neo4j.graph.Node) -> NodeModel:
        """That of the type that owns the node, or any of its labels'."""
        owner = str(node.get("_scope", "")).partition("/")[0]
        known = [self._schema.by_label[label] for label in sorted(node.labels) if label in self._schema.by_label]
        return self._schema.of_owner(owner, node.labels) or known[0]

    def _steps(self, path: Any) -> Iterator[Mapping[str, Any]]:
        """Of a path, or of a list of nodes and paths."""
        if path is None:
            return
        if isinstance(path, list):
            for part in path:
                yield from self._steps(part)
        elif hasattr(path, "relationships"):
            yield from self._of_path(path)
        elif hasattr(path, "labels"):
            yield self._step(path)

    def _of_path(self, path: neo4j.graph.Path) -> Iterator[Mapping[str, Any]]:
        for node, relationship in zip(path.nodes, path.relationships, strict=False):
            yield self._step(node)
            forward = relationship.start_node is not None and relationship.start_node.element_id == node.element_id
            yield {"relationship": relationship.type, "forward": forward}
        yield self._step(path.end_node)

    def _step(self, node: Any) -> Mapping[str, Any]:
        if not any(label in self._schema.by_label for label in node.labels):
            return {"label": min(node.labels, default=""), "key": "", "name": ""}
        model = self._model(node)
        return {"label": model.label, "key": _text(node.get(model.key.name)), "name": name_of(node, model)}


_NAMES: Final = ("name", "email", "username", "login", "title", "display_name", "arn")


def name_of(node: Any, model: NodeModel) -> str:
    """What people call the node."""
    found = next((node.get(name) for name in _NAMES if isinstance(node.get(name), str) and node.get(name)), None)
    return _text(found or node.get(model.key.name))


def _text(value: Any) -> str:
    text = "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."
