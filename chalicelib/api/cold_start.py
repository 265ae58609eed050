"""The end of a start: what the first request would else wait for is done, and what is loaded is out of the way."""

from __future__ import annotations

import gc
import os
import random
from importlib import import_module

from chalicelib.store.dynamodb.signed_transport import connect_anew, connected

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
        if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            # A module of Lambda's own Pythons from 3.12 on, and of no package.
            import_module("snapshot_restore_py").register_after_restore(restored)
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    gc.enable()


def restored() -> None:
    """Make a copy of a started process one of its own: with its own connections, credentials and random numbers.

    Nothing else of a start knows the time or differs by process: limits, counts and verdicts come with requests, and
    tokens and ids are made of the system's random bytes.
    """
    random.seed()
    connect_anew()
