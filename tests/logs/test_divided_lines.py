"""A line that a container's runtime divides is one line again, whichever collector read its parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

import pytest

from chalicelib.models.bodies import read_events
from chalicelib.models.sent import Event, Unreadable

FULL = 16_384
Objects = list[dict[str, Any]]


def line(number: int, length: int = 40_000) -> str:
    return json.dumps({"msg": "audit_log", "fields": {"ID": str(number), "ResourceTarget": 'é"\\' * (length // 8)}})


def parts(text: str) -> list[str]:
    return [text[start : start + FULL] for start in range(0, len(text), FULL)]


def docker(text: str, stream: str = "stderr") -> Objects:
    return [{"log": part, "stream": stream, "time": "t"} for part in parts(f"{text}\n")]


def marked(name: str) -> Callable[[str, str], Objects]:
    def made(text: str, stream: str = "stderr") -> Objects:
        cut = parts(text)
        tags = ["P"] * (len(cut) - 1) + ["F"]
        return [{"time": "t", "stream": stream, name: tag, "log": part} for tag, part in zip(tags, cut, strict=True)]

    return made


def fluentd(text: str, stream: str = "stderr") -> Objects:
    cut = parts(text)
    about = {"container_id": "c", "partial_message": "true", "partial_id": stream}
    return [
        {**about, "partial_ordinal": str(number), "partial_last": str(number == len(cut)).lower(), "log": part}
        for number, part in enumerate(cut, 1)
    ]


def by_lines(objects: Sequence[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, objects))


FORMS = [docker, marked("logtag"), marked("_p"), fluentd]
BODIES = [
    by_lines,
    json.dumps,
    lambda objects: json.dumps({"logs": objects}),
    lambda objects: json.dumps(objects) + "\n",
]


def ids(body: str) -> list[str]:
    entries = read_events(body.encode(), ("audit_log",)).entries
    return [
        entry.value["id"] for entry in entries if isinstance(entry, Event) and len(entry.value["resource_target"]) > 9
    ]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("form", FORMS)
def test_a_divided_line_is_one_event(form: Callable[..., Objects], body: Callable[[Objects], str]) -> None:
    objects = [*form(line(1)), *form(line(2, 80)), *form(line(3))]
    assert ids(body(objects)) == ["1", "2", "3"]


@pytest.mark.parametrize("form", FORMS)
def test_parts_of_two_streams_are_told_apart(form: Callable[..., Objects]) -> None:
    pairs = zip_longest(form(line(1), "stdout"), form(line(2, 60_000), "stderr"))
    assert sorted(ids(by_lines([one for one in chain.from_iterable(pairs) if one]))) == ["1", "2"]


def test_a_whole_line_behind_a_part_that_never_ends_is_read() -> None:
    lost = docker(line(1))[0]
    whole = {"log": line(2, 80), "stream": "stderr"}
    read = read_events(by_lines([lost, whole]).encode(), ("audit_log",))
    assert [type(entry) for entry in read.entries] == [Event, Unreadable]
    assert [entry.index for entry in read.entries] == [1, 0]


def test_a_part_that_is_no_text_is_no_part() -> None:
    body = json.dumps([{"log": None, "logtag": "P"}, {"log": 1, "_p": "P"}, {"message": "a", "logtag": 1}])
    assert all(isinstance(entry, Event) for entry in read_events(body.encode(), ("audit_log",)).entries)
