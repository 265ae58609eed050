"""The serve command: all of Gatebook as one process in the foreground, until Ctrl-C or SIGTERM ends it.

What stands in the way of a start is told in one line that says what to do, with exit status 2. Whatever can be known
early is checked before the slow work: options, directories, the port.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import select
import shlex
import signal
import socket
import sys
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import GatebookError
from scripts.gateway.application import Gateway
from scripts.local.checks import ENDPOINT, asked, bound, check_settings, use_endpoint
from scripts.local.kept import Kept, StartError, claimed, read_kept_token, write_token
from scripts.local.schedule import Schedule
from scripts.local.server import LocalServer, url_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


SAVE_EVERY_SECONDS = 30.0
END_WITHIN_SECONDS = 4


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that no library's error handling holds it up."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message}; see scripts/serve --help")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; without `data` an embedded engine keeps nothing."""

    host: str
    port: int
    token_file: Path | None
    sample: bool
    data: Path | None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65_535):  # noqa: PLR2004 - the last port there is
        raise argparse.ArgumentTypeError(f"{text} is not a port, give a number from 0 to 65535")
    return int(text)


def parse(arguments: Sequence[str] | None) -> Options:
    """The options on a command line; the token is kept in DIR/owner-token unless told otherwise.

    Raises:
        StartError: an option is unknown or has a bad value.
    """
    parser = _Parser(prog="scripts/serve", description="Serve Gatebook on this machine.", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen: a name, an IPv4 or an IPv6 address")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: 8000)")
    parser.add_argument("--token-file", type=Path, metavar="PATH", help="write the owner's token there, mode 600")
    parser.add_argument("--no-sample", dest="sample", action="store_false", help="begin without sample data")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep what the embedded engine holds there")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.data is None or options.token_file is not None:
        return options
    return Options(options.host, options.port, options.data / "owner-token", options.sample, options.data)


def _create_tables(endpoint: str | None) -> bool:
    """Create what is missing; whether that was every table, so that nobody's rows can be in them."""
    from chalicelib.store.dynamodb import schema, tables  # noqa: PLC0415 - the engine has to be started first

    logging.disable(logging.WARNING)  # the store's own account of a failure would be a second line
    try:
        created = schema.create_missing_tables()
    except (GatebookError, BotoCoreError, ClientError) as error:
        if endpoint is None:
            raise
        raise StartError(
            f"The engine at {endpoint} does not work as DynamoDB does ({error}); check {ENDPOINT}"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    return len(created) == len(tables.TABLES)


def curl_lines(url: str, token: str, organization_id: str, owner_id: str) -> list[str]:
    """Three commands to paste: list the connection log, ask it a question, add an event that answers the question."""
    header = "-H " + shlex.quote(f"Coder-Session-Token: {token}")
    logs = shlex.quote(f"{url}/api/v2/connectionlog")
    event = {
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "connection_status": "connected",
        "connection_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        "workspace_owner_id": owner_id,
        "workspace_id": str(uuid.uuid4()),
        "workspace_name": "first-workspace",
        "agent_name": "main",
        "type": "ssh",
        "ip": "192.0.2.1",
    }
    line = shlex.quote(json.dumps(event, separators=(",", ":")))
    return [
        f"curl {header} {shlex.quote(url + '/api/v2/connectionlog?limit=3')}",
        f"curl -G {header} --data-urlencode 'q=status:ongoing type:ssh' {logs}",
        f"curl {header} -H 'Content-Type: application/x-ndjson' --data-binary {line} {logs}",
    ]


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def _where_rows_live(endpoint: str | None, data: Path | None) -> str:
    if endpoint:
        return f"Rows are in the engine at {endpoint}."
    if data:
        return f"Rows are kept in {data} for the next start."
    return "Nothing is kept: all rows are gone when this ends. Give --data DIR to keep them."


def serve(options: Options, wake_up: socket.socket) -> NoReturn:
    """Start everything, say how to use it, and serve until a signal comes.

    Args:
        options: the command line.
        wake_up: can be read from as soon as a signal has come.

    Raises:
        StartError: something stands in the way.
    """
    with ExitStack() as stack:
        if options.data is not None:
            stack.enter_context(claimed(options.data))
        kept_token = read_kept_token(options.token_file) if options.token_file else None
        listener = bound(options.host, options.port)
        stack.callback(listener.close)
        check_settings(url_of(listener))
        endpoint = os.environ.get(ENDPOINT) or None
        kept: Kept | None = None
        restored = False
        if endpoint:
            _say(f"Using the engine at {endpoint} ...")
            use_endpoint(endpoint)
            empty = _create_tables(endpoint)
        else:
            from scripts.local.engine import EmbeddedEngine  # noqa: PLC0415 - only this way needs moto, slow to import

            _say("Starting the embedded engine ...")
            os.environ.pop(ENDPOINT, None)
            engine = stack.enter_context(EmbeddedEngine())
            empty = _create_tables(endpoint)
            if options.data is not None:
                kept = Kept(engine, options.data)
                stack.callback(kept.close)
                restored = kept.restore()

        from scripts.local import owner, sample  # noqa: PLC0415 - the engine has to be started first

        token = owner.ensure_owner(kept_token)
        if empty and not restored and options.sample:
            _say(f"Loaded {sample.load()} sample events.")
        from app import app, purge  # noqa: PLC0415 - as above
        from chalicelib.api.http import RESPONSE_HEADERS  # noqa: PLC0415 - as above

        server = LocalServer(Gateway(app, RESPONSE_HEADERS), listener)
        if kept is not None:
            stack.callback(kept.save)
        stack.callback(server.stop)
        server.start()
        stack.enter_context(Schedule(purge))
        owner_id = asked(server.url, token, "/api/v2/users/me")["id"]
        organizations = asked(server.url, token, "/api/v2/organizations")
        organization_id = organizations[0]["id"] if organizations else str(uuid.UUID(int=0))
        if kept is not None:
            kept.save()
        if options.token_file is not None:
            write_token(options.token_file, token)
        _say(
            f"Gatebook is ready at {server.url}",
            f"The owner's token: {token}",
            _where_rows_live(endpoint, options.data),
            "Try:",
            *(f"  {line}" for line in curl_lines(server.url, token, organization_id, owner_id)),
        )
        while True:
            # Not a sleep: a signal that comes just before one begins would be heard only after it.
            select.select([wake_up], [], [], SAVE_EVERY_SECONDS)
            if kept is not None:
                kept.save()


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: a second signal must not cut the last save short. Should anything hang, SIGALRM ends the process.
    signal.signal(signal.SIGINT, _once_is_enough)
    signal.signal(signal.SIGTERM, _once_is_enough)
    signal.alarm(END_WITHIN_SECONDS)
    raise _Stopped


def _once_is_enough(_signal: int, _frame: FrameType | None) -> None:
    """Hear a signal and do nothing; to ignore it outright is a race that Python complains of."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 0 when it was told to end, 2 when it could not start."""
    wake_up, written = socket.socketpair()
    written.settimeout(0)
    signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        serve(parse(arguments), wake_up)
    except _Stopped:
        return 0
    except StartError as error:
        print("serve:", " ".join(str(error).split()), file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
