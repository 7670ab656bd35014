"""Names that suites have imported from here since aioresponses 0.7."""

from __future__ import annotations

import importlib
from re import Pattern
from typing import Any

import aiohttp
from yarl import URL

from ._compatibility import stream_reader_factory
from ._urls import merge_params, normalize_url

__all__ = ["Pattern", "URL", "merge_params", "normalize_url", "stream_reader_factory"]


def __getattr__(name: str) -> Any:
    # A `packaging.version.Version`, for suites that have that package; nothing here needs it.
    if name == "AIOHTTP_VERSION":
        return importlib.import_module("packaging.version").Version(aiohttp.__version__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
