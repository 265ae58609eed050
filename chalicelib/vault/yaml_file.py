"""Reads a file of secrets in YAML: one document with one mapping of texts, each key at the beginning of a line.

That is a part of YAML, and what is read has the meaning that YAML gives it. What is not read is refused: mappings and
lists within, aliases, tags, more than one document, and values of several lines but for block scalars (`|`, `>`). So no
file takes long, and none unfolds into more than it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chalicelib.errors import BadRequest
from chalicelib.vault.entries import Entries, Entry, quoted, unreadable
from chalicelib.vault.yaml_scalars import block, double_quoted, is_text, single_quoted

_BLANK = re.compile(r"[ \t]*(?:#.*)?")
_COMMENT = re.compile(r"(?:[ \t]+#.*|[ \t]*)")
"""The end of a line behind a scalar."""
_COMMENT_BEHIND = re.compile(r"(?:^|(?<=[ \t]))#")
_MARK = re.compile(r"(---|\.\.\.)(?:[ \t]|$)")
_ANCHOR = re.compile(r"&[A-Za-z0-9_-]+[ \t]+")
_PLAIN_KEY = re.compile(r"(?:[^\s#:]|:(?=\S)|(?<=\S)#|[ \t]+(?=[^\s#:]|:\S))+")
_BLOCK = re.compile(r"([|>])(?:([1-9])([+-]?)|([+-])([1-9]?))?")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Letters that YAML does not allow, and those that only older readers take for the end of a line."""
_NO_PLAIN_START: Final = "-?:,[]{}#&*!|>'\"%@`"
_STARTS_BEFORE_TEXT: Final = "-?:"
"""Letters with which a plain scalar begins only where no blank is behind them."""
_LONGEST_KEY: Final = 1_024
_REASONS: Final = {
    "*": "aliases are not read",
    "!": "tags are not read: put the value in quotes",
    "[": "lists are not read",
    "{": "mappings within are not read",
    "-": "lists are not read",
}


class _Lines:
    """The lines of a file, and how many of them are read."""

    def __init__(self, text: str) -> None:
        normal = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.texts: Sequence[str] = normal.split("\n")
        self.ends_with_break = normal.endswith("\n")
        self.number = 0

    def next(self) -> str | None:
        """The next line; None where there is none."""
        if self.number == len(self.texts):
            return None
        self.number += 1
        return self.texts[self.number - 1]

    def refuse(self, detail: str) -> BadRequest:
        return unreadable(detail, self.number)


def read(text: str) -> tuple[Entry, ...]:
    """The entries of a file.

    Raises:
        BadRequest: a line cannot be read; names it.
    """
    if strange := _FORBIDDEN.search(text.removeprefix("\ufeff")):
        raise unreadable("The file has a letter that YAML does not allow.", text.count("\n", 0, strange.start()) + 1)
    lines, entries = _Lines(text), Entries()
    begun = ended = False
    while (line := lines.next()) is not None:
        if _BLANK.fullmatch(line):
            continue
        mark = _MARK.match(line)
        if ended or (mark and mark[1] == "---" and (begun or not _COMMENT.fullmatch(line[3:]))):
            raise lines.refuse("There must be one document, and its --- on a line of its own.")
        begun = True
        if mark:
            ended = mark[1] == "..."
            if not _COMMENT.fullmatch(line[3:]):
                raise lines.refuse("There is more behind the end of the document.")
            continue
        number = lines.number
        key, value = _entry(line, lines)
        entries.add(key, value, number)
    return entries.all()


def _entry(line: str, lines: _Lines) -> tuple[str, str]:
    key, end = _key(line, lines)
    content = line[end + 1 :].strip(" \t")
    if anchor := _ANCHOR.match(content):
        content = content[anchor.end() :]
    if (header := _BLOCK.match(content)) and _COMMENT.fullmatch(content[header.end() :]):
        style, indent, chomping = header[1], header[2] or header[5] or "", header[3] or header[4] or ""
        return key, _block(lines, style, int(indent or 0), chomping)
    value = _value(content, quoted(key), lines)
    _check_ended(quoted(key), lines)
    return key, value


