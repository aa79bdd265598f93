"""What a model is called in the batches of a type."""

from __future__ import annotations

from typing import Final

from loaders.model import NodeModel

_KEPT: Final = "kept:"


def wire_name(type_name: str, model: NodeModel) -> str:
    """In a batch of rows."""
    return f"{type_name}:{model.label}"


def kept_name(type_name: str, model: NodeModel) -> str:
    """In a batch of nodes that could not be read and are kept as they are."""
    return f"{_KEPT}{wire_name(type_name, model)}"


def is_kept(name: str) -> bool:
    return name.startswith(_KEPT)
