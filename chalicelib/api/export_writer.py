"""Writes an export, part by part, for as long as the function may run; then it has itself go on.

After each part it saves how far it is, on the condition that nobody else has: of two that run at once one stops, and
both write the same bytes. An export that was deleted meanwhile is met as gone, and its files go too.
"""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO, Final

from chalicelib import times
from chalicelib.access.decide import reach
from chalicelib.api import audit_logs, connection_logs, export_trail
from chalicelib.api.log_resource import Log, known_by
from chalicelib.export import manifest
from chalicelib.export.manifest import Holds
from chalicelib.export.parts import PART_BYTES
from chalicelib.export.progress import CutOffs, Page, Progress
from chalicelib.export.question import Question
from chalicelib.export.walk import TimeIsUp, walk
from chalicelib.lanes import saved_criteria
from chalicelib.models.directory import Beside
from chalicelib.models.exports import Job
from chalicelib.models.sending import json_text
from chalicelib.retention import holds
from chalicelib.retention.keeping import DATA_SETS_OF, Keeping
from chalicelib.settings import current
from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.exports import files, function, jobs
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.retention import state as retention_state

SECONDS: Final = 900.0
"""The time that the function has."""
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""After its last part an export is deleted, and so are its files."""
_ENDING_SECONDS = 60.0
"""Kept back, of that time, for the page under way and for having itself go on."""
ROWS_A_PAGE = 5_000
_PAGE_BYTES = 5_000_000
_ASIDE = "unfinished.gz"
"""The file of a part that is not full, while the function starts itself again."""
_LOGS: Final[Mapping[str, tuple[Log[Any], Log[Any]]]] = {
    "connection": (connection_logs.LOG, connection_logs.SOURCED),
    "audit": (audit_logs.LOG, audit_logs.SOURCED),
}
"""Each log as everybody may see it, and as those who may read the whole of it do."""

_log = logging.getLogger(__name__)


def write(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own, untyped
    """Go on with the export that an event names.

    Args:
        event: with its `id`.
        context: Lambda's.
    """
    export_id = str(event["id"])
    kept = jobs.read(export_id)
    if kept is None:
        # One that was deleted while a part went out, by a function that ended there, left this part.
        files.clear(export_id)
        return {"message": "There is no such export."}
    job = Job.model_validate(kept.fields)
    if job.state != "running":
        return {"message": "The export has ended."}
    place = _Bucket(job, kept.revision)
    try:
        for _ in walk(
            Question.of(job.question),
            Progress.of(job.progress),
            partial(_page, place, lambda: context.get_remaining_time_in_millis() / 1_000),
            place,
            shelf=place,
            part_bytes=PART_BYTES,
        ):
            pass
        place.end()
    except TimeIsUp:
        function.start(context.function_name, export_id)
        return {"message": "The export goes on."}
    except Changed:
        if jobs.read(export_id) is None:
            files.clear(export_id)
        return {"message": "The export was deleted, or another function writes it."}
    return {"message": "The export has ended."}


class _Bucket:
    """The files of an export in the bucket, and how far it is in the table: destination and shelf of a walk."""

    def __init__(self, job: Job, revision: int) -> None:
        self._job = job
        self._revision = revision

    def unchanged(self) -> Job:
        """The export, which is still there and still this function's.

        Raises:
            Changed: it was deleted, or another function goes on with it.
        """
        kept = jobs.read(self._job.id)
        if kept is None or kept.revision != self._revision:
            raise Changed
        return self._job

    def begin(self, _name: str) -> BinaryIO:
        """Memory for a part: it goes out whole."""
        return io.BytesIO()

    def finish(self, name: str, sink: BinaryIO, progress: Progress) -> None:
        """Put a part into the bucket, and then save how far the export is."""
        files.put(self._job.id, name, _content(sink))
        self.note(progress)

    def lay(self, sink: BinaryIO, ending: bytes) -> bytes:
        """Put a part into the bucket as far as it is written."""
        content = _content(sink) + ending
        files.put(self._job.id, _ASIDE, content)
        return content

    def take(self) -> bytes | None:
        """The part that was put there last as far as it was written."""
        return files.get(self._job.id, _ASIDE)

    def note(self, progress: Progress) -> None:
        """Save how far the export is."""
        self._save(self._job.model_copy(update={"progress": progress.saved()}))

    def end(self) -> None:
        """Write the manifest, and save that the export has ended."""
        job = self._job
        # At the end and not with its part: a function that ends in between would leave it for good.
        files.remove(job.id, _ASIDE)
        question, progress = Question.of(job.question), Progress.of(job.progress)
        now: Holds = holds_on(question.log)
        origin = manifest.Origin(current().access_url, job.user_id, job.created_at)
        written = manifest.manifest(question, progress, origin, times.now(), (job.holds, now))
        if not job.sees_holds:
            written = _without_holds(written)
        files.put(job.id, manifest.NAME, json.dumps(written, indent=2, ensure_ascii=False).encode() + b"\n")
        ended = job.model_copy(update={"state": written["status"], "reasons": tuple(written.get("reasons", ()))})
        self._save(ended, *export_trail.ended(ended))

    def _save(self, job: Job, *trail: Write) -> None:
        self._job = job.model_copy(update={"updated_at": times.now()})
        saved_job(self._job, self._revision, *trail)
        self._revision += 1


def saved_job(job: Job, revision: int, *trail: Write, guards: Sequence[Guarded] = ()) -> None:
    """Keep an export, with its trail and other writes of the same transaction.

    Raises:
        Changed: it is not the one that was read, or is gone.
    """
    forget_at = (job.updated_at + FORGOTTEN_AFTER).timestamp()
    jobs.save(job.id, job.model_dump(mode="json"), revision, forget_at, *trail, guards=guards)


def holds_on(log: str) -> list[dict[str, str]]:
    """The holds on a log as they are now."""
    known = holds.read(retention_state.read().holds)
    return [{"name": hold.name, "log": hold.log, "q": hold.q} for hold in known if hold.log == log]


def begun(log: str) -> Progress:
    """The progress of an export that begins now: it knows since when rows are kept."""
    return Progress(cut_offs=_cut_offs(holds.keeping_now(log)))


def _page(place: _Bucket, seconds_left: Callable[[], float], cursor: str) -> Page:
    """The page below a position."""
    seconds = seconds_left() - _ENDING_SECONDS
    if seconds < 0:
        raise TimeIsUp
    # Before each page and not at the next part alone: who begins and deletes many has no function read on for nobody.
    job = place.unchanged()
    name = str(job.question["log"])
    plain, sourced = _LOGS[name]
    log = sourced if reach(job.subject, "read", plain.resource).site else plain
    keeping = holds.keeping_now(name)
    plans = keeping.plans(saved_criteria.read(job.criteria), log.stored.kept().read, current().log_shards)
    # A page of a filter that few rows match ends with the time, as far as it is, and not at its last row.
    budget = Budget(give_up_at=time.monotonic() + seconds)
    read = read_page(log.stored, plans, budget, Window(ROWS_A_PAGE, start=cursor, most_bytes=_PAGE_BYTES))
    beside = Beside(read.users, read.organizations, known_by(job.subject))
    lines = [f"{json_text(log.as_json(row, beside))}\n" for row in read.rows]
    return Page(lines, read.next.position if read.next else "", _cut_offs(keeping))


def _content(sink: BinaryIO) -> bytes:
    sink.seek(0)
    return sink.read()


def _cut_offs(keeping: Keeping) -> CutOffs:
    return {one: times.wire(moment) for one in DATA_SETS_OF[keeping.log] if (moment := keeping.cut_offs[one])}


def _without_holds(written: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest for who may not read the holds: that one was lifted is said, and not which."""
    reasons = [
        "a hold was lifted or changed while the export ran" if one.startswith("hold ") else one
        for one in written.get("reasons", [])
    ]
    return {**written, **({"reasons": reasons} if reasons else {}), "holds": {"at_begin": None, "at_end": None}}
