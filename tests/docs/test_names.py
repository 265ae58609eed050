"""Names in the code say what a thing is, in the words of the glossary: one name for one thing."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "architecture.md"
SAYS_NOTHING = ("told", "some", "found", "rest", "shown", "each")
# A word of HTTP, for 404.
TERMS_OF_THE_FIELD = (("not", "found"),)

# A summary names its thing, by a noun or a verb, and is understood without the summary of another.
OPENS_WITH_NO_NOUN = re.compile(
    r"(What|How|Same|The same|As above|As said)\b(?! (many|long|often|much|large|far|deep)\b)"
)

Words = tuple[str, ...]


class Term(NamedTuple):
    word: str
    never: list[str]


def terms() -> list[Term]:
    table = GLOSSARY.read_text().partition("| word | meaning | never called |\n| --- | --- | --- |\n")[2]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return [Term(word, [other.strip() for other in never.split(",") if other]) for word, _, never in cells]


def words(name: str) -> Words:
    """`SnakeCase`, `snake_case` and `SNAKE_CASE` as words; the letters of an abbreviation are one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\s-]", " ", name)
    return tuple(spaced.lower().split())


def contains(name: Words, phrase: Words) -> bool:
    return any(name[start : start + len(phrase)] == phrase for start in range(len(name)))


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives, and its line; a test's own name is a sentence."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if not name.startswith("test_"):
                    yield name, node.lineno
            case ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name, getattr(node, "lineno", 0)


@cache
def sources() -> dict[Path, ast.Module]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607
    return {ROOT / line: ast.parse((ROOT / line).read_text()) for line in listed.splitlines() if (ROOT / line).exists()}


@cache
def given() -> list[tuple[Words, str]]:
    """The words of every name, and where it is given."""
    return [
        (words(name), f"{path.relative_to(ROOT)}:{line}: {name}")
        for path, tree in sources().items()
        for name, line in names(tree)
    ]


@pytest.mark.parametrize("word", SAYS_NOTHING)
def test_no_name_has_a_word_that_says_nothing(word: str) -> None:
    wrong = [
        place
        for name, place in given()
        if word in name and not any(contains(name, term) for term in TERMS_OF_THE_FIELD)
    ]
    assert wrong == []


@pytest.mark.parametrize(("term", "never"), [pair for term in terms() for pair in product([term.word], term.never)])
def test_a_thing_of_the_glossary_has_one_name(term: str, never: str) -> None:
    phrase = words(never)
    assert [f"{place} (a {term})" for name, place in given() if contains(name, phrase)] == []


@pytest.mark.parametrize("term", [term.word for term in terms()])
def test_the_code_uses_every_word_of_the_glossary(term: str) -> None:
    singular = words(term)
    plural = (*singular[:-1], f"{singular[-1]}s")
    bare = (singular[0],)
    assert any(contains(name, phrase) for name, _ in given() for phrase in (singular, plural, bare))


def summaries(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The first lines of docstrings, those below constants and fields included."""
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield statement.lineno, text.strip().partition("\n")[0]


def test_every_summary_names_its_thing() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {summary}"
        for path, tree in sources().items()
        for line, summary in summaries(tree)
        if OPENS_WITH_NO_NOUN.match(summary)
    ]
    assert wrong == []


def test_the_check_sees_every_kind_of_summary() -> None:
    code = '"""What a."""\nA = 1\n"""The same."""\nclass B:\n    """As above."""\n    def c():\n        """How d."""\n'
    lines = [line for line, summary in summaries(ast.parse(code)) if OPENS_WITH_NO_NOUN.match(summary)]
    assert sorted(lines) == [1, 3, 5, 7]
    assert not OPENS_WITH_NO_NOUN.match("How many rows there are.")


def test_the_check_sees_every_kind_of_name() -> None:
    code = (
        "import a as found_alias\n"
        "class SomeClass: ...\n"
        "def told(shown, *rest):\n"
        "    with a as found: ...\n"
        "    each = [some for some in a]\n"
        "    try: ...\n"
        "    except A as told_error: ...\n"
        "    match a:\n"
        "        case found_it: ...\n"
    )
    seen = {word for name, _ in names(ast.parse(code)) for word in words(name)}
    assert set(SAYS_NOTHING) <= seen
    assert {name for name, _ in names(ast.parse(code))} >= {"found_alias", "told_error", "found_it", "SomeClass"}
    assert words("HTTPRequestID") == ("http", "request", "id")
