"""The README and the docs say what the code declares, and their commands are those that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.access.secret import PATTERN
from chalicelib.settings import declared
from scripts.docs.reference import DOCUMENTS, README, tables, updated

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_reference_tables_are_up_to_date(path: Path) -> None:
    assert path.read_text() == updated(path.read_text()), "run: python -m scripts.docs.reference"


@pytest.mark.parametrize("name", list(tables()))
def test_every_table_has_its_place(name: str) -> None:
    assert sum(f"<!-- {name} -->\n| " in path.read_text() for path in DOCUMENTS) == 1


@pytest.mark.parametrize("field", declared(), ids=lambda field: field.metadata["env"])
def test_every_setting_is_in_the_readme(field: object) -> None:
    metadata = getattr(field, "metadata")  # noqa: B009 - a field of any type
    assert f"| `{metadata['env']}` |" in README.read_text()


def test_every_file_that_the_documents_name_is_there() -> None:
    text = "".join(path.read_text() for path in DOCUMENTS)
    named = set(re.findall(r"(?:scripts/[a-z]+|docs/[a-z]+\.md|\.checkov\.yaml|CHANGELOG\.md|LICENSE)\b", text))
    assert named >= {"scripts/serve", "scripts/test", "scripts/package", "scripts/bootstrap", "docs/deploy.md"}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_scanners_are_told_the_form_of_a_token() -> None:
    assert f"`{PATTERN}`" in README.read_text()
