"""The senders command: each shipper sends a log to a served instance with a throttled store, and arrivals are counted.

Status 0 says that of every shipper every event is stored, once, and none is left to be sent. What cannot be installed
is left out, and said. Nothing is held against a clock; a shipper by which nothing more arrives for a while is stuck.
"""

from __future__ import annotations

import argparse
import base64
import logging
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG
from scripts.local.engine import EmbeddedEngine
from scripts.markdown import markdown
from scripts.shipping import log
from scripts.shipping.senders import SENDERS, Job, Sender, coder_logger, end
from scripts.shipping.wire import Wire

PATHS: Mapping[str, str] = {AUDIT_LOG: "/api/v2/audit", CONNECTION_LOG: "/api/v2/connectionlog"}
TOKEN = b"{token}"
"""The text in a recording in place of a token."""
_INSTALLED = Path(__file__).parents[2] / ".venv" / "senders"
_STUCK_SECONDS = 60.0
_MOST_REQUESTS = 400
"""After so many a shipper that is still refused will never be done."""
_POLL_SECONDS = 0.2
_OK = 200
_SENT_AGAIN = 503


class Arrival(NamedTuple):
    """The results of one shipper's events.

    Attributes:
        sender: its name.
        message: of the log.
        sent: how many events of the log the file has.
        arrived: how many of these are stored.
        doubled: how many rows there are beside.
        statuses: of the service's answers, in order.
    """

    sender: str
    message: str
    sent: int
    arrived: int
    doubled: int
    statuses: Sequence[int]

    @property
    def is_stuck(self) -> bool:
        """Whether the last answer was that something is still to be sent, or was to nothing at all."""
        return not self.statuses or self.statuses[-1] != _OK

    @property
    def is_right(self) -> bool:
        """Whether each event is stored once, and none is to be sent."""
        return self.arrived == self.sent and not self.doubled and not self.is_stuck

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row of the table."""
        by_status = Counter(self.statuses)
        lost = self.sent - self.arrived
        stuck = "yes" if self.is_stuck else "no"
        numbers = (self.sent, lost, self.doubled, stuck, len(self.statuses), by_status[_SENT_AGAIN])
        return self.sender, self.message, *map(str, numbers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    options = _parser().parse_args(arguments)
    # What the store refuses is meant to be refused.
    logging.disable(logging.WARNING)
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    with EmbeddedEngine() as engine, tempfile.TemporaryDirectory() as place:
        lines = Path(place) / "coder.log"
        lines.write_text(_lines(options.events))
        if options.record is not None:
            options.record.mkdir(parents=True, exist_ok=True)
            shutil.copy(lines, options.record)
        arrivals: list[Arrival] = []
        for sender in _installed(options.only):
            for message in PATHS:
                engine.clear()
                own = Path(tempfile.mkdtemp(dir=place))
                arrivals.append(_tried(sender, message, options.events, lines, own, options.record))
    heads = ("sender", "log", "events", "lost", "doubled", "stuck", "requests", "answered 503")
    print(markdown(heads, [arrival.cells for arrival in arrivals]))
    return 0 if arrivals and all(arrival.is_right for arrival in arrivals) else 1


def _tried(sender: Sender, message: str, events: int, lines: Path, place: Path, record: Path | None) -> Arrival:
    """Let one shipper send one log."""
    # The one import that waits: see its docstring.
    from scripts.shipping.served import HOST, rows, served  # noqa: PLC0415

    wanted = {log.made_id(message, number) for number in range(events)}
    statuses: list[int] = []
    with served(statuses, loses_calls=sender.sends_again) as (port, token), Wire(port) as wire:
        processes = sender.start(Job(lines, HOST, wire.port, PATHS[message], token, place, _INSTALLED))
        try:
            _wait(statuses, lambda: wanted <= rows(message).keys() and statuses[-1:] == [_OK])
        finally:
            end(processes)
        stored = rows(message)
        if record is not None:
            _record(record, f"{sender.name}.{message}", wire, token)
    arrived = len(wanted & stored.keys())
    return Arrival(sender.name, message, len(wanted), arrived, stored.total() - arrived, statuses)


def _wait(statuses: Sequence[int], is_done: Callable[[], bool]) -> None:
    """Wait until all is done, or until no request has come for a while."""
    count, since = -1, time.monotonic()
    while not is_done():
        if len(statuses) != count:
            count, since = len(statuses), time.monotonic()
        if time.monotonic() - since > _STUCK_SECONDS or count > _MOST_REQUESTS:
            return
        time.sleep(_POLL_SECONDS)


def _record(directory: Path, name: str, wire: Wire, token: str) -> None:
    """Keep what a shipper put on the wire, without the token and the port."""
    basic = base64.b64encode(f"gatebook:{token}".encode())
    hidden = {token.encode(): TOKEN, basic: b"{basic}", f"127.0.0.1:{wire.port}".encode(): b"127.0.0.1:8000"}
    # In a body as long as it was, so that its length stays.
    here = str(_INSTALLED.parents[1]).encode()
    hidden[here] = b"/srv".ljust(len(here), b"-")
    hidden[socket.gethostname().encode()] = b"h" * len(socket.gethostname())
    sent = b"".join(wire.connections)
    for secret, name_of_it in hidden.items():
        sent = sent.replace(secret, name_of_it)
    (directory / f"{name}.http").write_bytes(sent)


def _lines(events: int) -> str:
    logged = [*log.entries(events)]
    try:
        return log.by_coder(coder_logger(_INSTALLED), logged)
    except (OSError, subprocess.SubprocessError) as error:
        _left_out("Coder's logger", error)
        return log.by_gatebook(logged)


def _installed(only: Sequence[str]) -> Iterator[Sender]:
    for sender in SENDERS:
        if only and sender.name not in only:
            continue
        try:
            sender.install(_INSTALLED)
        except (OSError, subprocess.SubprocessError) as error:
            _left_out(sender.name, error)
        else:
            yield sender


def _left_out(name: str, error: Exception) -> None:
    said = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else str(error)
    print(f"{name} cannot be installed and is left out: {said.strip()[-200:]}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/senders", description=__doc__)
    names = [sender.name for sender in SENDERS]
    parser.add_argument("--only", action="append", default=[], metavar="NAME", choices=names, help="a shipper to try")
    parser.add_argument("--events", type=int, default=200, help="events of each log (200)")
    parser.add_argument("--record", type=Path, metavar="DIRECTORY", help="keep what each puts on the wire")
    return parser


if __name__ == "__main__":
    sys.exit(main())
