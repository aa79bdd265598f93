"""What an author of a provider declares, and what its functions get."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.options import ProviderOptions, option
from tasks.resource import Option
from tasks.setting import ValueType


def check_network(value: str) -> str | None:
    return None if "." in value else "must be a domain"


class TailscaleOptions(ProviderOptions):
    tailscale_network: str | None = option("the network", default=None, check=check_network, metavar="DOMAIN")
    tailscale_tags: tuple[str, ...] = option("only devices with one of these tags", default=())
    tailscale_pages: int = option("pages at a time", default=4, aliases=("tailscale_most_pages",))
    tailscale_wait_seconds: float = option("between two pages", default=0.5, metavar="SECONDS")
    tailscale_is_dry: bool = option("read nothing", default=False)
    tailscale_file: Path | None = option("where it says more", default=None)
    tailscale_api_key_env_var: str | None = option("NAME of the key's variable", default=None, names_variable=True)


def test_a_field_is_a_setting_of_the_fields_type() -> None:
    declared = TailscaleOptions.declared()
    assert {name.removeprefix("tailscale_"): setting.type for name, setting in declared.items()} == {
        "network": ValueType.TEXT,
        "tags": ValueType.LIST,
        "pages": ValueType.INTEGER,
        "wait_seconds": ValueType.NUMBER,
        "is_dry": ValueType.SWITCH,
        "file": ValueType.PATH,
        "api_key_env_var": ValueType.TEXT,
    }
    pages = declared["tailscale_pages"]
    assert (pages.default, pages.meaning, pages.flags) == (
        4,
        "pages at a time",
        ("--tailscale-pages", "--tailscale-most-pages"),
    )
    assert pages.variables == ("CHARTFLEET_TAILSCALE_PAGES", "CHARTFLEET_TAILSCALE_MOST_PAGES")
    assert [declared[f"tailscale_{name}"].metavar for name in ("network", "wait_seconds", "api_key_env_var")] == [
        "DOMAIN",
        "SECONDS",
        "NAME",
    ]


def test_a_value_is_checked_by_its_field() -> None:
    declared = TailscaleOptions.declared()
    assert declared["tailscale_network"].problem("example") == "must be a domain"
    assert declared["tailscale_network"].problem("example.com") is None
    assert declared["tailscale_api_key_env_var"].problem("tskey-123") == "must be the NAME of a variable, not its value"


def test_options_are_read_as_a_run_keeps_them() -> None:
    kept = {"tailscale_network": "example.com", "tailscale_tags": ["a", "b"], "tailscale_file": "/etc/more", "other": 1}
    options = TailscaleOptions.from_json(kept)
    assert options == TailscaleOptions(
        tailscale_network="example.com", tailscale_tags=("a", "b"), tailscale_file=Path("/etc/more")
    )
    assert TailscaleOptions.from_json({"tailscale_network": None}) == TailscaleOptions()


@pytest.mark.parametrize(
    ("kept", "problem"),
    [
        ({"tailscale_network": 7}, "tailscale_network: 7 is not text"),
        ({"tailscale_tags": "a"}, "tailscale_tags: 'a' is not a comma-separated list"),
        ({"tailscale_pages": True}, "tailscale_pages: True is not a whole number"),
        ({"tailscale_pages": 1.5}, "tailscale_pages: 1.5 is not a whole number"),
        ({"tailscale_is_dry": "no"}, "tailscale_is_dry: 'no' is not true or false"),
    ],
)
def test_a_value_of_another_type_is_refused(kept: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        TailscaleOptions.from_json(kept)


def test_an_option_cannot_be_of_any_type() -> None:
    with pytest.raises(TypeError, match="odd: an option can't be of type dict"):

        class Odd(ProviderOptions):
            odd: dict[str, str] = option("a map", default={})  # type: ignore[type-var]


def test_options_inherit_and_cannot_be_changed() -> None:
    class More(TailscaleOptions):
        tailscale_more: str = option("more", default="some")

    assert [*More.declared()] == [*TailscaleOptions.declared(), "tailscale_more"]
    assert "tailscale_more" not in TailscaleOptions.declared()
    with pytest.raises(AttributeError):
        More().tailscale_more = "other"  # type: ignore[misc]


def test_an_option_of_a_plug_in_that_takes_a_mapping_is_a_setting_too() -> None:
    network = Option(name="toy_network", meaning="the network", aliases=("toy_net",)).setting
    assert (network.type, network.default, network.names) == (ValueType.TEXT, None, ("toy_network", "toy_net"))
    assert Option(name="toy_url", meaning="where", default="http://toy").setting.default == "http://toy"
    assert (Option(name="toy_tags", meaning="tags", many=True).setting.default) == ()
    assert Option(name="toy_dry", meaning="dry", switch=True).setting.is_switch
    key = Option(name="toy_key_env_var", meaning="NAME", names_variable=True).setting
    assert (key.metavar, key.problem("not a name")) == ("NAME", "must be the NAME of a variable, not its value")
