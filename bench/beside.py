"""CPU of pages and of ingest in this checkout beside another one, in turns in one run: `scripts/bench --beside DIR`.

Each checkout is served by its own `scripts/serve`, from one engine in a third process, with tables of its own. So it
needs only what any version has: a command, an address, the API. The processor time of each is read while it answers the
same requests; the machine's noise falls on both alike.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from bench import events
from bench.measures.ingest import KINDS, batch
from bench.measures.pages import PAGE
from bench.queries import LOGS
from bench.results import Table

OWN = Path(__file__).resolve().parents[1]
ROUNDS = 7
REQUESTS = 30
"""Requests of a round."""
_READY = re.compile(r"Gatebook is ready at (\S+)")
_SECONDS = 60
_REFUSED = 400
_EVENTS = 500


class NotServed(Exception):
    """A checkout does not start; the text is what it printed last."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A served checkout.

    Attributes:
        name: of its directory.
        url: where it answers.
        token: of its owner.
        process: its process id.
    """

    name: str
    url: str
    token: str
    process: int

    def send(self, method: str, path: str, body: bytes | None = None, times: int = 1) -> None:
        """Send a request so many times over one connection.

        Raises:
            RuntimeError: it was refused.
        """
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_SECONDS)
        headers = {"Coder-Session-Token": self.token, "Content-Type": "application/json"}
        try:
            for _ in range(times):
                connection.request(method, f"{place.path}{path}", body, headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status >= _REFUSED:
                    raise RuntimeError(f"{self.name}: {method} {path} was answered {answer.status}: {text[:200]!r}")
        finally:
            connection.close()

    def seconds(self) -> float:
        """The processor time of its process so far."""
        # The clock of another process, by the number that clock_getcpuclockid(3) makes of its id.
        return time.clock_gettime(~self.process << 3 | 2)


def measure(other: Path, endpoint: str) -> Table:
    """The table of both.

    Args:
        other: the directory of the other checkout.
        endpoint: of an engine in another process.

    Raises:
        NotServed: one of them does not start.
    """
    with ExitStack() as stack:
        both = [
            stack.enter_context(served(place, endpoint, f"beside-{index}-"))
            for index, place in enumerate((OWN, other.resolve()))
        ]
        for checkout in both:
            for kind in KINDS:
                for first in range(0, _EVENTS, 100):
                    checkout.send("POST", kind.route, json.dumps(batch(kind, first)).encode())
        rows: list[list[str | float]] = [[name, *in_turns(both, *request)] for name, request in requests().items()]
    return Table(
        "beside",
        f"Processor time of a request, ms: this checkout beside {other.resolve().name}",
        ("request", "this", "other", "ratio"),
        rows,
    )


def requests() -> Mapping[str, tuple[str, str, bytes | None]]:
    """Name -> method, path and body of the requests that are measured."""
    pages = {f"page of {PAGE}, {log.name} log": ("GET", f"{log.route}?limit={PAGE}", None) for log in LOGS}
    web = next(kind for kind in KINDS if kind.make is events.web)
    return {**pages, "100 web events again": ("POST", web.route, json.dumps(batch(web, 0)).encode())}


def in_turns(both: Sequence[Checkout], method: str, path: str, body: bytes | None) -> list[float]:
    """The least milliseconds of a request in any round: of one, of the other, and their ratio."""
    least = [float("inf")] * len(both)
    for checkout in both:
        checkout.send(method, path, body, REQUESTS)
    for _ in range(ROUNDS):
        for index, checkout in enumerate(both):
            begun = checkout.seconds()
            checkout.send(method, path, body, REQUESTS)
            least[index] = min(least[index], (checkout.seconds() - begun) / REQUESTS * 1_000)
    return [*least, least[0] / least[1]]


@contextmanager
def served(place: Path, endpoint: str, prefix: str) -> Iterator[Checkout]:
    """Serve a checkout meanwhile.

    Raises:
        NotServed: it does not start.
    """
    with TemporaryDirectory() as directory:
        token = Path(directory) / "token"
        command = [str(place / "scripts" / "serve"), "--port", "0", "--no-sample", "--token-file", str(token)]
        with subprocess.Popen(  # noqa: S603 - a checkout that the caller names
            command, env=_environment(endpoint, prefix), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                yield Checkout(place.name, _ready(process), token.read_text().strip(), process.pid)
            finally:
                process.terminate()


def _environment(endpoint: str, prefix: str) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if not re.match(r"AWS_|CODER_|GATEBOOK_|PYTHON", name)}
    return kept | {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "GATEBOOK_TABLE_PREFIX": prefix}


def _ready(process: subprocess.Popen[str]) -> str:
    last = ""
    for line in process.stdout or ():
        if match := _READY.search(line):
            return match[1]
        last = line.strip() or last
    raise NotServed(f"A checkout does not start: {last}")
