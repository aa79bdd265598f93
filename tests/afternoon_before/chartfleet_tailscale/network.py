"""People and their devices."""

from typing import Final

from loaders.model import Node, incoming, key, prop
from tasks.listing import listing
from tasks.resource import Per, ResourceType


class TailscaleUser(Node, label="TailscaleUser"):
    login_name: str = key("loginName", "An e-mail address.")
    id: str = prop("id", index=True)
    display_name: str | None = prop("displayName")
    role: str | None = prop("role", "owner, admin, member, ...")
    status: str | None = prop("status")


class TailscaleDevice(Node, label="TailscaleDevice"):
    id: str = key("nodeId")
    name: str = prop("name", index=True)
    os: str | None = prop("os")
    addresses: list[str] = prop("addresses[]")
    last_seen: str | None = prop("lastSeen")
    expires: str | None = prop("expires", "When it must sign in again.")
    key_expiry_disabled: bool | None = prop("keyExpiryDisabled", "It never must.")
    update_available: bool | None = prop("updateAvailable")
    routes: list[str] | None = prop("routes.advertisedRoutes[]", "Networks that it leads to.")
    relationships = (incoming("OWNS", "TailscaleUser", "user"),)


USERS: Final = ResourceType(
    "tailscale.users",
    Per.TENANT,
    fetch=listing("GET /api/v2/tailnet/-/users", items_at="users"),
    yields=(TailscaleUser,),
)
DEVICES: Final = ResourceType(
    "tailscale.devices",
    Per.TENANT,
    fetch=listing("GET /api/v2/tailnet/-/devices", items_at="devices", gone_if="404").then(
        "GET /api/v2/device/{id}/routes", id="nodeId"
    ),
    yields=(TailscaleDevice,),
)
