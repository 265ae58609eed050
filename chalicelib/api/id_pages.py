"""Pages of a list that go on after the id of their last row, each with a link to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.api import answer_limits, links
from chalicelib.api.fit_rows import fit_rows
from chalicelib.api.http import Answer, Call, Encoded
from chalicelib.api.parameters import page
from chalicelib.store.platform.rows import Mirrored

Bodies = Callable[[Sequence[Mirrored]], Sequence[Any]]
"""Rows as clients read them."""


def page_of(call: Call, listed: Sequence[Mirrored], bodies: Bodies, *, partial: bool) -> Answer:
    """The page that `limit`, `offset` and `after_id` ask for; without a limit all rows.

    Args:
        call: the request.
        listed: all rows that were read.
        bodies: gives them as clients read them.
        partial: whether there may be others.

    Raises:
        Invalid: the page asked for is wrong.
    """
    wanted = page(call)
    ids = [row.id for row in listed]
    start = (ids.index(wanted.after_id) + 1 if wanted.after_id in ids else 0) + wanted.offset
    end = start + wanted.limit if call.query("limit") else len(listed)
    return page_answer(call, listed[start:end], bodies, more=end < len(listed), partial=partial)


def page_answer(call: Call, rows: Sequence[Mirrored], bodies: Bodies, *, more: bool, partial: bool) -> Answer:
    """A page as an answer that is not too large; a header says so where it is cut.

    Args:
        call: the request.
        rows: of the page.
        bodies: gives them as clients read them.
        more: whether there are rows after them.
        partial: whether there may be rows that were not read.
    """
    texts, number = fit_rows(bodies(rows), answer_limits.LARGEST_ANSWER) if rows else ([], 0)
    cut = number < len(rows)
    headers = {"Gatebook-Partial": "true"} if cut or partial else {}
    if number and (cut or more):
        headers |= links.next_page(call, {"after_id": rows[number - 1].id})
    return Answer(Encoded(f"[{','.join(texts)}]"), headers=headers)
