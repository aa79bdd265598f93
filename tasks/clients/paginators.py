"""Where the next page of a listing is: in the Link header, by a token in the response, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from loaders.model import at
from tasks.clients.api_client import Response

NextPage = str | Mapping[str, str] | None  # its URL, or the parameters that change; None after the last page


class Paginator(Protocol):
    """Reads off a response where the next page is."""

    def __call__(self, response: Response, /) -> NextPage: ...


class LinkHeader:
    """The next page is in the Link header (Okta, GitHub)."""

    def __call__(self, response: Response) -> NextPage:
        return response.links.get("next")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A token at `path` in the response is sent as `parameter` for the next page."""

    path: str
    parameter: str

    def __call__(self, response: Response) -> NextPage:
        token = at(self.path, response.body)
        if token is not None and not isinstance(token, str):
            raise TypeError(f"{self.path} is {type(token).__name__}, expected text")
        return {self.parameter: token} if token else None


class SinglePage:
    """A response is complete: there is no next page."""

    def __call__(self, response: Response) -> NextPage:
        return None
