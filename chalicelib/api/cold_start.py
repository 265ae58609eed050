"""The end of a start: what the first request would else wait for is done, and what is loaded is out of the way."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from chalicelib.store.dynamodb.signed_transport import connected

_YOUNG_OBJECTS = 20_000
"""More than a page makes, which live as long as it does: at Python's 700 they would be looked through many times."""

_NEEDED_BY_NEARLY_ALL = ("chalicelib.api.authentication",)
"""Imported while Lambda starts a process, with a whole processor, and not while it answers, with a share of one."""


def prepare() -> None:
    """Connect to the store and import the gate, in Lambda; and let garbage be collected, never among what is loaded.

    Elsewhere the engine is chosen after the application is imported.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        connected()
        for module in _NEEDED_BY_NEARLY_ALL:
            import_module(module)
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    gc.enable()
