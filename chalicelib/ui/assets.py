"""The files that the page is made of, read at their first use and addressed by one hash of all of them.

The hash is a part of every file's path, so a browser may keep each file for ever, and all files of one page come from
one version. The modules are served as one; among them is `filters.js`, made of the tables that the parser reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from chalicelib.ui.modules import joined

STATIC = Path(__file__).parent / "static"
VENDOR = Path(__file__).parent / "vendor"
DOCUMENT = "index.html"
MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
"""Suffix of a file that is served -> what it is; other files are not served."""

MODULE = "page.js"
"""The name under which the page's own modules are served, joined."""

_HASH_LENGTH = 16
_VERSION = "{version}"
_SCRIPT = ".js"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page: its text, and its media type."""

    text: str
    media_type: str


def files() -> list[Path]:
    """The files that are served as they are, in the order of their names."""
    served = (path for place in (STATIC, VENDOR) for path in place.iterdir() if path.suffix in MEDIA_TYPES)
    return sorted(served, key=lambda path: path.name)


@cache
def assets() -> Mapping[str, Asset]:
    """Every file that the page loads, by name."""
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in files()
        if path.parent == VENDOR or path.suffix != _SCRIPT
    }
    texts[MODULE] = joined(modules())
    return {name: Asset(text, MEDIA_TYPES[Path(name).suffix]) for name, text in sorted(texts.items())}


def modules() -> Mapping[str, str]:
    """The page's own modules, by name."""
    own = {
        path.name: path.read_text(encoding="utf-8")
        for path in files()
        if path.parent == STATIC and path.suffix == _SCRIPT
    }
    return {**own, "filters.js": _filters_module()}


@cache
def version() -> str:
    """The hash of this version's files."""
    return digest(assets())


def digest(of: Mapping[str, Asset]) -> str:
    """The hash of files and of the document, in hexadecimal."""
    hashed = hashlib.sha256((STATIC / DOCUMENT).read_bytes())
    for name, asset in of.items():
        hashed.update(f"\0{name}\0{asset.text}".encode())
    return hashed.hexdigest()[:_HASH_LENGTH]


@cache
def document() -> str:
    """The HTML document, which names the files of this version."""
    return (STATIC / DOCUMENT).read_text(encoding="utf-8").replace(_VERSION, version())


def _is_own_module(path: Path) -> bool:
    return path.parent == STATIC and path.suffix == _SCRIPT


def _filters_module() -> str:
    tables = {table.log: _filters(table) for table in (CONNECTION_FILTERS, AUDIT_FILTERS)}
    text = json.dumps(tables, separators=(",", ":"), sort_keys=True)
    return f"/* The keys of both query languages, as the service reads them. */\nexport const FILTERS = {text};\n"


def _filters(table: FilterTable) -> list[dict[str, Any]]:
    return [
        {"key": key.key, "kind": key.kind.value, "about": key.about, "values": [*key.values, *key.aliases]}
        for key in table.keys
    ]
