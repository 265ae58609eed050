"""Which sets of tags the jobs of an organization have, and which its daemons.

They are few for many jobs: a query by tags reads the lanes of those sets that satisfy it, and no other job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from chalicelib.platform.jobs import contains
from chalicelib.platform.kinds import JOB, Kind
from chalicelib.store.platform import distinct

MOST_SETS = 500
"""Sets that are looked through; an organization with more of them is searched job by job."""


def note(kind: Kind, organization_id: str, tags: str) -> None:
    """Note that an object of an organization has these tags.

    Args:
        kind: of the object: a job or a daemon.
        organization_id: of the object.
        tags: as `jobs.tag_set` writes them.

    Raises:
        Unavailable: the store did not answer.
    """
    distinct.note(_holder(kind, organization_id), tags)


def satisfying(kind: Kind, organization_id: str, wanted: Mapping[str, str]) -> list[str] | None:
    """The sets of an organization's objects that satisfy these tags; None where there are too many to look through."""
    texts = distinct.listed(_holder(kind, organization_id), MOST_SETS)
    return None if texts is None else [text for text in texts if contains(json.loads(text), wanted)]


def _holder(kind: Kind, organization_id: str) -> str:
    return f"tags:{organization_id}" if kind is JOB else f"tags:{kind.name}:{organization_id}"
