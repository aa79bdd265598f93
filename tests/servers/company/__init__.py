"""One company as its providers know it: Okta, GSuite, GCP, GitHub and CRXcavator, over HTTP, with their limits.

    with Company(people=100) as company:
        os.environ |= company.variables(directory)
        chartfleet sync *company.flags

All answer at one address, as their paths differ. What they are asked, how often, and how much at a time, is measured
for each of them; a provider can be made to refuse, as any server of `tests.servers.json_api` can.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers import google_identity, google_methods
from tests.servers.company import crxcavator, gcp, github, gsuite, okta
from tests.servers.company.organization import EXAMPLE, Organization
from tests.servers.company.people import People
from tests.servers.json_api import Asked, JsonApi, Reply, Route
from tests.servers.windows import Window

PROVIDERS: Final = ("okta", "gsuite", "gcp", "github", "crxcavator")
# What its service accounts are given: what docs/providers.md names, and nothing else.
GOOGLE_SCOPES: Final = (
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/cloud-platform",
)
SENT_SECONDS: Final = 0.5  # what was sent before a refusal was read, came in this time


@dataclass(frozen=True)
class Size:
    """How much there is of what a provider has."""

    people: int = 12
    groups: int = 3
    projects: int = 2
    repositories: int = 3
    page: int = 5  # the most items of a page, so that lists have several


class Company(JsonApi):
    """`windows`: of each provider, how many calls it takes in which time. `refused`: those that came besides.

    denied_projects  of GCP, by id: whatever is asked of them is refused
    """

    def __init__(
        self,
        size: Size | None = None,
        *,
        windows: Mapping[str, Window] | None = None,
        organization: Organization = EXAMPLE,
    ) -> None:
        self.organization = organization
        self.denied_projects: set[str] = set()
        self.refused: Counter[str] = Counter()
        self._windows = dict(windows or {})
        super().__init__(self._routes(size or Size()), self._guarded, bucket=provider_of)

    def resize(self, size: Size) -> None:
        """It grows or shrinks to this."""
        self.routes = self._routes(size)

    def _routes(self, size: Size) -> dict[str, Route]:
        people = People(self.organization, size.people)
        routes: dict[str, Route] = {google_identity.TOKEN_ROUTE: google_identity.delegated(*GOOGLE_SCOPES)}
        for provider, found in (
            ("okta", okta.routes(people, size.groups, size.page)),
            ("gsuite", google_methods.with_kinds(gsuite.routes(people, size.groups, size.page))),
            ("gcp", google_methods.with_kinds(gcp.routes(self.organization, size.projects, size.page))),
            ("github", github.routes(people, size.repositories, size.page)),
            ("crxcavator", crxcavator.routes(people)),
        ):
            routes |= {action: self._limited(provider, route) for action, route in found.items()}
        return routes

    @property
    def flags(self) -> list[str]:
        return flags(self.url, self.organization)

    def variables(self, directory: Path) -> dict[str, str]:
        return variables(self.url, directory, self.organization)

    def _guarded(self, asked: Asked) -> Reply | None:
        guards: dict[str, Callable[[Asked], Reply | None]] = {
            "okta": okta.guard,
            "gsuite": google_identity.guard,
            "gcp": lambda asked: google_identity.guard(asked) or gcp.denied(asked, self.denied_projects),
            "github": github.guard,
            "crxcavator": crxcavator.guard,
        }
        guard = guards.get(provider_of(asked))
        return guard(asked) if guard else None

    def _limited(self, provider: str, route: Route) -> Route:
        """The route, for as many calls as the provider takes; and what its responses say of that."""
        refused = {"okta": okta.refused, "github": github.refused, "crxcavator": crxcavator.refused}

        def limited(asked: Asked) -> Reply:
            window = self._windows.get(provider)
            if window is None:
                return route(asked)
            taken = window.take()
            if not taken.let_in:
                self.refused[provider] += 1
                told = refused.get(provider, gsuite.refused)(window, taken)
                if wait := float(told.headers.get("X-Seconds", 0)):
                    self.close_for(provider, wait, after=SENT_SECONDS)
                return told
            reply = route(asked)
            if provider == "okta":
                return Reply(reply.body, reply.status, {**okta.limits(window, taken), **reply.headers})
            if provider == "github":
                return github.with_points(reply, window, taken)
            return reply

        return limited


def flags(url: str, organization: Organization = EXAMPLE) -> list[str]:
    """What turns on each provider that is served there, beside the variables."""
    return [
        *("--okta-org-id", organization.name, "--okta-base-url", url, "--okta-api-key-env-var", "OKTA_TOKEN"),
        *("--google-api-endpoint", url, "--github-config-env-var", "GITHUB_CONFIG"),
        *("--crxcavator-api-base-uri", url, "--crxcavator-api-key-env-var", "CRXCAVATOR_KEY"),
    ]


def variables(url: str, directory: Path, organization: Organization = EXAMPLE) -> dict[str, str]:
    """Secrets, and the key files of Google's service accounts, which are written into the directory."""
    on_github = {"token": github.TOKEN, "url": f"{url}/graphql", "name": organization.name}
    configuration = base64.b64encode(json.dumps({"organization": [on_github]}).encode()).decode()
    return {
        "OKTA_TOKEN": okta.TOKEN,
        "GITHUB_CONFIG": configuration,
        "CRXCAVATOR_KEY": crxcavator.KEY,
        "GOOGLE_APPLICATION_CREDENTIALS": str(google_identity.key_file(directory / "gcp.json", url)),
        "GSUITE_GOOGLE_APPLICATION_CREDENTIALS": str(google_identity.key_file(directory / "gsuite.json", url)),
        "GSUITE_DELEGATED_ADMIN": f"ada@{organization.domain}",
    }


def provider_of(asked: Asked) -> str:
    path = asked.path
    if path.startswith("/api/v1/"):
        return "okta"
    if path.startswith("/admin/directory/"):
        return "gsuite"
    if path == "/graphql":
        return "github"
    if path.startswith(("/group/", "/report/")):
        return "crxcavator"
    return "" if path == google_identity.TOKEN_PATH else "gcp"
