"""Logs each line of a file by python-logstash-async, until standard input ends: LINES HOST PORT PATH TOKEN."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Log them."""
    lines, host, port, path, token = sys.argv[1:]
    constants = import_module("logstash_async.constants").constants
    constants.QUEUED_EVENTS_BATCH_SIZE = 50
    constants.QUEUED_EVENTS_FLUSH_INTERVAL = 0.5
    transport = import_module("logstash_async.transport").HttpTransport(
        host, int(port), ssl_enable=False, path=path.lstrip("/"), username="gatebook", password=token
    )
    handler = import_module("logstash_async.handler").AsynchronousLogstashHandler(
        host, int(port), database_path=None, transport=transport
    )
    logger = logging.getLogger("lines")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for line in Path(lines).read_text().splitlines():
        if line:
            logger.info("%s", line)
    sys.stdin.read()


if __name__ == "__main__":
    main()
