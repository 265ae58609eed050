from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chalice.app import Chalice

from scripts.local import kept, serve
from scripts.local.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "scripts.local.serve")
GIVE_UP_AFTER_SECONDS = 180


def environment(**changes: str) -> dict[str, str]:
    """The environment of this process without what would change where or how the service runs."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"AWS_|CODER_|GATEBOOK_", name)}
    return kept | changes


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_AFTER_SECONDS,
    )


def assert_refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("serve: ")
    for word in words:
        assert word in result.stderr


@dataclass
class Started:
    """A serve command that said it is ready."""

    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        return next(line for line in self.lines if line.startswith("Gatebook is ready at ")).rpartition(" ")[2]

    @property
    def token(self) -> str:
        return next(line for line in self.lines if line.startswith("The owner's token: ")).rpartition(" ")[2]

    @property
    def curls(self) -> list[str]:
        return [line.strip() for line in self.lines if line.startswith("  curl ")]

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal; status 0 shows that it ended by itself, before the alarm that ends what hangs."""
        self.process.send_signal(number)
        assert self.process.wait(GIVE_UP_AFTER_SECONDS) == 0


@contextmanager
def launched(*arguments: str, **changes: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, "--port", "0", *arguments], cwd=ROOT, env=environment(**changes), stdout=subprocess.PIPE, text=True
    ) as process:
        watchdog = threading.Timer(GIVE_UP_AFTER_SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


@contextmanager
def started(*arguments: str, **changes: str) -> Iterator[Started]:
    with launched(*arguments, **changes) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while sum(line.startswith("  curl ") for line in lines) < 3:
            line = process.stdout.readline()
            assert line, f"ended with {process.wait()} after {lines}"
            lines.append(line.rstrip("\n"))
        yield Started(process, lines)


def paste(curl: str) -> Any:
    """Run a printed line in a shell; the JSON it gets, whatever the status."""
    result = subprocess.run(  # noqa: S602 - pasting is what is tested
        f"{curl} -sS --fail-with-body", shell=True, capture_output=True, text=True, check=False, timeout=30
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def ongoing(service: Started) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = paste(service.curls[1])["connection_logs"]
    return rows


# What is known before anything is started.


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
        (["positional"], "positional"),
    ],
)
def test_a_bad_option_is_an_error_that_names_it(arguments: list[str], word: str) -> None:
    with pytest.raises(kept.StartError, match=re.escape(word)):
        serve.parse(arguments)


def test_options_have_their_defaults() -> None:
    assert serve.parse([]) == serve.Options("127.0.0.1", 8000, None, sample=True, data=None)


@pytest.mark.parametrize(
    ("arguments", "token_file"),
    [(["--data", "d"], "d/owner-token"), (["--data", "d", "--token-file", "t"], "t"), (["--token-file", "t"], "t")],
)
def test_the_token_is_kept_with_the_data_unless_told_otherwise(arguments: list[str], token_file: str) -> None:
    assert serve.parse(arguments).token_file == Path(token_file)


def test_help_is_no_error() -> None:
    result = run("--help")
    assert result.returncode == 0
    for option in ("--host", "--port", "--token-file", "--no-sample", "--data"):
        assert option in result.stdout


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


def test_requests_to_an_engine_can_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.setenv(name, "restored after the test")
        monkeypatch.delenv(name)
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:
        serve.use_endpoint(f"http://127.0.0.1:{engine.getsockname()[1]}")
    assert os.environ["AWS_ACCESS_KEY_ID"] == os.environ["AWS_SECRET_ACCESS_KEY"] == "local"
    assert os.environ["AWS_DEFAULT_REGION"] == "us-east-1"


def test_credentials_and_region_that_are_set_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    given = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:
        serve.use_endpoint(f"http://127.0.0.1:{engine.getsockname()[1]}")
    assert {name: os.environ[name] for name in given} == given


