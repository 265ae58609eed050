"""Runs an unpacked zip as Lambda does: awslambdaric in a process of its own, against a Runtime API on loopback.

Only what is in the zip can be imported there, beside awslambdaric itself: nothing of .venv helps out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import distribution
from pathlib import Path
from queue import Queue
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, NamedTuple, Self

from scripts.local.loopback import Exchange, serving

_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
_GIVE_UP_SECONDS = 30.0
_TIME_OUT_MS = 29_000
_FUNCTION = "gatebook-api_handler"


class Outcome(NamedTuple):
    """The result of an invocation: the value that the handler returned, or its error."""

    answer: Any
    error: Any = None


class Ended(Exception):
    """The process ended, or hangs; the text is what it wrote."""


class Function:
    """One execution environment of a Lambda function: a context manager, cold when it begins.

    Args:
        tree: the unpacked zip.
        handler: as in the template, `app.app`.
        place: a directory of its own for what the run needs beside the zip.
        environment: its variables, beside those that Lambda sets itself.

    Attributes:
        processor_seconds: what the process has used, known once it is over.
    """

    def __init__(self, tree: Path, handler: str, place: Path, environment: Mapping[str, str]) -> None:
        self.processor_seconds = 0.0
        self._tree, self._handler, self._place, self._environment = tree, handler, place, dict(environment)
        self._events: Queue[tuple[str, bytes] | None] = Queue()
        self._outcomes: Queue[Outcome] = Queue()
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        address = self._undo.enter_context(serving(_runtime_api(self._events, self._outcomes)))
        runtime = self._place / "runtime"
        _link_runtime(runtime)
        variables = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_NAME": _FUNCTION,
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "LAMBDA_TASK_ROOT": str(self._tree),
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(self._tree), str(runtime)]),
            **self._environment,
        }
        output = self._undo.enter_context((self._place / "output").open("wb"))
        self._process = subprocess.Popen(  # noqa: S603 - our own zip
            [sys.executable, "-S", "-m", "awslambdaric", self._handler],
            env=variables,
            cwd=self._tree,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        before = getrusage(RUSAGE_CHILDREN)
        self._process.kill()
        self._process.wait()
        after = getrusage(RUSAGE_CHILDREN)
        self.processor_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self._events.put(None)
        self._undo.close()

    @property
    def output(self) -> list[str]:
        """The lines that the function has written so far."""
        return (self._place / "output").read_text().splitlines()

    def invoke(self, event: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """Hand over an event and wait for what comes of it.

        Raises:
            Ended: nothing will come of it any more.
        """
        give_up_at = time.monotonic() + _GIVE_UP_SECONDS
        self._events.put((f"invocation-{time.monotonic_ns()}", json.dumps(event).encode()))
        while self._outcomes.empty():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise Ended("\n".join(self.output))
            time.sleep(0.001)
        return self._outcomes.get()


def _runtime_api(events: Queue[tuple[str, bytes] | None], outcomes: Queue[Outcome]) -> type[Exchange]:
    class RuntimeAPI(Exchange):
        def do_GET(self) -> None:  # noqa: N802 - what http.server calls it
            """`/runtime/invocation/next`: wait for an event."""
            event = events.get()
            if event is None:
                self.close_connection = True
                return
            name, body = event
            headers = {
                "Lambda-Runtime-Aws-Request-Id": name,
                "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1_000) + _TIME_OUT_MS),
                "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:us-east-1:0:function:{_FUNCTION}",
                # The client in awslambdaric is C: without one of these it crashes.
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                "Content-Type": "application/json",
            }
            self.answer(200, headers, body)

        def do_POST(self) -> None:  # noqa: N802 - as above
            """`…/response` or `…/error`: take what became of it."""
            answer = json.loads(self.sent())
            self.answer(202, {})
            outcomes.put(Outcome(None, answer) if self.path.endswith("/error") else Outcome(answer))

    return RuntimeAPI


def _link_runtime(place: Path) -> None:
    """Link the packages that Lambda itself brings along into a directory without any others."""
    place.mkdir()
    for installed in map(distribution, _RUNTIME):
        names = {file.parts[0] for file in installed.files or ()}
        for name in names - {"..", "__pycache__"}:
            if not name.endswith(".dist-info"):
                (place / name).symlink_to(str(installed.locate_file(name)))
