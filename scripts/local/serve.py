"""The serve command: all of Gatebook as one process in the foreground, until Ctrl-C or SIGTERM ends it.

A start that fails prints one line that says what to do, and exits with status 2. Whatever can be known
early is checked before the slow work: options, directories, the port.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from scripts.local.checks import ENDPOINT, bind_settings, bound, use_endpoint, use_exports, use_secrets_key
from scripts.local.data_directory import StartError, claimed, read_kept_token, write_token
from scripts.local.options import Options, parse
from scripts.local.server import url_of
from scripts.local.welcome import curl_lines, where_rows_are

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine

END_WITHIN_SECONDS = 4


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that no library's error handling holds it up."""


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


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
        endpoint = os.environ.get(ENDPOINT) or None
        if endpoint is None:
            use_secrets_key(options.data)
            use_exports(url_of(listener))
        bind_settings(url_of(listener))
        engine = _engine(endpoint, stack)

        # The service takes its settings and its endpoint as it is imported: docs/decisions/settings.md.
        from scripts.local import running  # noqa: PLC0415

        is_empty = running.create_tables(endpoint)
        if engine is not None and options.data is not None:
            is_empty = not stack.enter_context(running.persisted(engine, options.data))
        if engine is not None:
            stack.enter_context(running.forgetting(engine))
        # The owner joins the default organization, which the sample has.
        if is_empty and options.sample:
            _say(f"Loaded {running.load_sample()} sample events.")
        token = running.ensure_owner(kept_token)
        if engine is not None:
            stack.enter_context(running.exporting(engine, options.data))
        place = stack.enter_context(running.answering(listener, options.stage, token, has_bucket=engine is not None))
        if options.token_file is not None and token != kept_token:
            write_token(options.token_file, token)
        _say(
            f"Look around at {place.url}/ui",
            f"The owner's token: {token}",
            f"Gatebook is ready at {place.url}",
            where_rows_are(endpoint, options.data),
            "Try:",
            *(f"  {line}" for line in curl_lines(place.url, token, place.organization_id, place.owner_id)),
        )
        while True:
            # Not a sleep: a signal that comes just before one begins would be heard only after it.
            select.select([wake_up], [], [])


def _engine(endpoint: str | None, stack: ExitStack) -> EmbeddedEngine | None:
    """The embedded engine, running until the stack is left; None where another one is to be used."""
    if endpoint:
        _say(f"Using the engine at {endpoint} ...")
        use_endpoint(endpoint)
        return None
    _say("Starting the embedded engine ...")
    from scripts.local.engine import EmbeddedEngine  # noqa: PLC0415 - moto is slow to import, and not always needed

    os.environ.pop(ENDPOINT, None)
    return stack.enter_context(EmbeddedEngine())


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: a second signal must not cut the ending short. Should anything hang, SIGALRM ends the process.
    signal.signal(signal.SIGINT, _once_is_enough)
    signal.signal(signal.SIGTERM, _once_is_enough)
    signal.alarm(END_WITHIN_SECONDS)
    raise _Stopped


def _once_is_enough(_signal: int, _frame: FrameType | None) -> None:
    """Hear a signal and do nothing; to ignore it outright is a race that Python complains of."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 0 when a signal ended it, 2 when it could not start."""
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
