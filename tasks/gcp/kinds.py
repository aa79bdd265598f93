"""Kinds of tenants: what a scope belongs to."""

from __future__ import annotations

from typing import Final

ORGANIZATION: Final = "organization"
PROJECT: Final = "project"
