"""A human entry and the lines below it are one event, where a collector puts each line into an object or a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chalicelib.logs.service_log import AUDIT_LOG
from chalicelib.models.bodies import read_events
from chalicelib.models.sent import Event, Sent

HEAD = "2026-10-07 11:34:37.428 [info]  coderd: audit_log  ID={}"
ENTRY = [f"{HEAD.format(1)}  Action=write ...", "    ResourceTarget= one", "", " " * 20 + "three"]
OTHER = HEAD.format(2)
EVENTS = [{"id": "1", "action": "write", "resource_target": "one\n\nthree"}, {"id": "2"}]
CRI = "2026-11-20T10:00:00Z stderr F "
Form = Callable[[Sequence[str]], str]

FORMS: dict[str, Form] = {
    "docker": lambda lines: "\n".join(json.dumps({"log": f"{line}\n", "stream": "stderr"}) for line in lines),
    "message": lambda lines: "\n".join(json.dumps({"message": line, "host": "h"}) for line in lines),
    "journald": lambda lines: "\n".join(json.dumps({"MESSAGE": line, "_PID": "1"}) for line in lines),
    "objects": lambda lines: json.dumps([{"log": line, "date": 1.5} for line in lines]),
    "texts": json.dumps,
    "CRI in objects": lambda lines: json.dumps([{"message": f"{CRI}{line}"} for line in lines]),
    "a batch that breaks off": lambda lines: json.dumps({"events": [{"log": line} for line in lines]})[:-2],
    "in a wrapper": lambda lines: json.dumps({"message": "\n".join(json.dumps({"log": line}) for line in lines)}),
}


def read(body: str) -> Sent:
    return read_events(body.encode(), (AUDIT_LOG,))


def events(sent: Sent) -> list[Any]:
    return [entry.value for entry in sent.entries if isinstance(entry, Event)]


@pytest.mark.parametrize("form", FORMS)
def test_lines_below_an_entry_are_part_of_it(form: str) -> None:
    for lines in ([*ENTRY, OTHER], [OTHER, *ENTRY], ["a banner", *ENTRY, "    of nothing", OTHER]):
        made = events(read(FORMS[form](lines)))
        assert sorted(made, key=lambda event: event["id"])[1:] == EVENTS[1:]
        assert next(event for event in made if event["id"] == "1")["resource_target"].startswith("one\n\nthree")


@pytest.mark.parametrize("form", FORMS)
def test_an_entry_whose_lines_below_do_not_follow_is_an_event_all_the_same(form: str) -> None:
    for lines in (ENTRY[:1], [ENTRY[0], OTHER, *ENTRY[1:]], [ENTRY[0], ENTRY[0].replace("ID=1", "ID=2")]):
        made = events(read(FORMS[form](lines)))
        assert [event["id"] for event in made] == ["1", "2"][: len(lines)]
        assert made[0]["resource_target"] == "..."


def test_lines_of_another_stream_or_of_no_object_are_not_below() -> None:
    first, second = (
        json.dumps({"log": line, "stream": stream}) for line, stream in zip(ENTRY[:2], ("a", "b"), strict=True)
    )
    for body in (
        f"{first}\n{second}",
        f"{first}\na banner [x]\n{second}",
        f'{first}\n{{"a":\n{second}',
        f"{first}\n{json.dumps({'msg': 'audit_log', 'fields': {}})}\n{second}",
        f"[{first},{{NaN}},{second}]",
        f"[{first},7,{second}]",
    ):
        assert events(read(body))[0] == {"id": "1", "action": "write", "resource_target": "..."}


def test_the_place_of_an_entry_is_that_of_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [OTHER, *ENTRY, OTHER, *ENTRY]
    assert [entry.index for entry in read(FORMS["docker"](lines)).entries] == [0, 1, 5, 6]
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 3)
    sent = read(FORMS["docker"](lines))
    assert sent.stopped_at == 6
    behind = read_events(FORMS["docker"](lines).encode(), (AUDIT_LOG,), 6)
    assert events(behind) == EVENTS[:1]


def test_an_entry_does_not_take_in_lines_without_an_end() -> None:
    lines = [*ENTRY, *["    more"] * 5_000, OTHER]
    first, second = events(read(FORMS["docker"](lines)))
    assert first["resource_target"].count("\n") < 3_000
    assert second == EVENTS[1]
