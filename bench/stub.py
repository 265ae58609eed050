"""A store that takes every row it is sent after a fixed time, as a process of its own: `python -m bench.stub`.

With it the time and the CPU of a request have HTTP in them, and no engine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen

CALL_SECONDS = 0.005
_STATEMENT = b'"Statement":'


@contextmanager
def serving() -> Iterator[str]:
    """The address of such a store, running meanwhile."""
    with Popen([sys.executable, "-m", "bench.stub"], stdout=PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the stub has no output")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    """Answers BatchExecuteStatement and PutItem alone."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take the rows."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(CALL_SECONDS)
        taken = ",".join(["{}"] * body.count(_STATEMENT))
        text = f'{{"Responses":[{taken}]}}'.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(text)}\r\n\r\n"
        self.wfile.write(head.encode() + text)


def _main() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _main()
