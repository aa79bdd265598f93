"""Cypher as written for Neo4j 3.5, upgraded to Neo4j 5.

Users keep analysis jobs for years. `upgrade` rewrites what Neo4j 5 no longer accepts and leaves everything else exactly
as it is: strings, comments and names in backticks are tokens of their own that are never changed. Cypher for Neo4j 5 is
returned unchanged, so that any query can be passed through.
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
    """All tokens of a query. Their texts, joined, are the query."""
    return [Token(match.lastgroup or "mark", match.group()) for match in _TOKEN.finditer(query)]


def code(query: str) -> list[Token]:
    """The tokens of a query without white space and comments."""
    return [token for token in tokens(query) if token.kind not in ("space", "comment")]


def upgrade(query: str) -> str:
    """The query for Neo4j 5. Repeats until nothing is left to rewrite, because old constructs may be nested."""
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
    """Label and properties of `DROP INDEX ON :Label(property)`. Neo4j 5 drops indexes only by name: look it up."""
    words = code(query)
    if not _starts(words, "drop", "index", "on") or len(words) < 7 or words[3].text != ":":
        return None
    return words[4].name, [token.name for token in words[6:] if token.is_name]


def _starts(query: Code, *words: str) -> bool:
    return len(query) >= len(words) and all(token.is_word(word) for token, word in zip(query, words, strict=False))


def _closing(query: Code, opening: int) -> int | None:
    """The position of the bracket that closes the one at `opening`."""
    expected: list[str] = []
    for at in range(opening, len(query)):
        if query[at].text in _BRACKETS:
            expected.append(_BRACKETS[query[at].text])
        elif expected and query[at].text == expected[-1]:
            expected.pop()
            if not expected:
                return at
    return None


def _calls(query: Code, *functions: str) -> Iterator[tuple[int, int, int]]:
    """The positions of each call of these functions: of its name, its opening and its closing bracket."""
    for at in range(len(query) - 1):
        if query[at].is_word(*functions) and query[at + 1].text == "(" and (at == 0 or query[at - 1].text not in ".$"):
            closing = _closing(query, at + 1)
            if closing is not None:
                yield at, at + 1, closing


def _indexes(query: Code) -> None:
    """CREATE INDEX ON :L(p)  ->  CREATE INDEX IF NOT EXISTS FOR (n:L) ON (n.p): 3.5 ignored a second creation."""
    if not _starts(query, "create", "index", "on") or len(query) < 7 or query[3].text != ":":
        return
    query[2].text, query[3].text, query[4].text = "IF NOT EXISTS FOR", "(n:", f"{query[4].text}) ON "
    for token in query[6:]:
        if token.is_name:
            token.text = f"n.{token.text}"


def _constraints(query: Code) -> None:
    """CREATE CONSTRAINT ON (n:L) ASSERT n.p IS UNIQUE  ->  ... IF NOT EXISTS FOR (n:L) REQUIRE n.p IS UNIQUE."""
    if not _starts(query, "create", "constraint"):
        return
    on = next((at for at, token in enumerate(query) if token.is_word("on")), None)
    assertion = next((at for at, token in enumerate(query) if token.is_word("assert")), None)
    if on is None or assertion is None:
        return
    query[on].text = "FOR" if any(token.is_word("exists") for token in query[:on]) else "IF NOT EXISTS FOR"
    query[assertion].text = "REQUIRE"
    for function, opening, closing in _calls(query, "exists"):
        if function == assertion + 1:
            query[function].text, query[opening].text, query[closing].text = "", "", " IS NOT NULL"


def _parameters(query: Code) -> None:
    """{NAME}  ->  $NAME, except in the map projection `n {name}`."""
    for at in range(len(query) - 2):
        opening, name, closing = query[at : at + 3]
        if opening.text == "{" and name.is_name and closing.text == "}" and not _projects(query, at):
            opening.text, name.text, closing.text = "", f"${name.text}", ""


def _projects(query: Code, brace: int) -> bool:
    """Whether a `{` begins a map projection (or follows COUNT), rather than follow a keyword, a label or a pattern."""
    if brace == 0 or not query[brace - 1].is_name or query[brace - 1].is_word(*_OPERATORS, *_CLAUSES):
        return False
    if brace == 1:
        return True
    before = query[brace - 2].text
    around = query[brace - 3] if brace > 2 else None
    if before == "(":  # (n {map}) is a pattern, collect(n {name}) a call
        return around is not None and around.is_name and not around.is_word("create", "merge", "match")
    if before == "[":  # -[r {map}]- is a pattern, [n {name}] a list
        return around is None or around.text not in _DASHES
    return before not in (":", "|", "&")


def _property_existence(query: Code) -> None:
    """EXISTS(n.p)  ->  (n.p IS NOT NULL). EXISTS {...} and EXISTS((a)-->(b)) are still valid."""
    for function, _, closing in _calls(query, "exists"):
        last, before = query[closing - 1], query[closing - 2]
        if last.text == "]" or (last.is_name and before.text == "."):
            query[function].text, query[closing].text = "", " IS NOT NULL)"


def _lists_by_function(query: Code) -> None:
    """filter(x IN l WHERE c) and extract(x IN l | e)  ->  list comprehensions."""
    for function, opening, closing in _calls(query, "filter", "extract"):
        if query[opening + 1].is_name and query[opening + 2].is_word("in"):
            query[function].text, query[opening].text, query[closing].text = "", "[", "]"


def _renamed_functions(query: Code) -> None:
    for function, _, _ in _calls(query, *_RENAMED):
        query[function].text = _RENAMED[query[function].text.lower()]


def _relationship_types(query: Code) -> None:
    """[r:A|:B]  ->  [r:A|B]."""
    for bar, colon in itertools.pairwise(query):
        if bar.text == "|" and colon.text == ":":
            colon.text = ""


def _lengths(query: Code) -> None:
    """length() of a path stays, of anything else it becomes size(). Of a pattern both become COUNT {...}."""
    paths = _Paths(query)
    for function, opening, closing in _calls(query, "length", "size"):
        measured = query[opening + 1 : closing]
        if _is_pattern(measured):
            query[function].text, query[opening].text, query[closing].text = "COUNT ", "{ ", " }"
        elif query[function].is_word("length") and paths.kind(measured) != "path":
            query[function].text = "size"


def _is_pattern(query: Code) -> bool:
    """Whether these tokens are a pattern such as `(a)-->(b)`."""
    node_end = _closing(query, 0) if query and query[0].text == "(" else None
    if node_end is None or node_end + 2 >= len(query) or query[-1].text != ")":
        return False
    arrow = node_end + 1 + (query[node_end + 1].text == "<")
    return query[arrow].text in _DASHES and (query[arrow + 1].text == "[" or query[arrow + 1].text in _DASHES)


class _Paths:
    """Which variables of a query hold paths, and which hold lists of paths."""

    def __init__(self, query: Code) -> None:
        self._of = {query[at].name: "path" for at in range(1, len(query) - 2) if self._binds(query, at)}
        known = -1
        while known != len(self._of):  # an alias may precede what it refers to
            known = len(self._of)
            for at in range(1, len(query) - 1):
                self._alias(query, at)

    @staticmethod
    def _binds(query: Code, at: int) -> bool:
        before, token, after, beyond = query[at - 1 : at + 3]
        if not token.is_name:
            return False
        if before.is_word("match", "merge", "create"):
            return after.text == "="
        if before.is_word("yield") or (before.text == "," and any(word.is_word("yield") for word in query[:at])):
            return token.text == "path"
        selectors = ("shortestpath", "allshortestpaths", "any", "all", "shortest")
        starts_pattern = beyond.text == "(" or beyond.is_word(*selectors)
        return before.text in (",", "[", "{") and after.text == "=" and starts_pattern

    def _alias(self, query: Code, at: int) -> None:
        if query[at].is_word("as") and query[at + 1].is_name:
            start = _expression_start(query, at)
            kind = self.kind(query[start:at])
            if kind == "list" and query[start - 1].is_word("unwind"):
                kind = "path"
            if kind:
                self._of.setdefault(query[at + 1].name, kind)
        elif query[at].is_word("in") and query[at - 1].is_name and self.kind(query[at + 1 : at + 2]) == "list":
            self._of.setdefault(query[at - 1].name, "path")
        elif query[at].is_word("in") and query[at - 1].is_name and query[at + 1].is_word("collect", "nodes"):
            closing = _closing(query, at + 2)
            if closing and self.kind(query[at + 1 : closing + 1]) == "list":
                self._of.setdefault(query[at - 1].name, "path")

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


def _expression_start(query: Code, end: int) -> int:
    """The start of the expression before `AS`: after a comma, a bracket or the clause's keyword."""
    depth = 0
    for at in range(end - 1, -1, -1):
        text = query[at].text
        if text in ")]}":
            depth += 1
        elif text in "([{":
            depth -= 1
        outside = depth < 0 or (depth == 0 and text == ",")
        if outside or (depth == 0 and query[at].is_word("with", "return", "unwind", "distinct", "yield")):
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
