"""How many exports of a user may wait or be written at once: each is a function that reads the tables."""

from __future__ import annotations

from typing import Final

from chalicelib import times
from chalicelib.api.answer_limits import ANSWERING_SECONDS
from chalicelib.api.export_writer import SECONDS
from chalicelib.errors import TooManyRequests
from chalicelib.models.exports import Job
from chalicelib.settings import current
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.exports import jobs, running

_RETRY_AFTER_SECONDS: Final = 60
_NAMED: Final = 5
"""Of the exports that there are, in the text of a refusal."""


def is_lost(job: Job) -> bool:
    """Whether the function of an export has ended before its time: none runs for so long and keeps nothing."""
    idle = (times.now() - job.updated_at).total_seconds()
    return job.state == "running" and idle > SECONDS + ANSWERING_SECONDS


def place(user_id: str, export_id: str) -> Guarded:
    """The write that counts an export among those of its user, in the transaction that begins it or has it go on.

    Raises:
        TooManyRequests: the user has as many as a user may have.
    """
    listed = running.read(user_id)
    most = current().max_exports_per_user
    others = [one for one in listed.ids if one != export_id]
    if len(others) >= most:
        others = [one for one in others if _counts(one)]
    if len(others) >= most:
        stops = " or ".join(f"DELETE /api/v2/exports/{one}" for one in others[:_NAMED])
        raise TooManyRequests(
            f"You have {len(others)} exports that are not written yet, and may have {most}.",
            _RETRY_AFTER_SECONDS,
            f"Send the request again when one of them has ended, or stop one: {stops}.",
        )
    return running.listed(user_id, [*others, export_id], listed.revision)


def _counts(export_id: str) -> bool:
    kept = jobs.read(export_id)
    if kept is None:
        return False
    job = Job.model_validate(kept.fields)
    return job.state == "running" and not is_lost(job)
