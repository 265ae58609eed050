"""The manifest of an export: what was asked, what is covered, and what each part is. It is written last. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from chalicelib import times
from chalicelib.export.progress import CutOffs, Progress
from chalicelib.export.question import Question

NAME: Final = "manifest.json"
VERSION: Final = 1

Holds = Sequence[Mapping[str, Any]] | None
"""The holds on a log, by name; None where whoever exports may not read them."""

_MARGIN = timedelta(minutes=1)
"""Of the clocks that say when an export began and ended, and of the service's."""


class Origin(NamedTuple):
    """The origin of an export.

    Attributes:
        source: the address of the service.
        asked_by: the id of the user who asked, and whose rows these are; None where that is not known.
        began: when it began.
    """

    source: str
    asked_by: str | None
    began: datetime


def manifest(
    question: Question, progress: Progress, origin: Origin, ended: datetime, holds: tuple[Holds, Holds]
) -> dict[str, Any]:
    """The manifest of an export that has ended.

    Args:
        question: what was asked.
        progress: how far it went: to its end.
        origin: who asked whom, and when.
        ended: when it ended.
        holds: the holds as it began, and as it ended.
    """
    before, after = progress.cut_offs or {}, progress.latest or {}
    removed = (
        _overtaken(before, after, ended - origin.began)
        if question.begin is None
        else _shortened(question.begin, before, after)
    )
    reasons = [*removed, *_lifted(*holds)]
    return {
        "version": VERSION,
        "status": "partial" if reasons else "complete",
        **({"reasons": reasons} if reasons else {}),
        "source": origin.source,
        "asked_by": origin.asked_by,
        **question.saved(),
        "began_at": times.wire(origin.began),
        "ended_at": times.wire(ended),
        "cut_off": {"at_begin": dict(before), "at_end": dict(after)},
        "holds": {"at_begin": holds[0], "at_end": holds[1]},
        "rows": progress.rows,
        "parts": [part._asdict() for part in progress.parts],
    }


def _shortened(begin: datetime, before: CutOffs, after: CutOffs) -> list[str]:
    """The part of the range that retention removed while it was read.

    What was past its time before is no loss of the export: `cut_off` says from when on there are rows.
    """
    return [
        f"{name}: rows before {since} passed their retention while the export ran"
        for name, since in sorted(after.items())
        if times.from_wire(since) > begin and (name not in before or times.from_wire(before[name]) <= begin)
    ]


def _overtaken(before: CutOffs, after: CutOffs, passed: timedelta) -> list[str]:
    """The part of whatever is kept that was removed by a shorter retention, and not by the time that went by."""
    return [
        f"{name}: retention was shortened while the export ran, and took rows before {since}"
        for name, since in sorted(after.items())
        if name not in before or times.from_wire(since) - times.from_wire(before[name]) > passed + _MARGIN
    ]


def _lifted(before: Holds, after: Holds) -> list[str]:
    """The holds that stood as the export began, and ended or held something else before it did."""
    kept = [_held(hold) for hold in after or ()]
    return [
        f"hold {hold.get('name')}: was lifted or changed while the export ran"
        for hold in (before or () if after is not None else ())
        if _held(hold) not in kept
    ]


def _held(hold: Mapping[str, Any]) -> tuple[Any, ...]:
    return hold.get("name"), hold.get("log"), hold.get("q")
