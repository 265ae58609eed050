"""The options of the serve command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from scripts.local.data_directory import StartError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message}; see scripts/serve --help")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line.

    Without `data` an embedded engine keeps nothing; without a `stage` paths begin at the root.
    """

    host: str
    port: int
    token_file: Path | None
    sample: bool
    data: Path | None
    stage: str


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65_535):  # noqa: PLR2004 - the last port there is
        raise argparse.ArgumentTypeError(f"{text} is not a port, give a number from 0 to 65535")
    return int(text)


def _stage(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,128}", text):
        raise argparse.ArgumentTypeError(f"{text} is not a stage, give letters, digits, - and _")
    return text


def parse(arguments: Sequence[str] | None) -> Options:
    """The options on a command line; the token is kept in DIR/owner-token unless another file is named.

    Raises:
        StartError: an option is unknown or has a bad value.
    """
    parser = _Parser(prog="scripts/serve", description="Serve Gatebook on this machine.", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen: a name, an IPv4 or an IPv6 address")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: 8000)")
    parser.add_argument("--token-file", type=Path, metavar="PATH", help="write the owner's token there, mode 600")
    parser.add_argument("--no-sample", dest="sample", action="store_false", help="begin without sample data")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep what the embedded engine holds there")
    parser.add_argument(
        "--stage",
        type=_stage,
        default="",
        metavar="NAME",
        help="serve below /NAME, as API Gateway does",
    )
    options = Options(**vars(parser.parse_args(arguments)))
    if options.data is None or options.token_file is not None:
        return options
    return replace(options, token_file=options.data / "owner-token")
