"""The serve command that cannot start says why in one line that says what to do, with exit status 2."""

from __future__ import annotations

import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest
from chalice.app import Chalice

from scripts.local import data_directory
from tests.local import toy_app
from tests.local.served import assert_refused, run


def test_a_bad_option_is_one_line_and_exit_2() -> None:
    assert_refused(run("--unknown"), "--unknown", "--help")


def test_a_taken_port_is_one_line_and_exit_2() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = run("--port", str(port))
    assert_refused(result, str(port), "--port")
    assert result.stdout == ""


def test_a_host_that_is_not_ours_is_one_line_and_exit_2() -> None:
    assert_refused(run("--host", "192.0.2.1", "--port", "0"), "192.0.2.1", "--host")


@pytest.mark.parametrize("option", ["--data", "--token-file"])
def test_a_directory_that_cannot_be_used_is_one_line_and_exit_2(option: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    path = file / "inside"
    assert_refused(run("--port", "0", option, str(path)), option, str(path))


def test_a_token_file_in_no_directory_is_one_line_and_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "token"
    assert_refused(run("--port", "0", "--token-file", str(path)), "--token-file", "create it")
    assert not path.parent.exists()


def test_a_token_file_that_is_no_text_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff")
    assert_refused(run("--port", "0", "--token-file", str(tmp_path / "token")), "--token-file")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1:1", "http://", "http://127.0.0.1:99999"])
def test_an_engine_address_that_is_none_is_one_line_and_exit_2(url: str) -> None:
    assert_refused(run("--port", "0", AWS_ENDPOINT_URL_DYNAMODB=url), "AWS_ENDPOINT_URL_DYNAMODB", url)


def test_an_engine_that_is_not_there_is_one_line_and_exit_2() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert_refused(run("--port", "0", AWS_ENDPOINT_URL_DYNAMODB=url), "AWS_ENDPOINT_URL_DYNAMODB", url)


def test_a_data_directory_serves_one_process_at_a_time(tmp_path: Path) -> None:
    data = tmp_path / "made" / "here"
    with data_directory.claimed(data):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert_refused(run("--port", "0", "--data", str(data)), "--data", "in use")
    with data_directory.claimed(data):
        pass


def test_a_bad_setting_is_one_line_and_exit_2() -> None:
    assert_refused(run("--port", "0", CODER_DEFAULT_TOKEN_LIFETIME="soon"), "CODER_DEFAULT_TOKEN_LIFETIME", "soon")


def test_an_engine_that_is_no_dynamodb_is_one_line_and_exit_2() -> None:
    with toy_app.served(Chalice("other", configure_logs=False)) as other:
        assert_refused(run("--port", "0", AWS_ENDPOINT_URL_DYNAMODB=other.url), "AWS_ENDPOINT_URL_DYNAMODB", other.url)
