"""The scalars of YAML: those in quotes, those in blocks, and which of the plain ones are texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_NOT_TEXT = re.compile(
    r"""|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|=|<<
    |[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9A-Fa-f_]+)
    |[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?""",
    re.VERBOSE,
)
"""Plain scalars that some version of YAML takes for nothing, a truth, a number, a time or a merge."""
_ESCAPES: Final = {
    **{letter: letter for letter in '"\\/ '},
    **dict(zip("0abtnvfre\t", "\0\a\b\t\n\v\f\r\x1b\t", strict=True)),
    **dict(zip("N_LP", "\x85\xa0\u2028\u2029", strict=True)),
}
_HEX: Final = {"x": 2, "u": 4, "U": 8}
_DOUBLE = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
_SINGLE = re.compile(r"'([^']*(?:''[^']*)*)'(?!')")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LAST_LETTER: Final = 0x10FFFF


def is_text(plain: str) -> bool:
    """Whether a plain scalar is a text, in each version of YAML that clients may have in mind."""
    return not _NOT_TEXT.fullmatch(plain)


def double_quoted(text: str) -> tuple[str, int] | None:
    """The scalar in double quotes at the beginning of a text, and where it ends; None where there is none."""
    matched = _DOUBLE.match(text)
    if matched is None:
        return None
    try:
        return _ESCAPE.sub(_unescaped, matched[1]), matched.end()
    except KeyError:
        return None


def single_quoted(text: str) -> tuple[str, int] | None:
    """The scalar in single quotes at the beginning of a text, and where it ends; None where there is none."""
    matched = _SINGLE.match(text)
    return None if matched is None else (matched[1].replace("''", "'"), matched.end())


def _unescaped(pair: re.Match[str]) -> str:
    """The letter that an escape stands for.

    Raises:
        KeyError: YAML has no such escape.
    """
    digits = pair[1] or pair[2] or pair[3]
    if digits is None:
        return _ESCAPES[pair[4]]
    code = int(digits, 16)
    if code > _LAST_LETTER:
        raise KeyError(digits)
    return chr(code)


def block(lines: Sequence[str], style: str, chomping: str, *, broken: bool) -> str:
    """The text of a block scalar.

    Args:
        lines: without their indentation.
        style: `|` keeps the lines, `>` joins them.
        chomping: `-` leaves the line breaks at the end out, `+` keeps all, "" keeps one.
        broken: whether a line break ends the last of them.
    """
    held = list(lines)
    trailing = 0
    while held and not held[-1]:
        held.pop()
        trailing += 1
    text = "\n".join(held) if style == "|" else _folded(held)
    end = bool(held) and (bool(trailing) or broken)
    if chomping == "-" or not (end or trailing):
        return text
    return text + ("\n" if end else "") + ("\n" * trailing if chomping == "+" else "")


def _folded(lines: Sequence[str]) -> str:
    """Lines as one, but where one of them begins with a blank; an empty line is a line break."""
    text = ""
    previous: str | None = None
    empty = 0
    for line in lines:
        if not line:
            empty += 1
            continue
        if previous is None:
            text += "\n" * empty
        elif previous[0] in " \t" or line[0] in " \t":
            text += "\n" * (empty + 1)
        else:
            text += "\n" * empty or " "
        text, previous, empty = text + line, line, 0
    return text
