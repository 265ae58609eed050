"""The bill of materials of a package, as CycloneDX 1.6: its packages and vendored files, with versions and hashes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from chalicelib.version import VERSION
from scripts.deployment import wheels

VENDORED = Path(__file__).resolve().parents[2] / "chalicelib" / "ui" / "vendor" / "lock.json"
NAME = "sbom.json"


def document() -> dict[str, Any]:
    """The bill as JSON, the same for the same sources."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "gatebook",
                "name": "gatebook",
                "version": VERSION,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [*_packages(), *_vendored()],
    }


def _packages() -> Iterator[dict[str, Any]]:
    for name, pinned in sorted(wheels.pinned().items()):
        yield {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{pinned.version}",
            "name": name,
            "version": pinned.version,
            "purl": f"pkg:pypi/{name}@{pinned.version}",
            "licenses": [{"license": {"name": _licence(name)}}],
            "hashes": [{"alg": "SHA-256", "content": content} for content in pinned.hashes],
        }


def _vendored() -> Iterator[dict[str, Any]]:
    for name, of in sorted(json.loads(VENDORED.read_text()).items()):
        purl = f"pkg:npm/{of['package'].replace('@', '%40')}@{of['version']}"
        yield {
            "type": "file",
            "bom-ref": f"{purl}#{of['file'].removeprefix('package/')}",
            "name": name,
            "version": of["version"],
            "purl": purl,
            "licenses": [{"license": {"id": of["licence"]}}],
            "hashes": [{"alg": "SHA-256", "content": of["sha256"]}],
        }


def _licence(name: str) -> str:
    """The licence of a package, as it says itself."""
    try:
        known = metadata(name)
    except PackageNotFoundError:
        return "unknown"
    said = [*(known.get_all("License-Expression") or ()), *(known.get_all("License") or ())]
    classified = [
        text.rpartition(" :: ")[2] for text in known.get_all("Classifier") or () if text.startswith("License ::")
    ]
    return next((text.split("\n")[0] for text in [*said, *classified] if text), "unknown")
