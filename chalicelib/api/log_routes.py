"""The views that read a log, alike for any: its rows, one row, the keys of its queries, a summary of one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from chalicelib.api import log_pages, log_summary
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.log_resource import Log, answer_row
from chalicelib.models.filters import filters_json
from chalicelib.store.logs.tables import Row


class Reading(NamedTuple):
    """The views that read a log."""

    list_rows: Callable[..., Answer]
    list_filters: Callable[..., Answer]
    summarize: Callable[..., Answer]
    show_row: Callable[..., Answer]


def reading(log: Log[Row], log_for: Callable[[Call, Caller], Log[Row]]) -> Reading:
    """The views that read a log.

    Args:
        log: the log as any caller may see it.
        log_for: the log as this caller may see it, for whole rows; it raises what is wrong with the request.
    """
    names = partial(log_pages.names, log=log)

    def list_rows(call: Call, caller: Caller) -> Answer:
        """The rows that match `q` and that the caller may read, newest first or in order of arrival."""
        asked = log_for(call, caller)
        if call.query("order"):
            # Imported here: whoever polls in order of arrival can wait for it, and no cold start has to.
            from chalicelib.api import arrivals  # noqa: PLC0415

            if arrivals.is_asked(call):
                return arrivals.answer(call, caller, asked)
        return log_pages.answer(call, caller, asked)

    def list_filters(_call: Call, _caller: Caller) -> Answer:
        """The keys of `q`, for completion."""
        return Answer(filters_json(log.filters))

    def summarize(call: Call, caller: Caller) -> Answer:
        """Counts of the rows that match `q`, by time and by value."""
        return log_summary.answer(call, caller, log)

    def show_row(call: Call, caller: Caller, id: str) -> Answer:  # noqa: A002 - as the path has it
        """One row, as lists answer it."""
        return answer_row(caller, log_for(call, caller), id)

    return Reading(
        authenticated(list_rows, names=names),
        authenticated(list_filters),
        authenticated(summarize, names=names),
        authenticated(show_row),
    )
