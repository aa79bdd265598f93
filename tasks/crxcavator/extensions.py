"""Chrome extensions: each version with its risk, and who has it installed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tasks.provider import (
    NOT_SEEN,
    CallFailed,
    Failure,
    Gap,
    Item,
    Node,
    NotSeen,
    Per,
    ResourceType,
    Source,
    at,
    bounded,
    incoming,
    key,
    named,
    prop,
)

if TYPE_CHECKING:
    from tasks.provider import HttpApi

_INSTALLED: Final = "GET /group/users/extensions"
_REPORT: Final = "GET /report/{extension}/{version}"

Installed = Mapping[str, Any]  # {"extension", "version", "name", "users", "report"}


@dataclass(frozen=True, slots=True)
class Extensions:
    """One response has all installed extensions: `{extension: {version: {"name": ..., "users": [e-mail or null]}}}`.
    The report of each version needs a call of its own.
    """

    calls: tuple[str, ...] = (_INSTALLED, _REPORT)
    made: ClassVar[Mapping[str, str]] = {_INSTALLED: "1", _REPORT: "1 per version of an extension"}

    def parts(self, api: HttpApi) -> None:
        return None

    async def items(self, api: HttpApi, part: str) -> AsyncIterator[Item]:
        response = (await api.call(_INSTALLED)).body
        listed = list(_versions(response))
        if not any(item.failure is None and not item.gaps for item in listed):
            raise CallFailed(
                Failure.INVALID_RESPONSE, _INSTALLED, "the response is not an object of extensions with users"
            )
        for item in listed:
            if item.failure is not None:
                yield item
        readable = (item for item in listed if item.failure is None)
        async for item in bounded((_with_report(api, item) for item in readable), api.at_a_time):
            yield item


def _versions(response: Any) -> Iterator[Item]:
    """Each installed version. An unexpected form must not read as "none": a version without a list of users keeps those
    that it has; an extension without versions fails the scope, because nothing says which nodes belong to it.

    So does an empty object: nothing in it shows that the response is CRXcavator's.
    """
    for extension, versions in response.items() if isinstance(response, Mapping) else ():
        if not isinstance(versions, Mapping):
            yield Item(
                extension, failure=CallFailed(Failure.INVALID_RESPONSE, _INSTALLED, f"{extension} has no versions")
            )
            continue
        for version, about in versions.items():
            details: Mapping[str, Any] = about if isinstance(about, Mapping) else {}
            users, gaps = details.get("users"), tuple[Gap, ...]()
            if not isinstance(users, list):
                users, gaps = NOT_SEEN, (Gap(_INSTALLED, "a version has no list of users"),)
            value = {"extension": extension, "version": version, "name": details.get("name"), "users": users}
            yield Item(value, gaps, key=f"{extension}|{version}")


async def _with_report(api: HttpApi, item: Item) -> Item:
    """The item with its report; None if this version was never scanned. A report that can't be read leaves a gap."""
    installed = item.value
    try:
        response = await api.call(_REPORT, extension=installed["extension"], version=installed["version"])
        return replace(item, value={**installed, "report": _report(response.body)})
    except CallFailed as error:
        if error.failure is Failure.EXPIRED:
            raise
        if error.failure is Failure.NOT_FOUND:
            return replace(item, value={**installed, "report": None})
        return replace(item, value={**installed, "report": NOT_SEEN}, gaps=(*item.gaps, Gap.of(error)))


def _report(body: Any) -> Mapping[str, Any] | None:
    """None for an empty body: never scanned. Raises CallFailed if it is anything but a report."""
    if body in (None, {}, []):
        return None
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), Mapping):
        raise CallFailed(Failure.INVALID_RESPONSE, _REPORT, "the response is not a report: it has no data")
    report: Mapping[str, Any] = body
    return report


def extension_id(installed: Source) -> str:
    return f"{installed.item['extension']}|{installed.item['version']}"


def risk(path: str) -> Callable[[Source], Any]:
    """A score of the report: 0 if its risk has no such part; None if it has no risk, or there is no report."""
    steps = [*path.split("."), "total"] if path else ["total"]

    @named(f"risk of {path or 'all'}", f"`data.risk.{path + '.' if path else ''}total` of the report.")
    def score(installed: Source) -> Any:
        value = at("report.data.risk", installed.item)
        for step in steps:
            if not isinstance(value, Mapping):
                return None
            value = value.get(step, {} if step != "total" else 0)
        return value

    return score


def risk_metadata(installed: Source) -> str | None:
    """JSON text."""
    metadata = at("report.data.risk.metadata", installed.item)
    return None if metadata is None else json.dumps(metadata)


def extension_name(installed: Source) -> str | None:
    """As in the web store, otherwise as reported by browsers."""
    try:
        in_store = at("report.data.webstore.name", installed.item)
    except NotSeen:
        in_store = None
    names = (in_store, installed.item["name"])
    return next((name for name in names if isinstance(name, str) and name), None)


def report_link(installed: Source) -> str:
    return f"https://crxcavator.io/report/{installed.item['extension']}/{installed.item['version']}"


def installed_by(installed: Source) -> list[str]:
    """E-mail addresses in lower case, as in GSuiteUser; a browser without a signed-in user has none."""
    return [
        email.lower() if isinstance(email, str) else email for email in at("users[]", installed.item) or () if email
    ]


class ChromeExtension(Node, label="ChromeExtension"):
    id: str = key(extension_id, "<extension id>|<version>")
    extension_id: str = prop("extension", index=True)
    version: str = prop("version")
    name: str | None = prop(extension_name, index=True)
    risk_total: int | float | None = prop(risk(""), "None: no report of this version.", index=True)
    risk_permissions_score: int | float | None = prop(risk("permissions"))
    risk_webstore_score: int | float | None = prop(risk("webstore"))
    risk_optional_permissions_score: int | float | None = prop(risk("optional_permissions"))
    risk_csp_score: int | float | None = prop(risk("csp"), "Score for its content security policy.")
    risk_extcalls_score: int | float | None = prop(risk("extcalls"), "Score for its calls to other servers.")
    risk_vuln_score: int | float | None = prop(risk("retire"), "Score for libraries with known vulnerabilities.")
    risk_metadata: str | None = prop(risk_metadata, "JSON.")
    address: str | None = prop("report.data.webstore.address")
    email: str | None = prop("report.data.webstore.email")
    icon: str | None = prop("report.data.webstore.icon")
    crxcavator_last_updated: str | None = prop("report.data.webstore.last_updated")
    offered_by: str | None = prop("report.data.webstore.offered_by")
    permissions_warnings: list[str] | None = prop("report.data.webstore.permission_warnings")
    privacy_policy: str | None = prop("report.data.webstore.privacy_policy")
    rating: float | str | None = prop("report.data.webstore.rating")
    rating_users: int | str | None = prop("report.data.webstore.rating_users")
    short_description: str | None = prop("report.data.webstore.short_description")
    size: str | None = prop("report.data.webstore.size")
    support_site: str | None = prop("report.data.webstore.support_site")
    users: int | str | None = prop("report.data.webstore.users")
    website: str | None = prop("report.data.webstore.website")
    type: str | None = prop("report.data.webstore.type")
    price: str | None = prop("report.data.webstore.price")
    report_link: str = prop(report_link)
    extcalls: list[str] | None = prop("report.data.extcalls", "Servers that it calls.")
    relationships = (incoming("INSTALLS", "GSuiteUser", installed_by),)


EXTENSIONS: Final = ResourceType(
    "crxcavator.extensions", Per.TENANT, fetch=Extensions(), yields=(ChromeExtension,), aliases=("extensions",)
)
