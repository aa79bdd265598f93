"""For every unit test: the secrets of one test are no secrets in the next."""

from __future__ import annotations

import pytest

from loaders import masking


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_registry", type(masking._registry)())
