"""One engine for the whole session, with every table; each test finds the tables empty."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest

from scripts.local.engine import EmbeddedEngine

# A change lands or not by what it does: CI tries the same examples each time, and a developer's machine new ones.
hypothesis.settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# The service reads its settings once, at import: what a developer has set must not reach the tests.
for name in [name for name in os.environ if name.startswith(("GATEBOOK_", "CODER_", "AWS_"))]:
    del os.environ[name]


@pytest.fixture(scope="session")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine() as running:
        from chalicelib.store.schema import create_missing_tables  # noqa: PLC0415 - the engine must run first

        create_missing_tables()
        yield running


@pytest.fixture
def tables(engine: EmbeddedEngine) -> Iterator[EmbeddedEngine]:
    yield engine
    engine.clear()
