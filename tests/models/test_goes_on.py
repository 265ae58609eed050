"""A body that is read in parts, each from where the one before ended, gives the events that it gives as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG
from chalicelib.models import hec, sent
from chalicelib.models.bodies import read_events
from chalicelib.models.sent import Event, Sent

BOTH = (AUDIT_LOG, CONNECTION_LOG)
CRI = "2026-11-20T10:00:00Z {} {} "
Read = Callable[[bytes, Sequence[str], int], Sent]


def event(number: int) -> str:
    return json.dumps({"msg": AUDIT_LOG, "fields": {"ID": str(number), "Action": "write"}})


def human(number: int) -> str:
    return f"2026-10-07 11:34:37.428 [info]  coderd: audit_log  ID={number}"


def pieces(number: int) -> Sequence[Sequence[str]]:
    """The lines of one thing in a log, in every form."""
    line = event(number)
    return (
        [line],
        [human(number)],
        [f"{human(number)} ...", "    ResourceTarget= a", "", f"{'':20}b"],
        [json.dumps({"log": f"{human(number)} ...\n"}), json.dumps({"log": "    ResourceTarget= a\n"})],
        [json.dumps({"log": line[:9], "logtag": "P"}), "a banner", json.dumps({"log": line[9:], "logtag": "F"})],
        [
            CRI.format("stderr", "P") + line[:9],
            CRI.format("stdout", "F") + event(-number),
            CRI.format("stderr", "F") + line[9:],
        ],
        [json.dumps({"message": line})],
        [f"[{line}, {event(-number)}]"],
        [f"{line[:-4]}"],
        ["a banner", "", "{}", "{", "[{"],
        [json.dumps(json.loads(line), indent=1)],
    )


THINGS = st.lists(st.integers(0, len(pieces(0)) - 1), max_size=12)


def ids(read: Sent) -> list[Any]:
    return [entry.value.get("id") for entry in read.entries if isinstance(entry, Event)]


def in_parts(read: Read, body: bytes, most: int) -> Iterator[Any]:
    begin = 0
    with mock.patch.object(sent, "MAX_EVENTS", most):
        while True:
            part = read(body, BOTH, begin)
            yield from ids(part)
            if part.stopped_at is None:
                return
            assert part.stopped_at > begin
            begin = part.stopped_at


@settings(deadline=None, max_examples=100)
@given(things=THINGS, most=st.integers(2, 5), joint=st.sampled_from(["\n", "\n\n", "\r\n"]))
def test_lines_of_any_form_are_all_read_in_parts(things: list[int], most: int, joint: str) -> None:
    body = joint.join(line for number, kind in enumerate(things, 1) for line in pieces(number)[kind]).encode()
    assert set(in_parts(read_events, body, most)) == set(ids(read_events(body, BOTH)))


@settings(deadline=None, max_examples=100)
@given(things=THINGS, most=st.integers(2, 5), cut=st.integers(0, 30))
def test_a_batch_of_any_form_is_all_read_in_parts(things: list[int], most: int, cut: int) -> None:
    texts = [line for number, kind in enumerate(things, 1) for line in pieces(number)[kind]]
    batch = json.dumps(texts)
    splunk = "".join(json.dumps({"event": text}) for text in ("a banner", *texts))
    readers: Sequence[tuple[Read, str]] = ((read_events, batch), (hec.read_events, splunk))
    for read, text in readers:
        body = text[: max(25, len(text) - cut)].encode()
        assert set(in_parts(read, body, most)) == set(ids(read(body, BOTH, 0)))
