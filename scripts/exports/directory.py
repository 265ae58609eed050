"""The directory of an export: parts, how far it is, and at last the manifest; each file is whole or not there.

A process may be ended at any moment. A file is written under another name, to the disk, and renamed when it is whole.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from chalicelib import times
from chalicelib.export import manifest
from chalicelib.export.manifest import Holds, Origin
from chalicelib.export.progress import Progress
from chalicelib.export.question import Question

STATE: Final = "unfinished.json"
UNFINISHED: Final = ".unfinished"


class DirectoryError(Exception):
    """The directory is not one for this export; the text says why in one line."""


class Begun(NamedTuple):
    """An export that began.

    Attributes:
        question: what is asked.
        origin: who asks whom, and since when.
        holds: the holds then.
        progress: how far it is.
    """

    question: Question
    origin: Origin
    holds: Holds
    progress: Progress


class Ended(NamedTuple):
    """An export that has ended.

    Attributes:
        question: what was asked.
        origin: who asked whom, and when.
        status: `complete` or `partial`.
    """

    question: Question
    origin: Origin
    status: str


class Directory:
    """The files of one export. It is a `Destination` of a walk once the export has begun."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun: Begun | None = None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes from writing here.

        Raises:
            DirectoryError: another process is.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DirectoryError(f"another export is writing to {self.path}") from error
            yield
        finally:
            os.close(descriptor)

    @property
    def manifest(self) -> Mapping[str, Any] | None:
        """The manifest; None where the export has not ended."""
        return self._read(manifest.NAME)

    def ended(self) -> Ended | None:
        """The export that has ended here; None where none has.

        Raises:
            DirectoryError: its manifest cannot be read.
        """
        written = self.manifest
        if written is None:
            return None
        try:
            return Ended(Question.of(written), _origin(written), str(written["status"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DirectoryError(f"{self.path / manifest.NAME} cannot be read: {error}") from error

    def resumed(self) -> Begun | None:
        """The export that began here; None where none did.

        Raises:
            DirectoryError: what is here cannot be read, or is something else.
        """
        saved = self._read(STATE)
        if saved is None:
            others = sorted(path.name for path in self.path.iterdir() if not path.name.endswith(UNFINISHED))
            if others:
                raise DirectoryError(f"{self.path} has other files, such as {others[0]}: name an empty directory")
            return None
        try:
            begun = Begun(
                Question.of(saved["question"]),
                _origin(saved),
                saved["holds"],
                Progress.of(saved["progress"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DirectoryError(f"{self.path / STATE} cannot be read: {error}") from error
        for part in begun.progress.parts:
            path = self.path / part.name
            if not path.exists() or path.stat().st_size != part.bytes:
                raise DirectoryError(f"{path} is not as it was written: begin again in an empty directory")
        return begun

    def start(self, begun: Begun) -> None:
        """Keep what is asked and how far it is; parts that come go with it."""
        self._begun = begun
        for path in self.path.glob(f"*{UNFINISHED}"):
            path.unlink()
        self.note(begun.progress)

    def begin(self, name: str) -> BinaryIO:
        """A file for a part, under another name."""
        return (self.path / f"{name}{UNFINISHED}").open("wb")

    def finish(self, name: str, sink: BinaryIO, progress: Progress) -> None:
        """Give a part its name, and keep how far the export is."""
        self._place(name, sink)
        self.note(progress)

    def note(self, progress: Progress) -> None:
        """Keep how far the export is."""
        begun = self._begun
        assert begun is not None  # noqa: S101 - `start` comes first
        self._write(
            STATE,
            {
                "question": begun.question.saved(),
                "source": begun.origin.source,
                "asked_by": begun.origin.asked_by,
                "began_at": times.wire(begun.origin.began),
                "holds": begun.holds,
                "progress": progress.saved(),
            },
        )

    def end(self, written: Mapping[str, Any]) -> None:
        """Write the manifest, and forget how far the export was."""
        self._write(manifest.NAME, written)
        (self.path / STATE).unlink()
        self._sync()

    def _read(self, name: str) -> Mapping[str, Any] | None:
        path = self.path / name
        if not path.exists():
            return None
        try:
            value = json.loads(path.read_text())
        except ValueError as error:
            raise DirectoryError(f"{path} cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise DirectoryError(f"{path} holds no JSON object")
        return value

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        sink = self.begin(name)
        sink.write(json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")
        self._place(name, sink)

    def _place(self, name: str, sink: BinaryIO) -> None:
        with sink:
            sink.flush()
            os.fsync(sink.fileno())
        (self.path / f"{name}{UNFINISHED}").replace(self.path / name)
        self._sync()

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _origin(saved: Mapping[str, Any]) -> Origin:
    return Origin(saved["source"], saved["asked_by"], times.from_wire(saved["began_at"]))
