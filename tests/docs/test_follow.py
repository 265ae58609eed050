"""The lines that follow a log for ever, run as the documents have them."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.docs.test_commands import blocks

GIVE_UP_AFTER_SECONDS = 60
PAGES = {"": ("one\ntwo\n", "c1"), "c1": ("", "c1-"), "c1-": ("three\n", "c2"), "c2": ("", "c2")}


class Service(ThreadingHTTPServer):
    """Answers pages by cursor, and refuses every third request; says when the last page was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.refusals = 0
        self.at_the_end = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        service: Any = self.server
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        (cursor,) = query["cursor"]
        service.asked.append(cursor)
        if len(service.asked) % 3 == 0:
            service.refusals += 1
            self.send_error(503)
            return
        assert query["order"] == ["arrival"]
        text, following = PAGES[cursor]
        if not text and following == cursor:
            service.at_the_end.set()
        body = text.encode()
        self.send_response(200)
        self.send_header("Link", f'<?q=&cursor={following}&limit=1000>; rel="next"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_a_page_that_is_not_taken_is_met_again(service: Service, tmp_path: Path) -> None:
    (block,) = (block for block in blocks() if block.way == "follow")
    text = block.text.replace("localhost:8000", f"127.0.0.1:{service.server_port}").replace("cat page ", "false ")
    words = ["/bin/bash", "-c", f"token=t\n{text}"]
    result = subprocess.run(words, cwd=tmp_path, check=False, timeout=GIVE_UP_AFTER_SECONDS)  # noqa: S603
    assert result.returncode == 1
    assert service.asked == [""]
    assert not (tmp_path / "gatebook.cursor").exists()


def test_the_lines_meet_every_row_once_and_go_on_where_they_stopped(service: Service, tmp_path: Path) -> None:
    (block,) = (block for block in blocks() if block.way == "follow")
    assert len(block.text.splitlines()) <= 10
    text = block.text.replace("localhost:8000", f"127.0.0.1:{service.server_port}").replace("sleep 10", "sleep 0.01")
    output = tmp_path / "output"
    with output.open("wb") as file:
        words = ["/bin/bash", "-euo", "pipefail", "-c", f"token=t\n{text}"]
        with subprocess.Popen(words, cwd=tmp_path, stdout=file, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            assert service.at_the_end.wait(GIVE_UP_AFTER_SECONDS)
            process.kill()
    assert output.read_text() == "one\ntwo\nthree\n"
    assert service.refusals
    assert (tmp_path / "gatebook.cursor").read_text() == "c2\n"
