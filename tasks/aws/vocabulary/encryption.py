"""The KMS key that encrypts a resource. Responses name it by ARN, by id, or by an alias."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loaders.model import IdLink, Source, at, id_link
from loaders.scope import GLOBAL
from tasks.aws.vocabulary.arn import arn_of
from tasks.aws.vocabulary.policy_document import listed

_ALIAS: Final = "alias/"


def encrypted_by(path: str, *, region: str | None = None) -> tuple[IdLink, IdLink]:
    """The relationships of a resource whose response names its key at this path: to the key, or to its alias.

    Which key an alias stands for is stated by the alias: (resource)-[:ENCRYPTED_BY]->(alias)-[:KNOWN_AS]->(key).

    `region`: the path of the resource's region, where its scope has none.
    """
    return (
        id_link("ENCRYPTED_BY", "KMSKey", _arns_at(path, region, alias=False)),
        id_link("ENCRYPTED_BY", "KMSAlias", _arns_at(path, region, alias=True)),
    )


def _arns_at(path: str, region_path: str | None, *, alias: bool) -> Callable[[Source], list[str]]:
    def arns(source: Source) -> list[str]:
        region: str | None = at(region_path, source.item) if region_path else source.scope.region
        names = [name for name in listed(at(path, source.item)) if name]
        found = [arn for name in names if (arn := key_arn(name, source, region))]
        return [arn for arn in found if (f":{_ALIAS}" in arn) is alias]

    arns.__name__ = f"{'alias' if alias else 'key'}_at_{path}"
    return arns


def key_arn(name: str, source: Source, region: str | None) -> str | None:
    """The ARN of a key or alias. A bare id or alias is in the resource's account and region; None without one."""
    if name.startswith("arn:"):
        return name
    if region in (None, GLOBAL):
        return None
    resource = name if name.startswith(_ALIAS) else f"key/{name}"
    return arn_of(f"kms:{resource}", source.partition, region, source.scope.tenant)
