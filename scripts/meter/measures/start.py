"""How long the application takes to import, against the least that its libraries take, in processor time."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.meter import budgets
from scripts.meter.results import Result

_ROOT = Path(__file__).resolve().parents[3]
_ROUNDS = 10
_APPLICATION = """
import app
from chalicelib.store.engine import connection
connection().client
"""
_LEAST = """
import botocore.session, chalice
from pydantic import BaseModel
class Shape(BaseModel):
    name: str
botocore.session.get_session().create_client("dynamodb")
"""


def measure() -> Iterator[Result]:
    """The ratio; the two and a bare Python run in turns, and of each the best counts."""
    times = [[_seconds(code) for code in (_APPLICATION, _LEAST, "pass")] for _ in range(_ROUNDS)]
    application, least, nothing = (min(some) for some in zip(*times, strict=True))
    section = "The start, processor time"
    ratio = (application - nothing) / (least - nothing)
    yield Result(section, "app.py and its client against bare libraries", ratio, "x", budgets.IMPORT_TIME)
    yield Result(section, "app.py and its client, on this machine", (application - nothing) * 1_000, "ms")


def _seconds(code: str) -> float:
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(_ROOT), "PATH": os.environ.get("PATH", "")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)  # noqa: S603 - ours
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
