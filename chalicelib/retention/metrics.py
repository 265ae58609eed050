"""Emits the metrics of a run to CloudWatch: embedded metrics, a line of JSON each, on standard output.

Metrics by `Deployment`, the prefix of the tables: `PurgedRows`, by `DataSet` as well; `PurgeDuration` in seconds;
`PurgeSuccess`, 1 or 0; `PurgeLagSeconds`, how far the oldest row that is left is behind its cut-off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chalicelib import embedded_metrics
from chalicelib.embedded_metrics import metric_line
from chalicelib.records import DATA_SETS
from chalicelib.retention.run import Mandate, Progress, lag
from chalicelib.settings import current


def emit(mandate: Mandate, progress: Progress, finished_at: datetime) -> None:
    """Emit the metrics of a run that has ended, well or not."""
    about = {
        "PurgeDuration": ((finished_at - mandate.started_at).total_seconds(), "Seconds"),
        "PurgeSuccess": (0 if progress.errors else 1, "Count"),
        "PurgeLagSeconds": (lag(mandate, progress).total_seconds(), "Seconds"),
    }
    deployment = {"Deployment": current().table_prefix}
    _line(finished_at, about, deployment)
    for name in DATA_SETS:
        _line(finished_at, {"PurgedRows": (progress.purged[name], "Count")}, {**deployment, "DataSet": name})


def _line(moment: datetime, values: Mapping[str, tuple[float, str]], dimensions: Mapping[str, str]) -> None:
    embedded_metrics.emit(metric_line(int(moment.timestamp() * 1_000), dimensions, values))