def _key(line: str, lines: _Lines) -> tuple[str, int]:
    """The key at the beginning of a line, and where its colon is."""
    if line[0] in "\"'":
        key, end = _quoted(line, lines)
    else:
        matched = None if _is_no_plain_start(line) or line[0] in " \t" else _PLAIN_KEY.match(line, 0, _LONGEST_KEY + 1)
        if matched is None:
            raise lines.refuse("A key must begin the line, with its value behind it; lists and the like are not read.")
        key, end = matched[0].rstrip(" \t"), matched.end()
        if not is_text(key):
            raise lines.refuse(f"The key {quoted(key)} is no text in YAML: put it in quotes.")
    end += len(line[end:]) - len(line[end:].lstrip(" \t"))
    if not re.match(r":(?:[ \t]|$)", line[end:]) or end > _LONGEST_KEY:
        raise lines.refuse("There is no colon between a key and a value.")
    return key, end


def _quoted(text: str, lines: _Lines) -> tuple[str, int]:
    """The scalar in quotes at the beginning of a text, and where it ends."""
    made = double_quoted(text) if text[0] == '"' else single_quoted(text)
    if made is None:
        raise lines.refuse(
            "What is in quotes must end on its line, with escapes that YAML has; use | for several lines."
        )
    return made


def _value(content: str, name: str, lines: _Lines) -> str:
    if content[:1] in ("'", '"') and content:
        value, end = _quoted(content, lines)
        if not _COMMENT.fullmatch(content[end:]):
            raise lines.refuse(f"There is more behind the quotes of {name}.")
        return value
    if content and _is_no_plain_start(content) and content[0] != "#":
        reason = _REASONS.get(content[0], "it must be put in quotes")
        raise lines.refuse(f"The value of {name} is no text: {reason}.")
    value = _COMMENT_BEHIND.split(content, maxsplit=1)[0].rstrip(" \t")
    if re.search(r":(?:[ \t]|$)", value):
        raise lines.refuse(f"The value of {name} has a colon: put it in quotes.")
    if not is_text(value):
        raise lines.refuse(f"The value of {name} is no text in YAML: put it in quotes.")
    return value


def _is_no_plain_start(text: str) -> bool:
    if text[0] in _STARTS_BEFORE_TEXT:
        return not text[1:2].strip(" \t")
    return text[0] in _NO_PLAIN_START


def _check_ended(name: str, lines: _Lines) -> None:
    """Make sure that a value of one line does not go on in the next one that is not blank."""
    for number in range(lines.number, len(lines.texts)):
        line = lines.texts[number]
        if not line.strip(" \t"):
            continue
        if line[0] in " \t" and not _BLANK.fullmatch(line):
            raise unreadable(f"The value of {name} goes on here: use | for several lines.", number + 1)
        return


def _block(lines: _Lines, style: str, indent: int, chomping: str) -> str:
    """The block scalar in the lines that come next."""
    content: list[str] = []
    leading = 0
    while (line := lines.next()) is not None:
        blank = not line.strip(" ")
        own = len(line) - len(line.lstrip(" "))
        if not blank and not indent:
            if leading > own:
                raise lines.refuse("A blank line before the text has more blanks than it.")
            indent = own
        if not blank and (own < indent or indent == 0):
            lines.number -= 1
            break
        if blank and not indent:
            leading = max(leading, own)
        content.append(line)
    texts = [line[indent or leading :] for line in content]
    at_end = lines.number == len(lines.texts)
    broken = not at_end or lines.ends_with_break
    if at_end and texts and not texts[-1]:
        # Behind the last line break there is no further line.
        texts.pop()
        broken = True
    return block(texts, style, chomping, broken=broken)
