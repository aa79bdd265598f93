"""Tries the calls of resource types in one region of an account, by running their own declarations.

A type is fetched as in a run, but through an API that sends each call once and returns at most one item. So the calls
and their parameters are those of a run, and nothing here depends on a particular type or call.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.access import Access, Finding, How
from tasks.aws.client.client import AwsApi
from tasks.aws.doctor.minimal_requests import first_of_each, holds_none, nothing, smallest_page, takes_dry_run
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import ResourceType

log = logging.getLogger(__name__)

READS: Final = re.compile(r"(Batch)?(Get|List|Describe)[A-Z]")  # how the names of read-only calls begin
NO_ITEM: Final = "nothing there to ask about (fine)"
NOT_CALLED: Final = "not called here (fine)"

_WOULD_BE_ALLOWED: Final = "DryRunOperation"
_ACCESS: Final = {
    Failure.DENIED: Access.DENIED,
    Failure.NOT_ENABLED: Access.NOT_ENABLED,
    Failure.NOT_FOUND: Access.ALLOWED,  # the call was allowed, and found nothing
}


class _Enough(Exception):
    """Raised when every call of the type has been tried."""


@dataclass(slots=True)
class Probe(AwsApi):
    """`found`: the result of the first try of each call, by `service:Operation`."""

    found: dict[str, Finding] = field(default_factory=dict)
    plain: AwsApi = field(init=False)  # sends the requests
    _responses: dict[tuple[str, str], Mapping[str, Any] | CallFailed] = field(default_factory=dict)
    _surfaced: list[CallFailed] = field(default_factory=list)  # errors that a declaration raised
    # state of the type that is being tried
    _wanted: frozenset[str] = frozenset()
    _stepped_over: set[str] = field(default_factory=set)  # calls that failed, and now get an empty response
    _came_to_nothing: bool = False  # a listing was empty, or failed

    def __post_init__(self) -> None:
        self.plain = AwsApi(self.tenant, self.region, self.rate_limiter, self.partition)

    async def try_type(self, type_: ResourceType) -> None:
        """Try those of its calls that no other type has tried yet.

        When a call fails, the declaration ends, as in a run. It is then run again with an empty response for that call,
        so that the calls after it are tried as well.
        """
        self._wanted = frozenset(type_.fetch.calls)
        self._stepped_over, self._came_to_nothing = set(), False
        while self._untried():
            await self._run(type_)
            failed = {
                call for call in self._wanted & self.found.keys() if self.found[call].access is not Access.ALLOWED
            }
            if failed <= self._stepped_over:
                break
            self._stepped_over |= failed
        for call in self._untried():
            self.found[call] = Finding(Access.NOT_TRIED, reason=NO_ITEM if self._came_to_nothing else NOT_CALLED)

    async def call(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        key = (action, repr(sorted(parameters.items())))
        if key not in self._responses:
            if not self._untried():
                raise _Enough
            if self._untried() == {action} and await self._tried_dry(action, parameters):
                raise _Enough
            self._responses[key] = await self._tried(action, parameters)
        response = self._responses[key]
        if isinstance(response, CallFailed):
            self._came_to_nothing |= response.failure is not Failure.UNEXPECTED
            if action in self._stepped_over:
                return nothing(action)
            raise response
        self._came_to_nothing |= holds_none(response)
        return copy.deepcopy(response)  # details are merged into it

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Mapping[str, Any]]:
        """The first page only."""
        yield await self.call(action, **parameters)

    def _untried(self) -> frozenset[str]:
        return self._wanted - self.found.keys()

    async def _run(self, type_: ResourceType) -> None:
        part = ""
        try:
            parts = type_.fetch.parts(self)
            if parts is not None:
                part = await anext(parts, "")
            if parts is None or part:
                await self._read(type_, part)
        except _Enough:
            pass
        except CallFailed as error:
            self._surfaced.append(error)
        except Exception:  # caused by an empty response, or by one that the declaration can't handle
            log.debug("%s: the declaration ended", type_.name, exc_info=True)
        for key, response in self._responses.items():  # an error that the declaration handles is an expected response
            found = self.found[key[0]]
            if found.access is Access.FAILED and isinstance(response, CallFailed) and self._is_expected(response):
                self.found[key[0]] = Finding(Access.ALLOWED, How.CALL)

    def _is_expected(self, error: CallFailed) -> bool:
        return error.failure is Failure.UNEXPECTED and error not in self._surfaced

    async def _read(self, type_: ResourceType, part: str) -> None:
        items = type_.fetch.items(self, part)
        try:
            async for item in items:
                if item.failure is not None:
                    self._surfaced.append(item.failure)
                if not self._untried():
                    return
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    async def _tried_dry(self, action: str, parameters: Mapping[str, Any]) -> bool:
        """Try a call as a dry run, if its response isn't needed and the API has one; False if it doesn't."""
        if not takes_dry_run(action) or not READS.match(action.split(":")[1]):
            return False
        try:
            await self.plain.call(action, **{**parameters, **smallest_page(action), "DryRun": True})
        except CallFailed as error:
            if error.code == _WOULD_BE_ALLOWED:
                self.found[action] = Finding(Access.ALLOWED, How.DRY_RUN)
            elif error.failure in _ACCESS:
                self.found[action] = Finding(_ACCESS[error.failure], How.DRY_RUN, error.reason)
        except RetryLater:
            return False
        else:
            self.found[action] = Finding(Access.ALLOWED, How.CALL)
        return action in self.found

    async def _tried(self, action: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | CallFailed:
        """The response for one item, or the error."""
        if not READS.match(action.split(":")[1]):
            reason = "not tried, because its name is not that of a read-only call"
            self.found[action] = Finding(Access.NOT_TRIED, reason=reason)
            return CallFailed(Failure.UNEXPECTED, action, reason)
        try:
            response = await self._smallest(action, parameters)
        except CallFailed as error:
            access = _ACCESS.get(error.failure, Access.FAILED)
            self._note(action, Finding(access, How.CALL, "" if access is Access.ALLOWED else error.reason))
            return error
        except RetryLater as wait:
            self._note(action, Finding(Access.FAILED, How.CALL, wait.reason))
            return CallFailed(Failure.THROTTLED, action, wait.reason)
        self._note(action, Finding(Access.ALLOWED, How.CALL))
        return first_of_each(response)  # type: ignore[no-any-return]

    def _note(self, action: str, finding: Finding) -> None:
        if action not in self.found or finding.access is Access.DENIED:
            self.found[action] = finding

    async def _smallest(self, action: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        page = smallest_page(action)
        try:
            return await self.plain.call(action, **{**parameters, **page})
        except CallFailed as error:
            if not page or error.failure is not Failure.UNEXPECTED:
                raise
            return await self.plain.call(action, **parameters)  # the API may reject the page size
