"""The logs of provisioner jobs: in by batch, capped, and out by build and by version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.platform.job_logs import NOTICE
from tests.api.platform_house import Platform

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply

AT = "2026-07-08T12:00:00Z"


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


@pytest.fixture
def job(platform: Platform) -> str:
    return platform.job(type="template_version_import")


@pytest.fixture
def path(platform: Platform, job: str) -> str:
    return f"/api/v2/templateversions/{platform.version(platform.template('rust'), job_id=job)}/logs"


def line(number: int, output: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "created_at": AT, "log_source": "provisioner", "stage": "plan", "output": output, **more}


def send(platform: Platform, job: str, *lines: dict[str, Any]) -> Reply:
    return platform.client.put(f"/api/v2/provisionerjobs/{job}/logs", {"logs": list(lines)})


def test_lines_are_read_in_their_order_and_after_one(platform: Platform, job: str, path: str) -> None:
    assert send(platform, job, line(2, "two"), line(1, "one")).json["stored"] == 2
    assert send(platform, job, line(3, "three", log_level="error")).json["logs_length"] == 11
    lines = platform.client.get(path).json
    assert [one["output"] for one in lines] == ["one", "two", "three"]
    assert lines[2] == {**line(3, "three"), "log_level": "error"}
    assert [one["id"] for one in platform.client.get(path, query={"after": "2"}).json] == [3]
    text = platform.client.get(path, query={"format": "text"})
    assert text.text.splitlines()[0] == f"{AT} [info] [provisioner|plan] one"
    assert text.headers["content-type"].startswith("text/plain")


def test_a_batch_that_is_sent_again_is_known(platform: Platform, job: str, path: str) -> None:
    send(platform, job, line(1, "one"), line(2, "two"))
    again = send(platform, job, line(1, "one"), line(2, "two"), line(3, "three")).json
    assert (again["stored"], again["known"]) == (1, 2)
    assert [one["output"] for one in platform.client.get(path).json] == ["one", "two", "three"]


def test_a_log_that_is_too_long_ends_with_the_notice(platform: Platform, job: str, path: str) -> None:
    assert not send(platform, job, line(1, "x" * 524_289)).json["logs_overflowed"]
    assert send(platform, job, line(2, "y" * 524_289), line(3, "z")).json["logs_overflowed"]
    assert send(platform, job, line(4, "later")).json["stored"] == 0
    lines = platform.client.get(path).json
    assert [(one["log_level"], one["output"]) for one in lines] == [("info", "x" * 524_289), ("warn", NOTICE)]
    assert platform.jobs().json[0]["logs_overflowed"] is True


def test_the_longest_line_is_read_whole(platform: Platform, job: str, path: str) -> None:
    output = "é<\x00" * 262_116
    assert not send(platform, job, line(1, output)).json["logs_overflowed"]
    reply = platform.client.get(path)
    assert reply.json[0]["output"] == output[:500_000]
    assert len(reply.text) < 6_000_000


def test_a_mirrored_job_keeps_its_log(platform: Platform, job: str, path: str) -> None:
    send(platform, job, line(1, "one"))
    platform.job(job, type="template_version_import", started_at=AT)
    assert len(platform.client.get(path).json) == 1


def test_wrong_requests_say_what_is_wrong(platform: Platform, path: str) -> None:
    assert send(platform, str(uuid4()), line(1, "x")).status == 404
    get = platform.client.get
    assert get(path, query={"after": "x"}).json["message"] == 'Query param "after" must be an integer.'
    assert get(path, query={"format": "xml"}).json["message"] == "Invalid format parameter."
    both = get(path, query={"format": "text", "follow": "true"})
    assert (both.status, both.json["message"]) == (400, "Text format is not supported with follow mode.")
    for word in ("true", "1", ""):
        assert get(path, query={"follow": word}).status == 501
    assert get(path, query={"follow": "false"}).status == 200
    assert get(path).json == []
