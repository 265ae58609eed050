r"""Joins the lines that a container's runtime divides: one of more than 16 KB comes in several objects.

    {"log": "<16 KB>", "stream": "stderr", ...}                  Docker: the last one alone has the line break
    {"log": "<the end>\n", "stream": "stderr", ...}
    {"log": "<a part>", "logtag": "P", ...}                      CRI, as Fluent Bit parses it; `_p` in its own input
    {"log": "<a part>", "partial_message": "true", ...}          Docker's driver for Fluentd; `partial_last` ends it
    {"message": "<moment> stderr P <a part>", ...}               CRI, as it is read from the file; or the text alone

Of objects without a mark, a shorter one without a line break is whole: some collectors take it off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

from chalicelib.logs.line_prefixes import Part, bare

_TEXTS = ("log", "message")
_TAGS = ("logtag", "_p")
_FULL_BYTES = 16_384
_LONGEST_PREFIX = 1_024
"""Characters of a text in which what a runtime puts before a line is looked for."""
_STREAM = ("stream", "container_id", "partial_id", "file", "tag")
_POD = ("pod_id", "pod_name", "container_name")
_YES = ("true", True)


class _Part(Enum):
    WHOLE = auto()
    GOES_ON = auto()
    ENDS = auto()


class DividedLines:
    """The beginnings of lines whose end has not been read yet, by container and stream."""

    def __init__(self) -> None:
        self._beginnings: dict[tuple[object, ...], tuple[int, Mapping[str, Any], list[str]]] = {}

    def whole(self, index: int, given: Any) -> Any:  # noqa: ANN401 - any JSON value
        """The object or the text of a whole line; None for a part after which the line goes on.

        Args:
            index: the place of the value.
            given: a value, whatever it is.
        """
        if isinstance(given, str):
            value = {"log": given} if _names_its_part(given) else {}
        else:
            value = given if isinstance(given, dict) else {}
        joined = self._joined(index, value)
        return given if joined is value else joined

    def _joined(self, index: int, value: dict[str, Any]) -> dict[str, Any] | None:
        key = next((name for name in _TEXTS if name in value), None)
        text = value.get(key) if key else None
        if key is None or not isinstance(text, str):
            return value
        stream = _stream(value)
        if _names_its_part(text):
            line = bare(text.rstrip("\r\n"))
            part = _Part.GOES_ON if line.part is Part.BEGINNING else _Part.ENDS
            text, stream = line.text, (*stream, line.stream)
        else:
            part = _part(value, key, text)
        if part is _Part.WHOLE:
            return value
        if part is _Part.GOES_ON:
            self._beginnings.setdefault(stream, (index, value, []))[2].append(text)
            return None
        _, _, texts = self._beginnings.pop(stream, (index, value, []))
        return {**value, key: "".join([*texts, text])} if texts else value

    def unended(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The objects of lines that are not ended, each with the place of its first part."""
        for index, value, texts in self._beginnings.values():
            key = next(name for name in _TEXTS if name in value)
            yield index, {**value, key: "".join(texts)}


def _names_its_part(text: str) -> bool:
    is_line = not text.startswith("{") and "\n" not in text.rstrip("\r\n")
    return is_line and bool(bare(text[:_LONGEST_PREFIX]).stream)


def _part(value: Mapping[str, Any], key: str, text: str) -> _Part:
    tag = next((value[name] for name in _TAGS if name in value), None)
    if tag is not None:
        return _Part.GOES_ON if isinstance(tag, str) and tag.startswith("P") else _Part.ENDS
    if value.get("partial_message") in _YES:
        return _Part.ENDS if value.get("partial_last") in _YES else _Part.GOES_ON
    if key != "log" or "stream" not in value:
        return _Part.WHOLE
    if text.endswith("\n"):
        return _Part.ENDS
    # The bytes are counted where the characters may be enough.
    is_full = len(text) >= _FULL_BYTES // 4 and len(text.encode(errors="replace")) >= _FULL_BYTES
    return _Part.GOES_ON if is_full else _Part.WHOLE


def _stream(value: Mapping[str, Any]) -> tuple[object, ...]:
    pod = value.get("kubernetes")
    about = pod if isinstance(pod, Mapping) else {}
    return (*(str(value.get(name, "")) for name in _STREAM), *(str(about.get(name, "")) for name in _POD))
