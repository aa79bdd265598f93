"""What an action works on: the resource itself, or parts of it, as objects are parts of a bucket.

Derived from the ARN formats of the resource types that AWS lists for the action (`service_authorization`). A format
that continues the resource's own is a part of it (`table/${TableName}/index/${IndexName}`), and so is one with another
word but the same name at its start (`cluster:${ClusterName}`, `dbuser:${ClusterName}/${DbUser}`).
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from analysis.iam.patterns import expression
from analysis.iam.resources import ITSELF, Part
from analysis.iam.service_authorization import Action, ResourceType, arn_formats

# The service in `arn:aws:rds:eu-west-1:111122223333:db:orders`, and the word after the account, if there is one.
_ARN: Final = re.compile(
    r"(?P<place>arn:[^:]*:(?P<service>[^:]+):[^:]*:[^:]*:)/?(?:(?P<word>[^/:$]+)(?P<end>[/:]))?(?P<rest>.+)", re.DOTALL
)
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_NAME: Final = string.ascii_letters + string.digits + "_.-+=,@$"
_WITH_ANY_TEXT: Final = ("ObjectName", "Path")
_WITH_TIMES: Final = ("StreamLabel",)

# Corrections of AWS's reference by its guides. Requests to a search domain are for paths below it, and policies name
# these paths: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
_CORRECTED: Final = {
    "es:eshttp*": (ResourceType("arn:${Partition}:es:${Region}:${Account}:domain/${DomainName}/${Path}", needed=True),),
    # A function is invoked by its own ARN, or by that of a version or an alias:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    "lambda:invokefunction": (
        ResourceType("arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}", needed=True),
        ResourceType("arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}:${Alias}", needed=False),
    ),
}
# Service-linked roles can never be passed, whatever policies allow. All have this path.
_NEVER: Final = {"iam:passrole": ":role/aws-service-role/"}


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """What a policy must allow an action on: `part`, or one of the alternatives."""

    part: Part
    alternatives: tuple[Part, ...] = ()


def kind_of(arn: str) -> str:
    """The kind of an ARN: `rds:db`, `redshift:cluster`; `s3` for a bucket. '' if it isn't an ARN."""
    match = _ARN.fullmatch(arn)
    if not match:
        return ""
    return f"{match['service']}:{match['word']}" if match["word"] else match["service"]


@lru_cache(maxsize=100_000)
def asked_about(action: Action, kind: str) -> AskedAbout | None:
    """What the action works on, for resources with that kind of ARN; None: it doesn't work on them."""
    typed = [(type_, part) for type_ in _types(action) if (part := _part(type_.arn, kind)) is not None]
    parts = list(dict.fromkeys(part for _, part in typed))
    if ITSELF in parts:  # or a part that may be named instead of it; other parts are checked in addition to it
        return AskedAbout(ITSELF, tuple(part for part in parts if part != ITSELF and part.word is None))
    needed = list(dict.fromkeys(part for type_, part in typed if type_.needed)) or parts
    return AskedAbout(needed[0], tuple(needed[1:])) if needed else None


def never_on(action: Action) -> str | None:
    """A text in the ARNs on which no policy can allow the action; None: there are no such ARNs."""
    return _NEVER.get(str(action).lower())


def works_on(action: Action) -> list[str]:
    """The ARN formats of everything it works on, as AWS writes them."""
    return [type_.arn for type_ in _types(action)]


def _types(action: Action) -> Iterable[ResourceType]:
    for pattern, types in _CORRECTED.items():
        if expression(pattern).fullmatch(str(action).lower()):
            return types
    return action.types


@cache
def _own_formats(kind: str) -> tuple[str, ...]:
    """The ARN formats of that kind, without those of parts and those without a variable."""
    own = [arn for arn in arn_formats(kind.partition(":")[0]) if kind_of(arn) == kind and _VARIABLE.search(_rest(arn))]
    return tuple(arn for arn in own if not any(_continues(arn, other) for other in own))


def _rest(arn: str) -> str:
    match = _ARN.fullmatch(arn)
    return match["rest"] if match else ""


def _continues(text: str, start: str) -> bool:
    return text.startswith((f"{start}/", f"{start}:"))


@cache
def _part(arn: str, kind: str) -> Part | None:
    """The part that an ARN format stands for, for a resource of that kind; None: not a part of it."""
    for own in _own_formats(kind):
        if arn == own:
            return ITSELF
        if _continues(arn, own):
            return _as_part(arn.removeprefix(own))
        mine, theirs = _ARN.fullmatch(own), _ARN.fullmatch(arn)
        if mine and theirs and mine["place"] == theirs["place"] and _continues(theirs["rest"], mine["rest"]):
            words = [f":{match['word']}{match['end']}" for match in (mine, theirs)]
            return _as_part(theirs["rest"].removeprefix(mine["rest"]), (words[0], words[1]))
    return None


def _as_part(more: str, word: tuple[str, str] | None = None) -> Part:
    """`more`: how the format of the part's ARN continues the resource's."""
    begins, _, rest = more.partition("${")
    names = _VARIABLE.findall(more)
    if any(name in _WITH_ANY_TEXT for name in names):
        return Part(begins, None, word)
    between = "".join(_VARIABLE.split("${" + rest)[::2]) + ":" * any(name in _WITH_TIMES for name in names)
    return Part(begins, frozenset(_NAME + between), word)
