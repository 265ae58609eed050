"""The serve command reads its options and its environment, without a service being started."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from scripts.local import checks, data_directory, options, welcome
from tests.local.served import run


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--unknown"], "--unknown"),
        (["--por", "1"], "--por"),
        (["--port", "http"], "--port"),
        (["--port", "65536"], "--port"),
        (["--port", "-1"], "--port"),
        (["--port", "9" * 5000], "--port"),
        (["--port"], "--port"),
        (["--stage", "a/b"], "--stage"),
        (["positional"], "positional"),
    ],
)
def test_a_bad_option_is_an_error_that_names_it(arguments: list[str], word: str) -> None:
    with pytest.raises(data_directory.StartError, match=re.escape(word)):
        options.parse(arguments)


def test_options_have_their_defaults() -> None:
    assert options.parse([]) == options.Options("127.0.0.1", 8000, None, sample=True, data=None, stage="")


@pytest.mark.parametrize(
    ("arguments", "token_file"),
    [(["--data", "d"], "d/owner-token"), (["--data", "d", "--token-file", "t"], "t"), (["--token-file", "t"], "t")],
)
def test_the_token_is_kept_with_the_data_unless_told_otherwise(arguments: list[str], token_file: str) -> None:
    assert options.parse(arguments).token_file == Path(token_file)


def test_help_is_no_error() -> None:
    result = run("--help")
    assert result.returncode == 0
    for option in ("--host", "--port", "--token-file", "--no-sample", "--data"):
        assert option in result.stdout


def test_requests_to_an_engine_can_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.setenv(name, "restored after the test")
        monkeypatch.delenv(name)
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:
        checks.use_endpoint(f"http://127.0.0.1:{engine.getsockname()[1]}")
    assert os.environ["AWS_ACCESS_KEY_ID"] == os.environ["AWS_SECRET_ACCESS_KEY"] == "local"
    assert os.environ["AWS_DEFAULT_REGION"] == "us-east-1"


def test_credentials_and_region_that_are_set_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    given = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:
        checks.use_endpoint(f"http://127.0.0.1:{engine.getsockname()[1]}")
    assert {name: os.environ[name] for name in given} == given


@pytest.mark.parametrize("before", [None, "an-earlier-one"])
def test_the_token_file_is_for_its_owner_alone(before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if before is not None:
        path.write_text(before)
        path.chmod(0o644)
    token = f"{'a' * 10}-{'b' * 22}"
    data_directory.write_token(path, token)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert data_directory.read_kept_token(path) == token
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_holds_something_else_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("my precious notes\n")
    with pytest.raises(data_directory.StartError, match="holds something else"):
        data_directory.read_kept_token(path)
    assert path.read_text() == "my precious notes\n"


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_no_token_is_kept_where_there_is_none(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
    assert data_directory.read_kept_token(path) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://[::1]:8000"])
def test_curl_lines_are_safe_to_paste(url: str) -> None:
    lines = [shlex.split(line) for line in welcome.curl_lines(url, "id-secret", "org", "user")]
    assert len(lines) == 3
    for words in lines:
        assert words[0] == "curl"
        assert "Coder-Session-Token: id-secret" in words
        assert words[-1].partition("?")[0] == f"{url}/api/v2/connectionlog"
    assert "q=status:ongoing type:ssh" in lines[1]
    event = json.loads(lines[2][lines[2].index("--data-binary") + 1])
    assert (event["type"], event["connection_status"], event["organization_id"]) == ("ssh", "connected", "org")
    assert event["time"].endswith("Z")
