"""Parameters of a query: which it has, and how what a command line gives is understood."""

from __future__ import annotations

import pytest

from analysis.queries import parameters
from loaders.errors import UsageError


def test_texts_and_comments_have_no_parameters() -> None:
    query = "MATCH (n {a: $one}) // $no\nWHERE n.b = '$no' AND n.`$no` = $`two words` RETURN $one"
    assert parameters.names(query) == ["one", "two words"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-1.5", -1.5),
        ("true", True),
        ("null", None),
        ('["a", 1]', ["a", 1]),
        ('"111122223333"', "111122223333"),
        ("eu-west-1", "eu-west-1"),
        ("012345678901", "012345678901"),
        ("a=b", "a=b"),
        ("", ""),
        ("NaN", "NaN"),
    ],
)
def test_a_value_is_json_or_else_a_text(text: str, value: object) -> None:
    assert parameters.given("RETURN $x", [f"x={text}"]) == {"x": value}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], r"the query needs \$account: give --param account=VALUE"),
        (["account=1", "acount=2"], r"no parameter \$acount; did you mean \"account\"\?; it has \$account"),
        (["account=1", "account=2"], r"\$account is given twice"),
        (["account"], '"account": give name=value'),
        (["account=9223372036854775808"], "the integers of the graph have 64 bits"),
        (["account=\udc80"], "is not valid UTF-8"),
    ],
)
def test_a_wrong_parameter_is_named(words: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parameters.given("MATCH (n {id: $account}) RETURN n", words)
