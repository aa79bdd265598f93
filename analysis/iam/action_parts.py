"""What of a resource an action works on: itself, or what is part of it, as objects are of a bucket.

By the ARNs of the resource types that AWS lists for the action (`service_authorization`). One that goes on from the
resource's own is a part of it (`table/${TableName}/index/${IndexName}`), and so is one of another word with the same
name at its start (`cluster:${ClusterName}`, `dbuser:${ClusterName}/${DbUser}`).
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

# Of `arn:aws:rds:eu-west-1:111122223333:db:orders` the service, and the word where what follows the account has one.
_ARN: Final = re.compile(
    r"(?P<place>arn:[^:]*:(?P<service>[^:]+):[^:]*:[^:]*:)/?(?:(?P<word>[^/:$]+)(?P<end>[/:]))?(?P<rest>.+)", re.DOTALL
)
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_NAME: Final = string.ascii_letters + string.digits + "_.-+=,@$"
_WITH_ANY_TEXT: Final = ("ObjectName", "Path")
_WITH_TIMES: Final = ("StreamLabel",)

# Where AWS's reference says less than its guides do. Requests to a search domain are for the paths below it, and
# policies name these: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
_INSTEAD: Final = {
    "es:eshttp*": (ResourceType("arn:${Partition}:es:${Region}:${Account}:domain/${DomainName}/${Path}", needed=True),),
    # A function is invoked itself, or by a version or an alias:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    "lambda:invokefunction": (
        ResourceType("arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}", needed=True),
        ResourceType("arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}:${Alias}", needed=False),
    ),
}
# AWS lets nobody pass a role that is linked to a service, whatever policies allow: each has this path.
_NEVER: Final = {"iam:passrole": ":role/aws-service-role/"}


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """What a policy must allow an action on: `part`, or what else is enough where it doesn't allow that."""

    part: Part
    or_else: tuple[Part, ...] = ()


def kind_of(arn: str) -> str:
    """What an ARN is one of: `rds:db`, `redshift:cluster`; a bucket is an `s3`. '' for what is no ARN."""
    found = _ARN.fullmatch(arn)
    if not found:
        return ""
    return f"{found['service']}:{found['word']}" if found["word"] else found["service"]


@lru_cache(maxsize=100_000)
def asked_about(action: Action, kind: str) -> AskedAbout | None:
    """What of resources of that kind of ARN the action works on; None: on none."""
    found = [(type_, part) for type_ in _types(action) if (part := _part(type_.arn, kind)) is not None]
    parts = list(dict.fromkeys(part for _, part in found))
    if ITSELF in parts:  # or a part of it that is asked for in its place; what else there is, is asked for beside it
        return AskedAbout(ITSELF, tuple(part for part in parts if part != ITSELF and part.word is None))
    needed = list(dict.fromkeys(part for type_, part in found if type_.needed)) or parts
    return AskedAbout(needed[0], tuple(needed[1:])) if needed else None


def never_on(action: Action) -> str | None:
    """What stands in the ARNs on which no policy can allow the action; None: there are none."""
    return _NEVER.get(str(action).lower())


def works_on(action: Action) -> list[str]:
    """The ARNs of all that it works on, as AWS writes them."""
    return [type_.arn for type_ in _types(action)]


def _types(action: Action) -> Iterable[ResourceType]:
    for pattern, types in _INSTEAD.items():
        if expression(pattern).fullmatch(str(action).lower()):
            return types
    return action.types


@cache
def _own_formats(kind: str) -> tuple[str, ...]:
    """How the ARNs of that kind look, without those of their parts and of single ones that have names of their own."""
    own = [arn for arn in arn_formats(kind.partition(":")[0]) if kind_of(arn) == kind and _VARIABLE.search(_rest(arn))]
    return tuple(arn for arn in own if not any(_goes_on(arn, other) for other in own))


def _rest(arn: str) -> str:
    found = _ARN.fullmatch(arn)
    return found["rest"] if found else ""


def _goes_on(text: str, start: str) -> bool:
    return text.startswith((f"{start}/", f"{start}:"))


@cache
def _part(arn: str, kind: str) -> Part | None:
    """What the format of an ARN is to a resource of that kind; None: something else."""
    for own in _own_formats(kind):
        if arn == own:
            return ITSELF
        if _goes_on(arn, own):
            return _as_part(arn.removeprefix(own))
        one, other = _ARN.fullmatch(own), _ARN.fullmatch(arn)
        if one and other and one["place"] == other["place"] and _goes_on(other["rest"], one["rest"]):
            words = [f":{found['word']}{found['end']}" for found in (one, other)]
            return _as_part(other["rest"].removeprefix(one["rest"]), (words[0], words[1]))
    return None


def _as_part(more: str, word: tuple[str, str] | None = None) -> Part:
    """`more`: what the format of the part's ARN has after the resource's."""
    begins, _, rest = more.partition("${")
    names = _VARIABLE.findall(more)
    if any(name in _WITH_ANY_TEXT for name in names):
        return Part(begins, None, word)
    between = "".join(_VARIABLE.split("${" + rest)[::2]) + ":" * any(name in _WITH_TIMES for name in names)
    return Part(begins, frozenset(_NAME + between), word)
