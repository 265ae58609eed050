"""The log of a provisioner job: how much of it is kept, and what says that it is not whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

MOST_BYTES: Final = 1_048_576
"""Of the output of a job, the notice included."""
NOTICE: Final = (
    "Provisioner logs exceeded the max size of 1MB. Will not continue to write provisioner logs for workspace build."
)
LEVELS: Final = ("trace", "debug", "info", "warn", "error")
SOURCES: Final = ("provisioner_daemon", "provisioner")

Line = Mapping[str, Any]
"""One line: `id`, `created_at`, `log_source`, `log_level`, `stage` and `output`."""


class Kept(NamedTuple):
    """The lines that are kept, and those that are not.

    Attributes:
        lines: to be stored.
        length: bytes of output that are stored then.
        overflowed: whether there were more than may be.
    """

    lines: list[Line]
    length: int
    overflowed: bool


def kept(lines: Iterable[Line], length: int, *, overflowed: bool) -> Kept:
    """Those of a batch's lines that are stored: the first that is too much becomes a notice, and none comes after it.

    Args:
        lines: in their order.
        length: bytes of output that are stored already.
        overflowed: whether a line before these was too much.
    """
    if overflowed:
        return Kept([], length, overflowed=True)
    accepted: list[Line] = []
    for line in lines:
        size = len(str(line["output"]).encode("utf-8", "surrogatepass"))
        if length + len(NOTICE) + size > MOST_BYTES:
            accepted.append({**line, "log_level": "warn", "output": NOTICE})
            return Kept(accepted, length + len(NOTICE), overflowed=True)
        accepted.append(line)
        length += size
    return Kept(accepted, length, overflowed=False)


def text(line: Line) -> str:
    """A line as people read it."""
    return f"{line['created_at']} [{line['log_level']}] [{line['log_source']}|{line['stage']}] {line['output']}\n"
