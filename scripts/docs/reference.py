"""Writes the README's reference tables from what the code declares: `python -m scripts.docs.reference`.

Each table stands between two comments that name it; a test fails when one is not up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterKey, Kind
from chalicelib.settings import declared

README = Path(__file__).resolve().parents[2] / "README.md"

_VALUES = {
    Kind.UUID: "a UUID",
    Kind.ORGANIZATION: "an id or a name",
    Kind.USERNAME: "a username, or `me`",
    Kind.EMAIL: "an e-mail address",
    Kind.TEXT: "a text",
    Kind.AFTER: "an RFC 3339 time, in quotes",
    Kind.BEFORE: "an RFC 3339 time, in quotes",
    Kind.DATE_FROM: "a day, `YYYY-MM-DD`",
    Kind.DATE_TO: "a day, `YYYY-MM-DD`",
}


def tables() -> dict[str, str]:
    """The reference tables by name, as Markdown."""
    return {
        "settings": _settings(),
        "connection filters": _filters(CONNECTION_FILTERS.keys),
        "audit filters": _filters(AUDIT_FILTERS.keys),
    }


def updated(text: str) -> str:
    """A README with every table as it should be."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return text


def _settings() -> str:
    rows = (
        (f"`{data['env']}`", f"`{data['default']}`" if data["default"] else "", data["kind"].accepts, data["about"])
        for data in (field.metadata for field in declared())
    )
    return _markdown(("variable", "default", "takes", "what it does"), rows)


def _filters(keys: Iterable[FilterKey]) -> str:
    rows = ((f"`{key.key}:`", _takes(key), f"`{key.lane}`", key.about) for key in keys)
    return _markdown(("key", "value", "lane", "finds"), rows)


def _takes(key: FilterKey) -> str:
    if key.kind is not Kind.ENUM:
        return _VALUES[key.kind]
    words = [f"`{word}`" for word in key.values]
    return ", ".join(words + [f"`{word}` for `{meant}`" for word, meant in key.aliases.items()])


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main() -> None:
    """Write the README."""
    README.write_text(updated(README.read_text()))
    print("wrote README.md")


if __name__ == "__main__":
    main()
