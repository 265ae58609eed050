"""Where the document is for readers, for the service, and as a page; `scripts.docs.reference` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from chalicelib.api.specification import DOCUMENT
from chalicelib.models.sending import json_text
from scripts.openapi.document import document
from scripts.openapi.page import page

_ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = _ROOT / "docs" / "openapi.json"
PAGE = _ROOT / "docs" / "api.md"


def contents(rights: Mapping[str, str]) -> Mapping[Path, str]:
    """The routes of each file, by the rights that they need."""
    made = document(rights)
    return {
        PUBLISHED: json.dumps(made, indent=1, ensure_ascii=False) + "\n",
        DOCUMENT: json_text(made) + "\n",
        PAGE: page(made),
    }
