"""Providers are known by their options before their clients are imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOY = Path(__file__).parents[3] / "toy_provider"
CLIENTS = ["boto3", "botocore", "aioboto3", "google", "googleapiclient", "requests", "dns", "redis", "celery", "neo4j"]


def run(code: str, *paths: Path) -> str:
    """What a Python of its own prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def install(directory: Path, files: dict[str, str]) -> Path:
    """A distribution with the provider `stars`, as pip would have it installed."""
    info = directory / "stars-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stars\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[chartfleet.providers]\nstars = stars_provider\n")
    package = directory / "stars_provider"
    package.mkdir()
    for name, text in files.items():
        (package / name).write_text(text)
    return directory


def test_the_options_of_all_providers_are_known_without_any_client() -> None:
    code = f"""
import sys
from tasks.engine import catalog
print({{name: [s.name for s in provider.settings] for name, provider in catalog.declared().items()}})
print([name for name in {CLIENTS} if name in sys.modules])
"""
    options, clients = run(code).splitlines()
    assert clients == "[]"
    for part in ("'aws': ['aws_regions'", "'okta': ['okta_org_id'", "'gcp': ['google_api_endpoint']"):
        assert part in options


def test_declared_and_imported_providers_are_the_same() -> None:
    code = """
from tasks.engine import catalog, registry
for name, provider in registry.providers().items():
    declared = catalog.declared()[name]
    if not isinstance(provider.options, tuple):
        assert [*provider.options.declared()] == [s.name for s in declared.settings], name
print([*catalog.declared()] == [*registry.providers()])
"""
    assert run(code) == "True"


def test_a_plug_in_with_a_tuple_of_options_gets_a_mapping() -> None:
    code = """
from tasks.engine import catalog, registry
declared = catalog.declared()["toy"]
print([setting.name for setting in declared.settings], declared.conflicts({}), declared.built_in)
values = {"toy_tenants": "2", "aws_regions": []}
print(registry.providers()["toy"].read_options(values) is values)
"""
    assert run(code, TOY).splitlines() == [
        "['toy_tenants', 'toy_pages', 'toy_page_seconds', 'toy_fails'] None False",
        "True",
    ]


def test_a_plug_in_with_options_of_its_own_module_is_known_without_its_client(tmp_path: Path) -> None:
    options = """
from tasks.options import ProviderOptions, option

class StarsOptions(ProviderOptions):
    stars_count: int = option("stars to count", default=3, metavar="COUNT")

    def conflicts(self):
        return ("stars_count", "must be odd") if self.stars_count % 2 == 0 else None

OPTIONS = StarsOptions
"""
    install(tmp_path, {"__init__.py": "", "options.py": options, "provider.py": "raise ImportError('no client')"})
    code = """
from workers.settings.settings import Settings, SettingError
from workers.settings.known import known
print(known()["stars_count"].default, Settings.load({"stars_count": "5"}, {}).run_config()["options"]["stars_count"])
try:
    Settings.load({"stars_count": "4"}, {})
except SettingError as error:
    print(error)
"""
    assert run(code, tmp_path).splitlines() == ["3 5", "stars_count: 4: must be odd"]


def test_a_package_without_a_provider_says_so(tmp_path: Path) -> None:
    install(tmp_path, {"__init__.py": ""})
    code = """
from tasks.engine import catalog
try:
    catalog.declared()
except Exception as error:
    print(error)
"""
    assert run(code, tmp_path) == "the package stars_provider has no PROVIDER, nor has its module `provider`"
