"""Writes the OpenAPI document, and the tables of the documents: `python -m scripts.docs.reference`.

Each table stands between two comments that name it; a test fails when one is not up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import assert_never

from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE, Lane, lane_of
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterKey, Kind
from chalicelib.search.platform_filters import TEMPLATE_FILTERS, WORKSPACE_FILTERS
from chalicelib.search.user_filters import USER_FILTERS, UserKey, UserKind, UserTable
from chalicelib.settings import declared
from scripts.deployment import parameters
from scripts.deployment.stages import STAGES
from scripts.docs import access, callers, figures, published
from scripts.markdown import markdown
from scripts.openapi import files

_ROOT = Path(__file__).resolve().parents[2]
README = _ROOT / "README.md"
DOCUMENTS = (*sorted(_ROOT.glob("*.md")), *sorted((_ROOT / "docs").rglob("*.md")))
"""Every page that people read, but for the tables of the bench, which are a page of their own."""


def tables() -> dict[str, str]:
    """The reference tables by name, as Markdown."""
    return {
        "settings": _settings(),
        "connection filters": _filters(CONNECTION_FILTERS.keys, EVERY_CONNECTION_LANE),
        "audit filters": _filters(AUDIT_FILTERS.keys, EVERY_AUDIT_LANE),
        "user filters": _user_filters(USER_FILTERS),
        "template filters": _user_filters(TEMPLATE_FILTERS),
        "workspace filters": _user_filters(WORKSPACE_FILTERS),
        "parameters": _parameters(),
        "access": callers.table(),
        "faults": figures.faults(),
        "answers": figures.answers(),
        "routes": figures.routes(),
        **published.readme(published.latest_run()),
    }


def updated(text: str) -> str:
    """A document with every table that has a place in it as it should be."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, mark, after = text.partition(begin)
        if mark:
            text = f"{before}{begin}{table}\n{end}{after.partition(end)[2]}"
    return text


def _settings() -> str:
    rows = (
        (f"`{data['env']}`", f"`{data['default']}`" if data["default"] else "", data["kind"].accepts, data["about"])
        for data in (field.metadata for field in declared())
    )
    return markdown(("variable", "default", "takes", "what it does"), rows)


def _parameters() -> str:
    of_settings = {parameters.name(field.metadata["env"]) for field in declared()} - {"AccessUrl"}
    known = parameters.parameters(STAGES["prod"])
    rows = (
        (f"`{name}`", f"`{data['Default']}`" if data["Default"] != "" else "", data["Description"])
        for name, data in known.items()
        if name not in of_settings
    )
    return markdown(("parameter", "default", "what it does"), rows)


def _filters(keys: Iterable[FilterKey], lanes: tuple[Lane, ...]) -> str:
    rows = ((f"`{key.key}:`", _takes(key), f"`{_lane(key, lanes)}`", key.about) for key in keys)
    return markdown(("key", "value", "lane", "finds"), rows)


def _lane(key: FilterKey, lanes: tuple[Lane, ...]) -> str:
    """The lane of the field, or of what follows from it."""
    fields = (key.field, *key.implies(key.values[0] if key.values else ""))
    answering = [lane_of(field, lanes) for field in fields]
    return next((lane.name for lane in answering if lane.fields), answering[0].name)


def _user_filters(table: UserTable) -> str:
    rows = ((f"`{key.key}:`", _user_values(key), key.about) for key in table.keys)
    return markdown(("key", "value", "finds"), rows)


def _user_values(key: UserKey) -> str:  # noqa: PLR0911 - one for each kind
    match key.kind:
        case UserKind.PART | UserKind.EXACT:
            return "a text"
        case UserKind.WORDS:
            return ", ".join(f"`{word}`" for word in key.words) + "; several with commas between"
        case UserKind.ROLES:
            return "a role; several with commas between"
        case UserKind.FLAG | UserKind.SYSTEM:
            return "`true` or `false`"
        case UserKind.IDS:
            return "UUIDs with commas between"
        case UserKind.ID:
            return "a UUID"
        case UserKind.NUMBER:
            return "a whole number"
        case UserKind.AFTER | UserKind.BEFORE:
            return "an RFC 3339 time, in quotes"
        case _:
            assert_never(key.kind)


def _takes(key: FilterKey) -> str:  # noqa: C901, PLR0911 - one for each kind
    match key.kind:
        case Kind.ENUM:
            words = [f"`{word}`" for word in key.values]
            return ", ".join(words + [f"`{word}` for `{meant}`" for word, meant in key.aliases.items()])
        case Kind.UUID:
            return "a UUID"
        case Kind.ORGANIZATION:
            return "an id or a name"
        case Kind.USERNAME:
            return "a username, or `me`"
        case Kind.EMAIL:
            return "an e-mail address"
        case Kind.TEXT:
            return "a text"
        case Kind.NUMBER:
            return "a whole number"
        case Kind.APPLICATION:
            return "the name of an application"
        case Kind.NETWORK:
            return "an address or a network"
        case Kind.AFTER | Kind.BEFORE:
            return "an RFC 3339 time in quotes, a day, or `-24h`"
        case Kind.DATE_FROM | Kind.DATE_TO:
            return "a day, `YYYY-MM-DD`"
        case _:
            assert_never(key.kind)


def main() -> None:
    """Write the documents."""
    for path, text in files.contents(access.RIGHTS).items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(_ROOT)}")
    for path in DOCUMENTS:
        text = path.read_text()
        if updated(text) != text:
            path.write_text(updated(text))
            print(f"wrote {path.relative_to(_ROOT)}")
    published.TABLES.write_text(published.tables(published.latest_run()))
    print(f"wrote {published.TABLES.name}")


if __name__ == "__main__":
    main()
