"""Exports on this machine: their function runs in a thread, and their bucket is the embedded engine's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Self

from chalice.app import Chalice

from chalicelib.errors import GatebookError
from chalicelib.models.exports import Job
from chalicelib.settings import current
from chalicelib.store.dynamodb.tables import ExportItem
from chalicelib.store.exports import function, jobs, running
from scripts.local.bucket import bucket, forget_but
from scripts.local.engine import EmbeddedEngine
from scripts.local.schedule import Context

_RUNS: Final = 3
"""Of a function that fails, as Lambda runs what nobody waits for."""
_ENDING_SECONDS = 1.0

_log = logging.getLogger(__name__)


@contextmanager
def exporting(app: Chalice, engine: EmbeddedEngine, data: Path | None) -> Iterator[None]:
    """Write exports meanwhile, those first that were under way when the service ended.

    Args:
        app: has the function.
        engine: has how far each export is.
        data: the directory that keeps the files; without one they are gone at the end.
    """
    items = [item["id"]["S"] for item in engine.items(ExportItem.Meta.table_name)]
    ids = [one for one in items if not one.startswith(running.PREFIX)]
    if data is not None:
        forget_but(data, ids)
    settings = current()
    with (
        bucket(settings.export_bucket, data),
        Function(app.handler_map[settings.export_function], settings.export_function) as writer,
        function.replaced_by(writer.start),
    ):
        for export_id in _running(ids):
            writer.start(settings.export_function, export_id)
        yield


class Function:
    """Runs a function for one export after another, from the beginning of a `with` to its end.

    Args:
        run: takes an event and a context, as Lambda calls it.
        name: of the function.
        pause_seconds: from a failure to the next run.
    """

    def __init__(self, run: Callable[[dict[str, Any], Context], object], name: str, pause_seconds: float = 1.0) -> None:
        self._run = run
        self._name = name
        self._pause_seconds = pause_seconds
        self._ids: SimpleQueue[str | None] = SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run_all, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # An export that is under way has no more time by now; it goes on at the next start.
        self._ended.set()
        self._ids.put(None)
        self._thread.join(_ENDING_SECONDS)

    def start(self, _name: str, export_id: str) -> None:
        """Run the function for an export, after those that wait."""
        self._ids.put(export_id)

    def _run_all(self) -> None:
        while (export_id := self._ids.get()) is not None:
            for _ in range(_RUNS):
                if self._ended.is_set() or self._is_done(export_id):
                    break
                self._ended.wait(self._pause_seconds)

    def _is_done(self, export_id: str) -> bool:
        try:
            self._run({"id": export_id}, Context(self._ended, self._name))
        except GatebookError as error:
            _log.warning("The export %s failed: %s %s", export_id, error.message, error.detail)
        except Exception:  # noqa: BLE001 - the service goes on, as it does when Lambda's function fails
            _log.exception("The export %s failed", export_id)
        else:
            return True
        return False


def _running(ids: Iterable[str]) -> Iterator[str]:
    for export_id in ids:
        kept = jobs.read(export_id)
        if kept is not None and Job.model_validate(kept.fields).state == "running":
            yield export_id
