"""Cypher as it was written for Neo4j 3.5, spelled for Neo4j 5.

Users keep analysis jobs for years. `modern` rewrites what Neo4j 5 no longer takes and leaves everything else, to the
letter: strings, comments and names in backticks are tokens of their own and never looked into. Modern Cypher comes back
unchanged, so every query may be passed through.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?(?:\*/|\Z) )
  | (?P<space>   \s+ )
  | (?P<string>  '(?:\\.|[^'\\])*(?:'|\Z) | "(?:\\.|[^"\\])*(?:"|\Z) )
  | (?P<quoted>  `(?:``|[^`])*(?:`|\Z) )
  | (?P<name>    [^\W\d]\w* )
  | (?P<number>  \d\w* )
  | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_RENAMED = {"toint": "toInteger", "rels": "relationships"}
_DASHES = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"  # each a hyphen to Cypher
_OPERATORS = ("and", "or", "xor", "not", "in", "contains", "with", "case", "when", "then", "else")
_CLAUSES = ("return", "distinct", "where", "unwind", "by", "skip", "limit", "from", "set", "delete")


@dataclass
class Token:
    """A piece of a query; a rewrite replaces its text."""

    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.lower() in words

    @property
    def is_name(self) -> bool:
        return self.kind in ("name", "quoted")

    @property
    def name(self) -> str:
        """The name without its backticks."""
        return self.text[1:-1].replace("``", "`") if self.kind == "quoted" else self.text


Code = Sequence[Token]


def tokens(query: str) -> list[Token]:
    """All of a query: their texts joined are the query."""
    return [Token(match.lastgroup or "mark", match.group()) for match in _TOKEN.finditer(query)]


def code(query: str) -> list[Token]:
    """The tokens that mean something: no white space, no comments."""
    return [token for token in tokens(query) if token.kind not in ("space", "comment")]


def upgrade(query: str) -> str:
    """The query in the spelling of Neo4j 5: until no old spelling is left (one may stand inside another)."""
    if dropped_index(query):
        return query
    before = None
    while query != before:
        before = query
        for rewrite in _REWRITES:
            all_tokens = tokens(query)
            rewrite([token for token in all_tokens if token.kind not in ("space", "comment")])
            query = "".join(token.text for token in all_tokens)
    return query


def dropped_index(query: str) -> tuple[str, list[str]] | None:
    """Label and properties of `DROP INDEX ON :Label(property)`. Neo4j 5 only drops by name: ask the database for it."""
    found = code(query)
    if not _starts(found, "drop", "index", "on") or len(found) < 7 or found[3].text != ":":
        return None
    return found[4].name, [token.name for token in found[6:] if token.is_name]


def _starts(found: Code, *words: str) -> bool:
    return len(found) >= len(words) and all(token.is_word(word) for token, word in zip(found, words, strict=False))


def _closing(found: Code, opening: int) -> int | None:
    """Where the bracket at `opening` closes."""
    expected: list[str] = []
    for at in range(opening, len(found)):
        if found[at].text in _BRACKETS:
            expected.append(_BRACKETS[found[at].text])
        elif expected and found[at].text == expected[-1]:
            expected.pop()
            if not expected:
                return at
    return None


def _calls(found: Code, *functions: str) -> Iterator[tuple[int, int, int]]:
    """Each call of these functions: where its name, its opening and its closing bracket stand."""
    for at in range(len(found) - 1):
        if found[at].is_word(*functions) and found[at + 1].text == "(" and (at == 0 or found[at - 1].text not in ".$"):
            closing = _closing(found, at + 1)
            if closing is not None:
                yield at, at + 1, closing


def _indexes(found: Code) -> None:
    """CREATE INDEX ON :L(p)  ->  CREATE INDEX IF NOT EXISTS FOR (n:L) ON (n.p): 3.5 took the second time for done."""
    if not _starts(found, "create", "index", "on") or len(found) < 7 or found[3].text != ":":
        return
    found[2].text, found[3].text, found[4].text = "IF NOT EXISTS FOR", "(n:", f"{found[4].text}) ON "
    for token in found[6:]:
        if token.is_name:
            token.text = f"n.{token.text}"


def _constraints(found: Code) -> None:
    """CREATE CONSTRAINT ON (n:L) ASSERT n.p IS UNIQUE  ->  ... IF NOT EXISTS FOR (n:L) REQUIRE n.p IS UNIQUE."""
    if not _starts(found, "create", "constraint"):
        return
    on = next((at for at, token in enumerate(found) if token.is_word("on")), None)
    claim = next((at for at, token in enumerate(found) if token.is_word("assert")), None)
    if on is None or claim is None:
        return
    found[on].text = "FOR" if any(token.is_word("exists") for token in found[:on]) else "IF NOT EXISTS FOR"
    found[claim].text = "REQUIRE"
    for function, opening, closing in _calls(found, "exists"):
        if function == claim + 1:
            found[function].text, found[opening].text, found[closing].text = "", "", " IS NOT NULL"


def _parameters(found: Code) -> None:
    """{NAME}  ->  $NAME, but not the map projection `n {name}`."""
    for at in range(len(found) - 2):
        opening, name, closing = found[at : at + 3]
        if opening.text == "{" and name.is_name and closing.text == "}" and not _projects(found, at):
            opening.text, name.text, closing.text = "", f"${name.text}", ""


def _projects(found: Code, brace: int) -> bool:
    """Whether a `{` follows the variable of a map projection (or COUNT): not a keyword, a label, a pattern."""
    if brace == 0 or not found[brace - 1].is_name or found[brace - 1].is_word(*_OPERATORS, *_CLAUSES):
        return False
    if brace == 1:
        return True
    before = found[brace - 2].text
    around = found[brace - 3] if brace > 2 else None
    if before == "(":  # (n {map}) is a pattern, collect(n {name}) a call
        return around is not None and around.is_name and not around.is_word("create", "merge", "match")
    if before == "[":  # -[r {map}]- is a pattern, [n {name}] a list
        return around is None or around.text not in _DASHES
    return before not in (":", "|", "&")


def _property_existence(found: Code) -> None:
    """EXISTS(n.p)  ->  (n.p IS NOT NULL). EXISTS {...} and EXISTS((a)-->(b)) are good Cypher still."""
    for function, _, closing in _calls(found, "exists"):
        last, before = found[closing - 1], found[closing - 2]
        if last.text == "]" or (last.is_name and before.text == "."):
            found[function].text, found[closing].text = "", " IS NOT NULL)"


def _lists_by_function(found: Code) -> None:
    """filter(x IN l WHERE c) and extract(x IN l | e)  ->  list comprehensions."""
    for function, opening, closing in _calls(found, "filter", "extract"):
        if found[opening + 1].is_name and found[opening + 2].is_word("in"):
            found[function].text, found[opening].text, found[closing].text = "", "[", "]"


def _renamed_functions(found: Code) -> None:
    for function, _, _ in _calls(found, *_RENAMED):
        found[function].text = _RENAMED[found[function].text.lower()]


def _relationship_types(found: Code) -> None:
    """[r:A|:B]  ->  [r:A|B]."""
    for bar, colon in itertools.pairwise(found):
        if bar.text == "|" and colon.text == ":":
            colon.text = ""


def _lengths(found: Code) -> None:
    """length() of a path stays; of anything else it is size(). The number of matches of a pattern is COUNT {...}."""
    paths = _Paths(found)
    for function, opening, closing in _calls(found, "length", "size"):
        measured = found[opening + 1 : closing]
        if _is_pattern(measured):
            found[function].text, found[opening].text, found[closing].text = "COUNT ", "{ ", " }"
        elif found[function].is_word("length") and paths.kind(measured) != "path":
            found[function].text = "size"


def _is_pattern(found: Code) -> bool:
    """Whether these tokens are `(a)-->(b)` or the like."""
    node_end = _closing(found, 0) if found and found[0].text == "(" else None
    if node_end is None or node_end + 2 >= len(found) or found[-1].text != ")":
        return False
    arrow = node_end + 1 + (found[node_end + 1].text == "<")
    return found[arrow].text in _DASHES and (found[arrow + 1].text == "[" or found[arrow + 1].text in _DASHES)


class _Paths:
    """Which variables of a query hold paths, and which hold lists of paths."""

    def __init__(self, found: Code) -> None:
        self._of = {found[at].name: "path" for at in range(1, len(found) - 2) if self._binds(found, at)}
        known = -1
        while known != len(self._of):  # an alias may stand before what it is an alias of
            known = len(self._of)
            for at in range(1, len(found) - 1):
                self._alias(found, at)

    @staticmethod
    def _binds(found: Code, at: int) -> bool:
        before, token, after, beyond = found[at - 1 : at + 3]
        if not token.is_name:
            return False
        if before.is_word("match", "merge", "create"):
            return after.text == "="
        if before.is_word("yield") or (before.text == "," and any(word.is_word("yield") for word in found[:at])):
            return token.text == "path"
        selectors = ("shortestpath", "allshortestpaths", "any", "all", "shortest")
        starts_pattern = beyond.text == "(" or beyond.is_word(*selectors)
        return before.text in (",", "[", "{") and after.text == "=" and starts_pattern

    def _alias(self, found: Code, at: int) -> None:
        if found[at].is_word("as") and found[at + 1].is_name:
            start = _expression_start(found, at)
            kind = self.kind(found[start:at])
            if kind == "list" and found[start - 1].is_word("unwind"):
                kind = "path"
            if kind:
                self._of.setdefault(found[at + 1].name, kind)
        elif found[at].is_word("in") and found[at - 1].is_name and self.kind(found[at + 1 : at + 2]) == "list":
            self._of.setdefault(found[at - 1].name, "path")
        elif found[at].is_word("in") and found[at - 1].is_name and found[at + 1].is_word("collect", "nodes"):
            closing = _closing(found, at + 2)
            if closing and self.kind(found[at + 1 : closing + 1]) == "list":
                self._of.setdefault(found[at - 1].name, "path")

    def kind(self, expression: Code) -> str | None:
        """`path`, `list` (of paths), or None for anything else."""
        if not expression:
            return None
        first, inside = expression[0], expression[2:-1]
        if len(expression) == 1:
            return self._of.get(first.name) if first.is_name else None
        if first.text == "(" and _closing(expression, 0) == len(expression) - 1:
            return self.kind(expression[1:-1])
        if first.is_name and expression[1].text == "[" and _closing(expression, 1) == len(expression) - 1:
            return "path" if self._of.get(first.name) == "list" else None
        if expression[1].text != "(" or _closing(expression, 1) != len(expression) - 1:
            return None
        if first.is_word("shortestpath"):
            return "path"
        if first.is_word("allshortestpaths"):
            return "list"
        if first.is_word("collect") and self.kind(inside[inside[0].is_word("distinct") :]) == "path":
            return "list"
        return "path" if first.is_word("head", "last") and self.kind(inside) == "list" else None


def _expression_start(found: Code, end: int) -> int:
    """Where the expression before `AS` starts: after a comma, a bracket or the clause's keyword."""
    depth = 0
    for at in range(end - 1, -1, -1):
        text = found[at].text
        if text in ")]}":
            depth += 1
        elif text in "([{":
            depth -= 1
        outside = depth < 0 or (depth == 0 and text == ",")
        if outside or (depth == 0 and found[at].is_word("with", "return", "unwind", "distinct", "yield")):
            return at + 1
    return 0


_REWRITES: tuple[Callable[[Code], None], ...] = (
    _indexes,
    _constraints,
    _parameters,
    _property_existence,
    _lists_by_function,
    _renamed_functions,
    _relationship_types,
    _lengths,
)
