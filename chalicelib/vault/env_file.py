"""Reads a dotenv file: `KEY=VALUE` on each line, with `export ` before it or not.

A value is taken as it stands: no `$` is expanded, and a `#` behind a value is a part of it. Blank lines and lines that
begin with `#` are left out.
"""

from __future__ import annotations

import re
from typing import Final

from chalicelib.vault.entries import Entries, Entry, unreadable

_EXPORT = re.compile(r"export[ \t]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}
"""Letter behind a backslash -> what both stand for between double quotes; any other pair stands for itself."""
_QUOTED: Final = {
    '"': re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"'),
    "'": re.compile(r"'([^']*)'"),
}


def read(text: str) -> tuple[Entry, ...]:
    """The entries of a file.

    Raises:
        BadRequest: a line cannot be read; names it.
    """
    entries = Entries()
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        key, sign, value = (
            _EXPORT.sub("", content, count=1).partition("=") if _EXPORT.match(content) else (content.partition("="))
        )
        if not sign:
            raise unreadable("There is no = between a key and a value.", number)
        entries.add(key.strip(), _value(value.strip(), number), number)
    return entries.all()


def _value(text: str, line: int) -> str:
    quote = text[:1]
    if quote not in _QUOTED:
        return text
    matched = _QUOTED[quote].match(text)
    if matched is None:
        raise unreadable(f"The value has no closing {quote}; a value of several lines needs json or yaml.", line)
    if matched.end() < len(text):
        raise unreadable(f"There is more behind the closing {quote}; a comment needs a line of its own.", line)
    content = matched[1]
    return _ESCAPE.sub(lambda pair: _ESCAPED.get(pair[1], pair[0]), content) if quote == '"' else content
