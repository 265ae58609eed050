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
LONG = "x" * 20_000
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


def from_file(text: str, stream: str = "stderr") -> Objects:
    """Lines of a runtime, as collectors read them that know nothing of it."""
    cut = parts(text)
    tags = ["P"] * (len(cut) - 1) + ["F"]
    return [
        {"message": f"2026-11-20T10:00:00.1Z {stream} {tag} {part}", "file": "0.log"}
        for tag, part in zip(tags, cut, strict=True)
    ]


def by_lines(objects: Sequence[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, objects))


def texts(objects: Sequence[dict[str, Any]]) -> list[str]:
    return [one["message"] for one in objects]


FORMS = [docker, marked("logtag"), marked("_p"), fluentd, from_file]
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


@pytest.mark.parametrize(
    "body",
    [lambda objects: "\n".join(texts(objects)), lambda objects: json.dumps(texts(objects))],
    ids=["lines", "array"],
)
def test_lines_of_a_runtime_are_joined_by_stream(body: Callable[[Objects], str]) -> None:
    pairs = zip_longest(from_file(line(1), "stdout"), from_file(line(2, 60_000)))
    objects = [one for one in chain.from_iterable(pairs) if one]
    assert sorted(ids(body([*objects, *from_file(line(3))]))) == ["1", "2", "3"]


def test_what_stands_below_a_divided_entry_belongs_to_it() -> None:
    entry = f"2026-11-20 10:00:00.000 [info]  api: audit_log  ID=1  IP={LONG}  Diff={{}}  ResourceTarget= ..."
    lines = [
        *from_file(entry),
        *from_file("    ResourceTarget= multi"),
        *from_file(" " * 20 + "line"),
        *from_file(line(2)),
    ]
    first, second = read_events("\n".join(texts(lines)).encode(), ["audit_log"]).entries
    assert isinstance(first, Event)
    assert first.value["resource_target"] == "multi\nline"
    assert second.index == 4


def test_a_place_is_never_between_the_parts_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)
    small = from_file(line(2, 80), "stdout")
    sent = read_events(
        "\n".join(texts([*small, from_file(line(1))[0], *small, *from_file(line(1))[1:], *small])).encode(),
        ["audit_log"],
    )
    assert [entry.index for entry in sent.entries] == [0, 1]
    assert sent.stopped_at == 1
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 3)
    sent = read_events(
        "\n".join(texts([*small, from_file(line(1))[0], *small, *from_file(line(1))[1:], *small])).encode(),
        ["audit_log"],
    )
    assert sent.stopped_at == 1 + len(from_file(line(1))) + 1


def test_a_part_that_never_ends_does_not_hold_up_what_is_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 5_000)
    small = texts(from_file(line(2, 80), "stdout"))
    sent = read_events("\n".join([texts(from_file(line(1)))[0], *small * 6_000]).encode(), ["audit_log"])
    assert len(sent.entries) == 5_000
    assert sent.stopped_at == 5_000


def test_a_whole_line_behind_a_part_that_never_ends_is_read() -> None:
    lost = docker(line(1))[0]
    whole = {"log": line(2, 80), "stream": "stderr"}
    read = read_events(by_lines([lost, whole]).encode(), ("audit_log",))
    assert [type(entry) for entry in read.entries] == [Event, Unreadable]
    assert [entry.index for entry in read.entries] == [1, 1]


def test_a_part_that_is_no_text_is_no_part() -> None:
    body = json.dumps([{"log": None, "logtag": "P"}, {"log": 1, "_p": "P"}, {"message": "a", "logtag": 1}])
    assert all(isinstance(entry, Event) for entry in read_events(body.encode(), ("audit_log",)).entries)
