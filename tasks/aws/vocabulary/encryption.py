"""Which key of KMS something is encrypted by, as AWS's response names it: by ARN, by id, or by an alias."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loaders.model import IdLink, Source, at, id_link
from loaders.scope import GLOBAL
from tasks.aws.vocabulary.policy_document import listed

_ALIAS: Final = "alias/"


def encrypted_by(path: str, *, region: str | None = None) -> tuple[IdLink, IdLink]:
    """The relationships of what names its key at this path: to the key, or to the alias where AWS was told that one.

    Which key an alias stands for is a fact of the alias: (thing)-[:ENCRYPTED_BY]->(alias)-[:KNOWN_AS]->(key).

    `region`: where the item says it, if its scope isn't of one.
    """
    return (
        id_link("ENCRYPTED_BY", "KMSKey", _named(path, region, alias=False)),
        id_link("ENCRYPTED_BY", "KMSAlias", _named(path, region, alias=True)),
    )


def _named(path: str, region: str | None, *, alias: bool) -> Callable[[Source], list[str]]:
    def arns(source: Source) -> list[str]:
        place = at(region, source.item) if region else source.scope.region
        names = [name for name in listed(at(path, source.item)) if name]
        found = [arn for name in names if (arn := key_arn(name, source, place))]
        return [arn for arn in found if (f":{_ALIAS}" in arn) is alias]

    arns.__name__ = f"{'alias' if alias else 'key'}_at_{path}"
    return arns


def key_arn(name: str, source: Source, region: str | None) -> str | None:
    """Of a key or an alias. A mere id or alias is of the same account and region: in no region, nobody knows which."""
    if name.startswith("arn:"):
        return name
    if region in (None, GLOBAL):
        return None
    which = name if name.startswith(_ALIAS) else f"key/{name}"
    return f"arn:{source.partition}:kms:{region}:{source.scope.tenant}:{which}"
