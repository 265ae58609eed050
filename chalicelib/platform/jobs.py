"""Provisioner jobs: their status, their order in the queue, and what their tags ask of a daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from chalicelib.records.directory import PREBUILDS_USER

Values = Mapping[str, Any]
"""The fields of a mirrored object as clients name them: JSON values."""

STATUSES: Final = ("pending", "running", "succeeded", "canceling", "canceled", "failed", "unknown")
TYPES: Final = ("template_version_import", "workspace_build", "template_version_dry_run")
UNTAGGED: Final[Mapping[str, str]] = {"scope": "organization", "owner": ""}
"""The tags of what nobody has tagged: they match themselves alone."""


def status(job: Values) -> str:
    """The status of a job, from its times and its error."""
    failed = bool(job.get("error"))
    if job.get("completed_at"):
        return "failed" if failed else "canceled" if job.get("canceled_at") else "succeeded"
    if failed:
        return "failed"
    if job.get("canceled_at"):
        return "canceling"
    return "running" if job.get("started_at") else "pending"


def is_under_way(job: Values) -> bool:
    """Whether a daemon has the job: it has a worker and no end."""
    return bool(job.get("worker_id")) and not job.get("completed_at")


def queue_rank(job: Values) -> str | None:
    """The first part of a waiting job's place in the queue: prebuilds come last; None for a job that does not wait."""
    if status(job) != "pending":
        return None
    return "1" if job.get("initiator_id") == PREBUILDS_USER else "0"


def contains(have: Mapping[str, str], want: Mapping[str, str]) -> bool:
    """Whether tags satisfy those that are wanted: the untagged match the untagged, else each pair must be there."""
    if dict(want) == dict(UNTAGGED):
        return dict(have) == dict(want)
    return all(have.get(name) == value for name, value in want.items())


def tag_set(tags: Mapping[str, str]) -> str:
    """The one way to write a set of tags."""
    return json.dumps(dict(tags), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
