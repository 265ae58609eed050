"""The CSV of each log: its fixed columns as a table, and a row as a line. Pure.

A spreadsheet takes a text that begins with one of a few characters for a formula and runs it. Such a text gets an
apostrophe before it, which changes it: CSV is for reading, and NDJSON is the evidence. In many countries a spreadsheet
splits lines at semicolons, whatever quotes say, so what follows one within a text gets an apostrophe too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from chalicelib.export.places import MOMENTS, place_of
from chalicelib.models.sending import json_text

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it a spreadsheet reads the text in the encoding of its country."""
LONGEST_CELL: Final = 32_767
"""Characters: what a cell of a spreadsheet holds. What is longer would spill over the rows below."""
RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The first characters of a text that a spreadsheet would run; the last four are those of Japanese keyboards."""
_RUN_IN_A_TEXT = r"""([;\t\r\n]["\s]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"""
"""The place within a text where a spreadsheet that splits lines elsewhere would find a formula."""
_CUT = "…"

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "connection": (
        "id",
        "connect_time",
        "type",
        "app_name",
        "connection_method",
        "organization.name",
        "organization.id",
        "workspace_owner_username",
        "workspace_owner_id",
        "workspace_name",
        "workspace_id",
        "agent_name",
        "ip",
        "web_info.user.username",
        "web_info.user.id",
        "web_info.user_agent",
        "web_info.slug_or_port",
        "web_info.status_code",
        "ssh_info.connection_id",
        "ssh_info.disconnect_time",
        "ssh_info.disconnect_reason",
        "ssh_info.exit_code",
        "received_at",
        "written_by",
        "disconnect_received_at",
        "disconnect_written_by",
    ),
    "audit": (
        "id",
        "time",
        "request_id",
        "user.username",
        "user.email",
        "user.id",
        "organization.name",
        "organization_id",
        "ip",
        "user_agent",
        "action",
        "resource_type",
        "resource_id",
        "resource_target",
        "status_code",
        "description",
        "is_deleted",
        "diff",
        "additional_fields",
        "received_at",
        "written_by",
    ),
}
"""Log -> where the value of each column is in a row as the API answers it; the same path heads the column."""


def heading(log: str) -> str:
    """The first line of the file of a log, after the mark that says that it is UTF-8."""
    return BYTE_ORDER_MARK + _line(COLUMNS[log])


def line(log: str, row: Mapping[str, Any]) -> str:
    """A row as a line, with its line end."""
    return _line([_cell(_at(row, column)) for column in COLUMNS[log]])


def places(log: str, lines: Iterable[str]) -> Iterator[str]:
    """The positions of the rows of a file, given its lines, the first without its mark."""
    rows = csv.reader(lines)
    names = next(rows, [])
    if names != [*COLUMNS[log]]:
        raise ValueError("no heading of this log")
    moment = COLUMNS[log].index(MOMENTS[log])
    return (place_of(cells[moment], cells[0]) if len(cells) > moment else place_of(None, None) for cells in rows)


def _line(cells: Sequence[str | int | float]) -> str:
    text = io.StringIO()
    # Every text is in quotes: what a reader who splits at commas and semicolons finds within one is no cell of its own.
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _at(row: Mapping[str, Any], column: str) -> Any:  # noqa: ANN401 - any JSON value
    value: Any = row
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _cell(value: Any) -> str | int | float:  # noqa: ANN401 - any JSON value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json_text(value)
    if text.startswith(RUN_BY_SPREADSHEETS):
        text = f"'{text}"
    text = re.sub(_RUN_IN_A_TEXT, r"\1'", text)
    # A NUL ends a text for many readers, and half a character cannot be sent in UTF-8.
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + _CUT
