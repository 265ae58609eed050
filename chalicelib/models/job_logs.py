"""The log of a provisioner job as clients read it and add to it, with codersdk's field names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict


class JobLogJSON(TypedDict):
    """codersdk.ProvisionerJobLog: a line of the log of a job."""

    id: int
    created_at: str
    log_source: str
    log_level: str
    stage: str
    output: str


class AppendedJSON(TypedDict):
    """The lines that were added to the log of a job."""

    stored: int
    known: int
    logs_length: int
    logs_overflowed: bool


def log_json(line: Mapping[str, Any]) -> JobLogJSON:
    """codersdk.ProvisionerJobLog."""
    return {
        "id": line["id"],
        "created_at": line["created_at"],
        "log_source": line["log_source"],
        "log_level": line["log_level"],
        "stage": line["stage"],
        "output": line["output"],
    }
