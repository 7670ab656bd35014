"""Names that suites have imported from here since aioresponses 0.7."""

from __future__ import annotations

from re import Pattern
from typing import Any

from yarl import URL

from ._compatibility import aiohttp_version, stream_reader_factory
from ._urls import merge_params, normalize_url

__all__ = ["Pattern", "URL", "merge_params", "normalize_url", "stream_reader_factory"]


def __getattr__(name: str) -> Any:
    if name == "AIOHTTP_VERSION":
        return aiohttp_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
