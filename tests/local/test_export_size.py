"""A long export asks for 5,000 rows at a time, holds one page of them, and is the same after any number of kills."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from chalicelib import times
from tests.local.served import ROOT, environment

ROWS = 60_000
ROWS_A_PAGE = 5_000
MOST_MEGABYTES = 512
KILLS = 20
SHORT_PAGE = 500
NEWEST = datetime(2025, 7, 10, tzinfo=UTC)


def line(number: int) -> str:
    """A row of the connection log, as long as those of the sample are."""
    digest = sha256(str(number).encode()).hexdigest()
    row = {
        "id": str(UUID(digest[:32])),
        "connect_time": times.wire(NEWEST - timedelta(milliseconds=number)),
        "organization": {"id": str(UUID(int=1)), "name": "acme", "display_name": "Acme", "icon": "/icon/acme.svg"},
        "workspace_owner_id": str(UUID(digest[32:])),
        "workspace_owner_username": f"user-{digest[:4]}",
        "workspace_id": str(UUID(digest[16:48])),
        "workspace_name": f"workspace-{digest[:6]}",
        "agent_name": "main",
        "ip": f"192.0.2.{number % 256}",
        "type": "ssh",
        "app_name": "",
        "ssh_info": {"connection_id": str(UUID(digest[8:40])), "disconnect_reason": "closed " * 20, "exit_code": 0},
    }
    return json.dumps(row, separators=(",", ":")) + "\n"


class Service(ThreadingHTTPServer):
    """Answers pages of so many rows.

    Attributes:
        rows: how many there are.
        rows_a_page: how many a page has at most.
        pages: how many were asked for.
        on_page: is called before a page is answered; whether its client is no more.
    """

    def __init__(self, rows: int, rows_a_page: int = ROWS_A_PAGE) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rows = rows
        self.rows_a_page = rows_a_page
        self.pages = 0
        self.on_page: Callable[[], bool] = lambda: False

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that were killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        service: Any = self.server
        place = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path != "/api/v2/connectionlog":
            self._answer('{"holds":[],"id":"a"}', {})
            return
        service.pages += 1
        assert (query["limit"], query["format"]) == (str(ROWS_A_PAGE), "ndjson")
        start = int(query.pop("cursor", "0"))
        end = min(start + service.rows_a_page, service.rows)
        more = {**query, "cursor": str(end)}
        link = {"Link": f'<?{urlencode(more)}>; rel="next"'} if end < service.rows else {}
        if service.on_page():
            self.close_connection = True
            return
        self._answer("".join(map(line, range(start, end))), link)

    def _answer(self, text: str, headers: dict[str, str]) -> None:
        body = text.encode()
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Measured(NamedTuple):
    """The manifest of an export, the pages that it asked for, and the most memory that it had taken at the last."""

    manifest: dict[str, Any]
    pages: int
    megabytes: float


@contextmanager
def answering(rows: int, rows_a_page: int = ROWS_A_PAGE) -> Iterator[Service]:
    with Service(rows, rows_a_page) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()


def exporting(service: Service, directory: Path, *options: str) -> subprocess.Popen[bytes]:
    """The command, at work."""
    command = [sys.executable, "-m", "scripts.exports.command", "--url", f"http://127.0.0.1:{service.server_port}"]
    command += ["--to", "2026-01-01", *options, str(directory)]
    return subprocess.Popen(command, cwd=ROOT, env=environment(GATEBOOK_TOKEN="any"))  # noqa: S603 - our own command


def measured(rows: int, directory: Path, form: str) -> Measured:
    """Export so many rows."""
    with answering(rows) as service:
        most = [0]
        with exporting(service, directory, "--format", form) as process:

            def looked_at() -> bool:
                # What wait() would tell counts the memory of the process that started it, too.
                status = Path(f"/proc/{process.pid}/status").read_text()
                most.append(int(status.partition("VmHWM:")[2].split()[0]))
                return False

            service.on_page = looked_at
            assert process.wait() == 0
        manifest = json.loads((directory / "manifest.json").read_text())
        return Measured(manifest, service.pages, max(most) / 1_024)


def test_a_long_export_takes_a_request_for_each_page_and_the_memory_of_one(tmp_path: Path) -> None:
    few, many = (measured(rows, tmp_path / str(rows), "ndjson") for rows in (ROWS // 3, ROWS))
    for rows, of in ((ROWS // 3, few), (ROWS, many)):
        assert of.manifest["rows"] == rows
        assert of.pages == rows // ROWS_A_PAGE
    assert many.megabytes < MOST_MEGABYTES / 2
    assert many.megabytes < few.megabytes * 1.5, "memory does not follow the number of rows"
    names = [part["name"] for part in many.manifest["parts"]]
    assert all(re.fullmatch(r"part-\d{5}\.ndjson\.gz", name) for name in names)


def test_a_process_that_is_killed_twenty_times_leaves_the_same_bytes(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    numbers = random.Random(20)
    with answering(KILLS * 2 * SHORT_PAGE, SHORT_PAGE) as service:
        with exporting(service, whole, "--part-bytes", "20000") as process:
            assert process.wait() == 0
        for _ in range(KILLS):
            pages_left = [numbers.randrange(1, 4)]
            with exporting(service, killed, "--part-bytes", "20000") as process:

                def dies(process: subprocess.Popen[bytes] = process, pages_left: list[int] = pages_left) -> bool:
                    pages_left[0] -= 1
                    if pages_left[0] < 0:
                        process.kill()
                    return pages_left[0] < 0

                service.on_page = dies
                assert process.wait() == -signal.SIGKILL
        service.on_page = lambda: False
        assert not (killed / "manifest.json").exists()
        with exporting(service, killed, "--part-bytes", "20000") as process:
            assert process.wait() == 0
    names = [part["name"] for part in json.loads((whole / "manifest.json").read_text())["parts"]]
    assert len(names) > KILLS
    assert sorted(path.name for path in killed.iterdir()) == ["manifest.json", *names]
    assert [(killed / name).read_bytes() for name in names] == [(whole / name).read_bytes() for name in names]
