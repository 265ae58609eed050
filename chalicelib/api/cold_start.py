"""The end of a start: what the first request would else wait for is done, and what is loaded is out of the way."""

from __future__ import annotations

import gc
import os

from chalicelib.store import engine


def prepare() -> None:
    """Make the client of the store, in Lambda; and let garbage be collected from here on, never among what is loaded.

    Elsewhere the engine is chosen after the application is imported.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        _ = engine.connection().client
    gc.freeze()
    gc.enable()
