"""A store that answers what was recorded, as a process of its own: `python -m bench.replay < recording`.

With it the CPU of a page has HTTP in it, and no engine. A recording is a JSON object: the operation's target and the
body of a request, with a line's end between, and the text of the answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen


def name_of(target: str, body: bytes) -> str:
    """The name of a request in a recording."""
    return f"{target}\n{body.decode()}"


@contextmanager
def serving(recording: Mapping[str, str]) -> Iterator[str]:
    """The address of such a store, running meanwhile."""
    with Popen([sys.executable, "-m", "bench.replay"], stdin=PIPE, stdout=PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the replay has no input or no output")
        try:
            json.dump(recording, process.stdin)
            process.stdin.close()
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _handler(replies: Mapping[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers what was recorded of a request, and refuses any other."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = replies.get(name_of(self.headers["X-Amz-Target"], body))
            status, content = ("200 OK", reply) if reply is not None else ("404 Not Found", b"{}")
            kind = "application/x-amz-json-1.0"
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content)

    return Handler


def _main() -> None:
    replies = {name: text.encode() for name, text in json.load(sys.stdin).items()}
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(replies)) as server:
        server.daemon_threads = True
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _main()
