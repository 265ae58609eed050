r"""Joins the lines that Docker divides: its `json-file` log has a line of more than 16 KB in several objects.

    {"log":"<16 KB>","stream":"stderr","time":"..."}
    {"log":"<the end>\n","stream":"stderr","time":"..."}

Only the object that ends a line has its line break. A shorter object without one is whole: some collectors take it off.
"""

from __future__ import annotations

import re

_OPENING = '{"log":"'
_FULL_BYTES = 16_384
_OBJECT = r'\{"log":"(?P<text>.*)","stream":"(?P<stream>\w{1,20})",.*\}'
_ENDS = r"(?:[^\\]|\\.)*\\n"


class DividedLines:
    """The beginnings of lines whose end has not been read yet, by stream."""

    def __init__(self) -> None:
        self._beginnings: dict[str, list[str]] = {}

    def whole(self, text: str) -> str | None:
        """The object of a whole line; None for a part after which the line goes on.

        Args:
            text: a line of the log, whatever it is.
        """
        match = re.fullmatch(_OBJECT, text) if self._may_be_part(text) else None
        if match is None:
            return text
        own, stream = match["text"], match["stream"]
        if not re.fullmatch(_ENDS, own):
            if len(own.encode(errors="replace")) < _FULL_BYTES:
                return text
            self._beginnings.setdefault(stream, []).append(own)
            return None
        beginning = self._beginnings.pop(stream, [])
        return _object([*beginning, own], stream) if beginning else text

    def unended(self) -> list[str]:
        """The objects of lines that are not ended."""
        return [_object(parts, stream) for stream, parts in self._beginnings.items()]

    def _may_be_part(self, text: str) -> bool:
        return text.startswith(_OPENING) and (bool(self._beginnings) or len(text) > _FULL_BYTES // 4)


def _object(parts: list[str], stream: str) -> str:
    return f'{_OPENING}{"".join(parts)}","stream":"{stream}"}}'
