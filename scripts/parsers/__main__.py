"""Feeds every parser with bytes that atheris chooses by coverage: each reads them or refuses them.

    python -m scripts.parsers -runs=20000 -seed=1

The arguments are those of libFuzzer; with a seed and a number of runs it is the same each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from chalicelib.access import allow_list, networks
from chalicelib.errors import GatebookError
from chalicelib.models import bodies, hec, otlp
from chalicelib.search import cursor, lexer
from chalicelib.search.filter import Filter

MESSAGES: Final = ("connection_log", "audit_log")
PARSERS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "words of a query": lambda data: lexer.terms(_text(data), "search"),
    "cursor": lambda data: cursor.decode(_text(data), "connection", Filter()),
    "network": lambda data: networks.normal(_text(data)),
    "entry of an allow list": lambda data: allow_list.parse(_text(data)),
    "events and service lines": lambda data: bodies.read_events(data, MESSAGES),
    "events by HEC": lambda data: hec.read_events(data, MESSAGES),
    "raw lines by HEC": lambda data: hec.read_lines(data, MESSAGES),
    "events by OTLP": lambda data: otlp.read_events(data, MESSAGES),
}
"""Name -> a function that parses bytes as a client sends them."""
_WITH_VALUE_ERRORS: Final = frozenset({"words of a query", "cursor", "network", "entry of an allow list"})
"""The parsers whose refusal is a ValueError, which their callers answer; others refuse by the errors of the service."""


def check(data: bytes) -> None:
    """Have one parser, which the first byte chooses, read the bytes behind it."""
    if not data:
        return
    name, parse = [*PARSERS.items()][data[0] % len(PARSERS)]
    with suppress(ValueError if name in _WITH_VALUE_ERRORS else GatebookError):
        parse(data[1:])


def main() -> None:
    """Run until the arguments say that it is enough; ends with an error and the bytes where a parser fails."""
    atheris: Any = import_module("atheris")
    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


if __name__ == "__main__":
    main()
