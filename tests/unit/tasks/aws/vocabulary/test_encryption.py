"""The key of an encrypted resource, in every form in which responses name it."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.vocabulary.encryption import encrypted_by

HERE = "arn:aws-cn:kms:cn-north-1:111122223333"
THERE = "arn:aws-cn:kms:cn-north-1:444455556666"


def ends(item: dict[str, Any], path: str = "KmsKeyId", **scope: str) -> tuple[list[str], list[str]]:
    """The ARNs of the keys, and of the aliases."""
    of = Scope(type="aws.rds.instances", tenant="111122223333", **(scope or {"region": "cn-north-1"}))
    key, alias = (link.keys for link in encrypted_by(path))
    assert callable(key)
    assert callable(alias)
    source = Source(item, of, (), "aws-cn")
    return key(source), alias(source)


@pytest.mark.parametrize(
    ("named", "keys", "aliases"),
    [
        (f"{THERE}:key/1-2", [f"{THERE}:key/1-2"], []),
        ("1-2", [f"{HERE}:key/1-2"], []),
        ("mrk-12", [f"{HERE}:key/mrk-12"], []),
        ("alias/mine", [], [f"{HERE}:alias/mine"]),
        (f"{THERE}:alias/mine", [], [f"{THERE}:alias/mine"]),
    ],
)
def test_a_key_may_be_named_by_arn_id_or_alias(named: str, keys: list[str], aliases: list[str]) -> None:
    assert ends({"KmsKeyId": named}) == (keys, aliases)


def test_several_keys_or_none() -> None:
    assert ends({"Keys": [{"Id": "1"}, {"Id": "alias/2"}]}, "Keys[].Id") == ([f"{HERE}:key/1"], [f"{HERE}:alias/2"])
    assert ends({}) == ends({"KmsKeyId": ""}) == ([], [])


def test_without_a_region_a_bare_id_is_unknown() -> None:
    assert ends({"KmsKeyId": "1-2"}, region="global") == ([], [])
    assert ends({"KmsKeyId": f"{HERE}:key/1-2"}, region="global") == ([f"{HERE}:key/1-2"], [])