@pytest.mark.parametrize("before", [None, "an-earlier-one"])
def test_the_token_file_is_for_its_owner_alone(before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if before is not None:
        path.write_text(before)
        path.chmod(0o644)
    kept.write_token(path, "id-secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept.read_kept_token(path) == "id-secret"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_no_token_is_kept_where_there_is_none(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
    assert kept.read_kept_token(path) is None


def test_a_data_directory_serves_one_process_at_a_time(tmp_path: Path) -> None:
    data = tmp_path / "made" / "here"
    with kept.claimed(data):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert_refused(run("--port", "0", "--data", str(data)), "--data", "in use")
    with kept.claimed(data):
        pass


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://[::1]:8000"])
def test_curl_lines_are_safe_to_paste(url: str) -> None:
    lines = [shlex.split(line) for line in serve.curl_lines(url, "id-secret", "org", "user")]
    assert len(lines) == 3
    for words in lines:
        assert words[0] == "curl"
        assert "Coder-Session-Token: id-secret" in words
        assert words[-1].partition("?")[0] == f"{url}/api/v2/connectionlog"
    assert "q=status:ongoing type:ssh" in lines[1]
    event = json.loads(lines[2][lines[2].index("--data-binary") + 1])
    assert (event["type"], event["connection_status"], event["organization_id"]) == ("ssh", "connected", "org")
    assert event["time"].endswith("Z")


# The whole service.


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started("--token-file", str(tmp_path_factory.mktemp("token") / "token")) as running:
        yield running
        running.end()


def test_it_prints_its_real_address_and_a_token_that_works(service: Started) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", service.url)
    user = paste(f"curl -H 'Coder-Session-Token: {service.token}' {service.url}/api/v2/users/me")
    assert [role["name"] for role in user["roles"]] == ["owner"]


def test_the_three_curl_lines_work_when_pasted(service: Started) -> None:
    assert len(service.curls) == 3
    assert paste(service.curls[0])["connection_logs"], "a small lively sample is loaded by default"
    before = len(ongoing(service))
    paste(service.curls[2])
    assert len(ongoing(service)) == before + 1


def test_the_token_file_holds_the_printed_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with started("--no-sample", "--token-file", str(path)) as service:
        assert path.read_text() == service.token + "\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        service.end()


def test_it_says_when_nothing_is_kept(service: Started) -> None:
    assert "Nothing is kept" in service.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_time_with_an_idle_connection_open(number: int) -> None:
    with started("--no-sample") as service:
        host, _, port = service.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port))) as idle:
            assert paste(service.curls[0])["connection_logs"] == []
            service.end(number)
            assert idle.recv(1) == b""


def test_a_second_signal_does_not_cut_the_ending_short(tmp_path: Path) -> None:
    with started("--no-sample", "--data", str(tmp_path)) as service:
        paste(service.curls[2])
        service.process.send_signal(signal.SIGINT)
        service.end()
    with started("--data", str(tmp_path)) as service:
        assert len(ongoing(service)) == 1
        service.end()


def test_a_signal_during_the_start_ends_it_and_leaves_what_was_kept(tmp_path: Path) -> None:
    with started("--no-sample", "--data", str(tmp_path)) as service:
        paste(service.curls[2])
        service.end()
    with launched("--data", str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Starting")
        process.send_signal(signal.SIGTERM)
        assert process.wait(GIVE_UP_AFTER_SECONDS) == 0
    with started("--data", str(tmp_path)) as service:
        assert len(ongoing(service)) == 1
        service.end()


def test_rows_and_token_survive_a_restart_with_data(tmp_path: Path) -> None:
    with started("--data", str(tmp_path)) as first:
        paste(first.curls[2])
        before = paste(first.curls[0])
        first.end()
    with started("--data", str(tmp_path)) as second:
        assert second.token == first.token
        assert paste(second.curls[0]) == before
        assert "sample" not in second.text
        second.end()
    assert len(list(tmp_path.glob("snapshot-*"))) == 1


def test_a_process_killed_outright_leaves_the_owner_it_announced(tmp_path: Path) -> None:
    with started("--data", str(tmp_path)) as first:
        first.process.kill()
    with started("--data", str(tmp_path)) as second:
        assert second.token == first.token
        second.end()


def test_a_damaged_snapshot_is_one_line_and_exit_2_and_is_left_as_it_is(tmp_path: Path) -> None:
    with started("--data", str(tmp_path)) as service:
        service.end()
    damaged = next(file for file in sorted((tmp_path / "current").iterdir()) if file.stat().st_size)
    damaged.write_text("{")
    assert_refused(run("--port", "0", "--data", str(tmp_path)), damaged.name, "--data")
    assert damaged.read_text() == "{"


def test_ipv6_is_served_and_printed_in_brackets() -> None:
    with started("--no-sample", "--host", "::1") as service:
        assert service.url.startswith("http://[::1]:")
        assert paste(service.curls[0])["connection_logs"] == []
        service.end()


def test_a_bad_setting_is_one_line_and_exit_2() -> None:
    assert_refused(run("--port", "0", CODER_DEFAULT_TOKEN_LIFETIME="soon"), "CODER_DEFAULT_TOKEN_LIFETIME", "soon")


def test_an_engine_that_is_no_dynamodb_is_one_line_and_exit_2() -> None:
    other = LocalServer("127.0.0.1", 0, Chalice("other", configure_logs=False))
    other.start()
    assert_refused(run("--port", "0", AWS_ENDPOINT_URL_DYNAMODB=other.url), "AWS_ENDPOINT_URL_DYNAMODB", other.url)
    other.shutdown()
