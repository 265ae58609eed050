"""These tests start engines of their own, and only one can run in a process: the session's steps aside meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.store.schema import create_missing_tables
from scripts.local.engine import EmbeddedEngine


@pytest.fixture(scope="module", autouse=True)
def _session_engine_steps_aside(engine: EmbeddedEngine) -> Iterator[None]:
    engine.stop()
    yield
    engine.start()
    create_missing_tables()
