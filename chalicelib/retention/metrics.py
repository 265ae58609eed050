"""What a run tells CloudWatch: embedded metrics, one JSON text per line on standard output, which Lambda passes on.

Metrics by `Deployment`, the prefix of the tables: `PurgedRows`, by `DataSet` as well; `PurgeDuration` in seconds;
`PurgeSuccess`, 1 or 0; `PurgeLagSeconds`, how far the oldest row that is left is behind its cut-off.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from chalicelib.records import DATA_SETS
from chalicelib.retention.run import Run
from chalicelib.settings import current

NAMESPACE = "Gatebook"
LOGGER = "gatebook.metrics"


def tell(run: Run, finished_at: datetime) -> None:
    """Tell of a run that has ended, well or not."""
    lags = [cut_off - run.behind[name] for name in run.behind if (cut_off := run.cut_offs[name])]
    about = {
        "PurgeDuration": ((finished_at - run.started_at).total_seconds(), "Seconds"),
        "PurgeSuccess": (0 if run.errors else 1, "Count"),
        "PurgeLagSeconds": (max((lag.total_seconds() for lag in lags), default=0.0), "Seconds"),
    }
    deployment = {"Deployment": current().table_prefix}
    _line(finished_at, about, deployment)
    for name in DATA_SETS:
        _line(finished_at, {"PurgedRows": (run.purged[name], "Count")}, {**deployment, "DataSet": name})


def _line(moment: datetime, values: Mapping[str, tuple[float, str]], dimensions: Mapping[str, str]) -> None:
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()]
    metrics = [{"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": definitions}]
    line: dict[str, Any] = {"_aws": {"Timestamp": int(moment.timestamp() * 1_000), "CloudWatchMetrics": metrics}}
    line |= {name: value for name, (value, _) in values.items()}
    _logger().info("%s", json.dumps({**line, **dimensions}, separators=(",", ":")))


@cache
def _logger() -> logging.Logger:
    # Nothing may stand before the JSON on its line, so these records go round the handlers of all others.
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_StandardOutput())
    return logger


class _StandardOutput(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write the bare message."""
        sys.stdout.write(record.getMessage() + "\n")
        sys.stdout.flush()
