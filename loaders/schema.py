"""Every node model, checked against all the others: the loader, the cleanup and the reference pages work from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from loaders.model import IdLink, Link, ModelError, Node, NodeModel, Relationship
from loaders.wire_name import kept_name, wire_name


class GraphSchema:
    """The node models of all resource types. Raises ModelError where two of them contradict each other."""

    def __init__(self, models_of_types: Mapping[str, Sequence[type[Node]]]) -> None:
        self.models_of_type = {name: tuple(n.model for n in nodes) for name, nodes in models_of_types.items()}
        self.by_label: dict[str, NodeModel] = {}
        self.owners: dict[str, str] = {}
        for type_name, models in self.models_of_type.items():
            for model in models:
                self._add(type_name, model)
        for model in self.by_label.values():
            self._check(model)

    @cached_property
    def models(self) -> tuple[NodeModel, ...]:
        return tuple(self.by_label.values())

    @cached_property
    def identities(self) -> tuple[NodeModel, ...]:
        """The models by which nodes are merged; each has one uniqueness constraint."""
        return tuple(dict.fromkeys(model.identity for model in self.models))

    @cached_property
    def by_kept_name(self) -> dict[str, NodeModel]:
        return {kept_name(t, m): m for t, models in self.models_of_type.items() for m in models}

    @cached_property
    def by_wire_name(self) -> dict[str, NodeModel]:
        return {wire_name(t, m): m for t, models in self.models_of_type.items() for m in models}

    def target(self, relationship: Relationship) -> NodeModel:
        return self.by_label[relationship.label]

    def of_owner(self, type_name: str, labels: Collection[str]) -> NodeModel | None:
        """The model by which a type loaded a node that has these labels; None if it has none of them."""
        return next((model for model in self.models_of_type.get(type_name, ()) if model.label in labels), None)

    def types_of(self, labels: Collection[str]) -> list[str]:
        """The types that own some of these labels."""
        return [name for name, models in self.models_of_type.items() if any(model.label in labels for model in models)]

    def written_by(self, types: Iterable[str]) -> set[str]:
        """The labels of what these types load, and of what that has relationships to."""
        own = [model for name in types for model in self.models_of_type[name]]
        labels = {relationship.label for model in own for relationship in model.relationships}
        labels |= {link.through[0] for model in own for link in model.links if link.through}
        models = {*own, *(self.by_label[label] for label in labels)}
        return {label for model in models for label in (model.label, model.identity.label)}

    def _add(self, type_name: str, model: NodeModel) -> None:
        existing = self.by_label.get(model.label)
        if existing is not None and not (existing.shared and model.shared):
            raise ModelError(
                f"{type_name} and {self.owners[model.label]} both own the label {model.label}: "
                "one type owns a label, unless both models say shared=True"
            )
        for added in (model, model.base) if model.base else (model,):
            known = self.by_label.setdefault(added.label, added)
            owner = self.owners.setdefault(added.label, type_name)
            if (known.key.name, known.labels) != (added.key.name, added.labels):
                raise ModelError(f"{type_name} and {owner} share {added.label} but disagree on its key or labels")

    def _check(self, model: NodeModel) -> None:
        self._check_base(model)
        if model.shared and (model.references or model.id_links):
            raise ModelError(
                f"{model.label} is shared, so no scope owns its relationships: declare them on the other end"
            )
        for spelling in model.spellings[1:]:
            if spelling in self.by_label:
                raise ModelError(f"{spelling} is a label of its own, and also the prefixed label of {model.label}")
        seen: set[tuple[str, str, bool]] = set()
        for relationship in model.relationships:
            self._check_relationship(model, relationship)
            triple = _triple(relationship)
            if triple in seen:
                raise ModelError(f"{_place(model, relationship)} is declared twice")
            seen.add(triple)
        for type_, label, incoming in seen:
            mirror = (type_, model.label, not incoming)
            if any(_triple(relationship) == mirror for relationship in self.by_label[label].relationships):
                raise ModelError(f"{model.label} and {label} both declare the relationship {type_} between them")

    def _check_base(self, model: NodeModel) -> None:
        base = model.base
        if base is None:
            return
        if base.key.name != model.key.name:
            raise ModelError(f"{model.label} derives from {base.label} but has a different key, {model.key.name}")
        if not base.shared and any(base in models for models in self.models_of_type.values()):
            raise ModelError(
                f"{model.label} derives from {base.label}, which has rows of its own: "
                f"both would own a node, unless {base.label} says shared=True"
            )

    def _check_relationship(self, model: NodeModel, relationship: Relationship) -> None:
        for problem in self._problems(model, relationship):
            raise ModelError(f"{_place(model, relationship)}: {problem}")

    def _problems(self, model: NodeModel, relationship: Relationship) -> Iterator[str]:
        target = self.by_label.get(relationship.label)
        if target is None:
            yield f"no resource type declares the label {relationship.label}"
        elif isinstance(relationship, IdLink) and target.shared:
            yield "nothing owns a shared node, so no id link can find it: declare a reference"
        if isinstance(relationship, Link):
            yield from self._link_problems(model, relationship)

    def _link_problems(self, model: NodeModel, link: Link) -> Iterator[str]:
        compared = link.through[0] if link.through else link.label
        if compared not in self.by_label:
            yield f"no resource type declares the label {compared}"
            return
        own = {p.name for p in model.properties}
        other = {p.name for p in self.by_label[compared].properties}
        for mine, theirs in link.on:
            if mine not in own or theirs not in other:
                yield f"on={{{mine!r}: {theirs!r}}} names a property that doesn't exist"
        if link.within and not any(self._leads_to(r, link) for r in model.relationships):
            yield f"within={link.within!r} is not an outgoing relationship from {model.label} to {link.label}"

    def _leads_to(self, relationship: Relationship, link: Link) -> bool:
        """Does the relationship lead to the nodes that `link(within=...)` is restricted to?"""
        if isinstance(relationship, Link) or relationship.incoming or relationship.type != link.within:
            return False
        reached, wanted = self.by_label.get(relationship.label), self.by_label[link.label]
        return reached is not None and reached.identity is wanted.identity


def _triple(relationship: Relationship) -> tuple[str, str, bool]:
    """Type, label at the other end, and whether it points to this model."""
    incoming = not isinstance(relationship, Link) and relationship.incoming
    return relationship.type, relationship.label, incoming


def _place(model: NodeModel, relationship: Relationship) -> str:
    return f"{model.label}: {relationship.type} {relationship.label}"
