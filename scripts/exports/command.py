"""Exports the rows of a query: `scripts/export --url https://gatebook.example.com --token-file PATH --log audit DIR`.

It writes parts, and last a manifest. It may be ended at any moment: the same command goes on with the same bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib import times
from chalicelib.export import manifest
from chalicelib.export.formats import FORMATS
from chalicelib.export.parts import PART_BYTES
from chalicelib.export.progress import Progress
from chalicelib.export.question import Question
from chalicelib.export.walk import walk
from chalicelib.search import values
from chalicelib.search.filters import FILTERS
from chalicelib.search.pinning import pinned
from scripts.exports.check import problems
from scripts.exports.directory import Begun, Directory, DirectoryError, Ended
from scripts.exports.service import PATHS, Service, ServiceError, getting

TOKEN = "GATEBOOK_TOKEN"  # noqa: S105 - the name of a variable
_SMALLEST_PART = 1_000


class Asked(NamedTuple):
    """The options of the command line.

    Attributes:
        question: what to export.
        until_now: whether it named no end.
        source: the address of the service.
        part_bytes: how large a part is.
    """

    question: Question
    until_now: bool
    source: str
    part_bytes: int


def export(directory: Directory, service: Service, asked: Asked) -> Mapping[str, Any]:
    """Export what is asked, or go on with it, and answer with the manifest.

    Raises:
        DirectoryError: the directory is not one for it, or another user began it.
        ServiceError: the service refuses it, or does not answer.
    """
    begun = directory.resumed()
    if begun is None:
        origin = manifest.Origin(asked.source, service.caller(), times.now())
        question = _pinned(asked.question, origin.began)
        begun = Begun(question, origin, service.holds(question.log), Progress())
    else:
        _require_same(asked, directory, begun)
        if begun.origin.asked_by not in (None, caller := service.caller()) and caller is not None:
            # Who may read other rows would make an export that is neither theirs nor the first one's.
            raise DirectoryError(f"{directory.path} has an export of the user {begun.origin.asked_by}, not of {caller}")
    directory.start(begun)
    question, progress = begun.question, begun.progress
    for progress in walk(
        question,
        begun.progress,
        lambda cursor: service.page(question, cursor),
        directory,
        part_bytes=asked.part_bytes,
        report=_report,
    ):
        _report(progress.rows)
    holds = begun.holds, service.holds(question.log)
    written = manifest.manifest(question, progress, begun.origin, times.now(), holds)
    directory.end(written)
    return written


def _require_same(asked: Asked, directory: Directory, there: Begun | Ended) -> None:
    if not _goes_on(asked, there):
        raise DirectoryError(f"{directory.path} has another export, of {there.origin.source}: {there.question.saved()}")


def _goes_on(asked: Asked, begun: Begun | Ended) -> bool:
    """Whether the same was asked before. What was asked until now was asked until the first time."""
    end = begun.question.end if asked.until_now else asked.question.end
    return (_pinned(asked.question._replace(end=end), begun.origin.began), asked.source) == (
        begun.question,
        begun.origin.source,
    )


def _pinned(question: Question, now: datetime) -> Question:
    """The question with times that are counted from now counted from a moment, so that it is the same tomorrow."""
    return question._replace(q=pinned(question.q, FILTERS[question.log], now))


def _report(rows: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{rows:,} rows", end="", file=sys.stderr, flush=True)


def _end(text: str) -> datetime:
    return _moment(text) + (timedelta(days=1) - timedelta.resolution if values.is_day(text) else timedelta())


def _moment(text: str) -> datetime:
    try:
        return values.date(text) if values.is_day(text) else values.timestamp(text)
    except values.WrongValue as error:
        raise argparse.ArgumentTypeError(f"{text} is no day and no RFC 3339 time") from error


def _part_bytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= _SMALLEST_PART):
        raise argparse.ArgumentTypeError(f"{text} is no number of {_SMALLEST_PART} or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/export", description="Export the rows of a query as files.", allow_abbrev=False
    )
    parser.add_argument(
        "directory", type=Path, metavar="DIR", help="where the files go; the same command goes on there"
    )
    parser.add_argument("--check", action="store_true", help="read an export again, without the service")
    parser.add_argument("--url", default="http://localhost:8000", help="of the service, with its stage")
    parser.add_argument("--token-file", type=Path, metavar="PATH", help=f"has the token; or it is in {TOKEN}")
    parser.add_argument("--log", choices=sorted(PATHS), default="connection")
    parser.add_argument("--q", default="", metavar="QUERY", help="which rows, as the API takes it; none means all")
    parser.add_argument(
        "--from", dest="begin", type=_moment, metavar="TIME", help="a day or an RFC 3339 time, included"
    )
    parser.add_argument("--to", dest="end", type=_end, metavar="TIME", help="the same; without one it is now")
    parser.add_argument("--format", choices=list(FORMATS), default="ndjson")
    parser.add_argument("--part-bytes", type=_part_bytes, default=PART_BYTES, metavar="N", help="of a part, compressed")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 where the export is whole, 1 where it is not, 2 where it could not be made or read."""
    options = _parser().parse_args(arguments)
    directory = Directory(options.directory)
    try:
        if options.check:
            return _checked(directory)
        end = options.end or times.now()
        question = Question(options.log, options.q.strip(), options.begin, end, options.format)
        asked = Asked(question, options.end is None, options.url, options.part_bytes)
        with directory.claimed():
            if (ended := directory.ended()) is not None:
                _require_same(asked, directory, ended)
                print(f"{options.directory} has this export already: {ended.status}; --check reads it again")
                return 0 if ended.status == "complete" else 1
            token = options.token_file.read_text().strip() if options.token_file else os.environ.get(TOKEN, "")
            written = export(directory, Service(getting(options.url, token)), asked)
        digest = sha256((directory.path / manifest.NAME).read_bytes()).hexdigest()
        print(f"{written['status']}: {written['rows']:,} rows; SHA-256 of {manifest.NAME}: {digest}")
    except (DirectoryError, ServiceError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("export: stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0 if written["status"] == "complete" else 1


def _checked(directory: Directory) -> int:
    written = directory.manifest
    if written is None:
        raise DirectoryError(f"{directory.path} has no {manifest.NAME}: no export has ended there")
    wrong = list(problems(directory.path, written))
    print(*wrong or [f"{written.get('status')}: every part is as {manifest.NAME} says"], sep="\n")
    return 1 if wrong or written.get("status") != "complete" else 0


if __name__ == "__main__":
    sys.exit(main())
