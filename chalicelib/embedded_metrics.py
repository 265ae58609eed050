"""Metrics as CloudWatch reads them out of a line of a log: its embedded metric format, version 1.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

NAMESPACE = "Gatebook"
LOGGER = "gatebook.metrics"
"""The logger that lines of scheduled functions go through; where nobody listens it may be disabled."""


def metric_line(
    milliseconds: int,
    dimensions: Mapping[str, str],
    metrics: Mapping[str, tuple[float, str]],
    fields: Mapping[str, Any] | None = None,
) -> str:
    """One line of JSON, without its end.

    Args:
        milliseconds: since 1970.
        dimensions: the names and values by which the metrics are counted.
        metrics: by name, each a value and its CloudWatch unit, such as `Count` or `Milliseconds`.
        fields: what else is said, as JSON values, and is no metric.
    """
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": definitions}
    return json.dumps(
        {
            "_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]},
            **dimensions,
            **(fields or {}),
            **{name: value for name, (value, _) in metrics.items()},
        },
        separators=(",", ":"),
    )


def emit(line: str) -> None:
    """Put a line on standard output, unless the logger is disabled."""
    _logger().info("%s", line)


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
