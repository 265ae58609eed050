"""The service at the meter's noon, for a module that measures it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.service import Service, at_noon
from chalicelib.store.platform import presence
from scripts.local.engine import EmbeddedEngine


@pytest.fixture(scope="module")
def service(engine: EmbeddedEngine) -> Iterator[Service]:
    with at_noon():
        yield Service(engine)
    engine.clear()
    # A process that mirrored something in goes by that.
    presence.forget()
