"""Texts in double quotes as Go's `%q` writes them, and back."""

from __future__ import annotations

import re

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_PLAIN = {escape[1]: character for character, escape in _ESCAPES.items()} | {"'": "'"}
_ESCAPED = (
    r"\\(?:(?P<plain>[abfnrtv\\\"'])|x(?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"
)
_DELETE = 0x7F
_LAST_OF_FOUR_DIGITS = 0xFFFF
_LAST_CHARACTER = 0x10FFFF
_REPLACEMENT = "\ufffd"


def quoted(text: str) -> str:
    """The text in double quotes, with escapes for all that is not printable."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def unquoted(literal: str) -> str:
    r"""The text that a literal stands for; one that is not closed is read as far as it goes.

    Args:
        literal: it begins with a double quote.

    Returns:
        The text. A byte that is no UTF-8 (`\xff`) is read as U+FFFD, as Go's JSON encoder writes it; an escape that Go
        does not have is left as it is.
    """
    inner = literal[1:-1] if len(literal) > 1 and literal.endswith('"') else literal[1:]
    return re.sub(_ESCAPED, _unescaped, inner) if "\\" in inner else inner


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < ord(" ") or code == _DELETE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def _unescaped(match: re.Match[str]) -> str:
    if match["plain"]:
        return _PLAIN[match["plain"]]
    if match["byte"]:
        byte = int(match["byte"], 16)
        return chr(byte) if byte <= _DELETE else _REPLACEMENT
    code = int(match["short"] or match["long"], 16)
    return chr(code) if code <= _LAST_CHARACTER else _REPLACEMENT
