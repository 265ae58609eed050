"""The documents say what the code declares, their links lead somewhere, and the README is short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.access.secret import PATTERN
from chalicelib.settings import declared
from scripts.docs.reference import DOCUMENTS, README, tables, updated

ROOT = README.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text())


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_the_reference_tables_are_up_to_date(path: Path) -> None:
    assert path.read_text() == updated(path.read_text()), "run: python -m scripts.docs.reference"


@pytest.mark.parametrize("table", list(tables()))
def test_every_table_has_its_place(table: str) -> None:
    assert sum(f"<!-- {table} -->\n| " in path.read_text() for path in DOCUMENTS) == 1


@pytest.mark.parametrize("field", declared(), ids=lambda field: field.metadata["env"])
def test_every_setting_is_documented(field: object) -> None:
    metadata = getattr(field, "metadata")  # noqa: B009 - a field of any type
    assert f"| `{metadata['env']}` |" in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(path: Path) -> None:
    links = [link for link in LINK.findall(prose(path)) if not link.startswith(("https://", "mailto:"))]
    broken = []
    for link in links:
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    pattern = r"`((?:scripts|chalicelib|tests|docs|bench|\.ci|\.chalice)/[\w./-]*[\w/])`"
    named = re.findall(pattern, path.read_text())
    assert [one for one in named if not (ROOT / one).exists()] == []


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != README], ids=name)
def test_every_document_is_reached_from_the_readme(path: Path) -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        targets = (page.parent / link.partition("#")[0] for link in LINK.findall(prose(page)) if "://" not in link)
        waiting += [target.resolve() for target in targets if target.exists() and target.is_file()]
    assert path in reached


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_scanners_get_the_form_of_a_token() -> None:
    assert f"`{PATTERN}`" in (ROOT / "docs" / "tokens.md").read_text()


def test_the_glossary_explains_each_word_once() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text().partition("## Glossary")[2]
    words = re.findall(r"^\| ([a-z -]+) \|", text, re.MULTILINE)[1:]
    assert words == sorted(set(words))
    assert len(words) >= 25
