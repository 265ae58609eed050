"""The schedule sends waiting notifications: by mail or webhook, again after a failure, not while sending is paused."""

from __future__ import annotations

import json
import smtplib
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from chalice.local import LambdaContext

import app as application
from chalicelib import times
from chalicelib.dispatch import enqueue as enqueueing
from chalicelib.dispatch import mail, ways, webhook
from chalicelib.dispatch.enqueue import enqueue
from chalicelib.dispatch.failure import Failed
from chalicelib.dispatch.sweep import FIRST_PAUSE, LEASE
from chalicelib.notifications.inbox_row import InboxFilter
from chalicelib.notifications.message import Message, once_a_minute
from chalicelib.notifications.templates import CUSTOM
from chalicelib.records import User
from chalicelib.settings import Settings
from chalicelib.store import clients
from chalicelib.store.directory import people
from chalicelib.store.notifications import choices, inbox, outbox
from scripts.deployment import watch
from scripts.gateway.events import schedule_event
from scripts.local.engine import EmbeddedEngine

Use = Callable[[Settings], None]


class Clock:
    def __init__(self) -> None:
        self.moment = times.now().replace(second=0)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, by: timedelta) -> None:
        self.moment += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(times, "now", stopped)
    return stopped


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Gives the deployment settings."""

    def using(settings: Settings) -> None:
        for module in (enqueueing, ways, webhook, mail):
            monkeypatch.setattr(module, "current", lambda: settings)

    return using


@pytest.fixture
def ann(tables: EmbeddedEngine) -> User:
    assert tables.running
    now = times.now()
    made = User(
        id=str(uuid4()),
        username="ann",
        email="ann@example.com",
        name="Ann",
        avatar_url="",
        status="active",
        login_type="none",
        roles=(),
        organization_roles={},
        created_at=now,
        updated_at=now,
    )
    people.save_user(made, None)
    return made


class Hook:
    """A webhook that answers with a status and keeps what it got."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def hook(use: Use) -> Iterator[Hook]:
    """A deployment that sends by a webhook."""
    made = Hook()
    use(Settings(webhook_endpoint=made.url, notifications_method="webhook"))
    yield made
    made.end()


class MailServer:
    """A server that speaks as much SMTP as a letter takes, and keeps what it got.

    Attributes:
        letters: what it has taken.
        verbs: what it was asked, in order; the greeting is the first, and the end of a letter is a full stop.
        answers: by the number of what it was asked, in the place of its own; an empty one ends the connection.
        refusal: its answer to every recipient, where there is one.
    """

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.verbs: list[str] = []
        self.answers: dict[int, bytes] = {}
        self.refusal = b""
        own = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked, answer = "CONNECT", b"220 ready\r\n"
                while asked:
                    own.verbs.append(asked)
                    answer = own.answers.get(len(own.verbs) - 1, answer)
                    self.wfile.write(answer)
                    if not answer or asked == "QUIT":
                        return
                    if answer.startswith(b"354"):
                        own.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                        asked, answer = ".", b"250 ok\r\n"
                        continue
                    asked = self.rfile.readline().strip().decode().upper()[:4]
                    refused = own.refusal if asked == "RCPT" else b""
                    answer = refused or {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(asked, b"250 ok\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(use: Use) -> Iterator[MailServer]:
    """A deployment that sends by mail."""
    made = MailServer()
    use(Settings(email_smarthost=made.place, email_from="gatebook@example.com"))
    yield made
    made.end()


def write(user: User, title: str = "Done", message: str = "The job has **ended**.") -> bool:
    now = times.now()
    labels = {"custom_title": title, "custom_message": message}
    return enqueue(Message(CUSTOM.id, user.id, labels, user.id, now, once_a_minute(now)), "Ann")


def run() -> dict[str, int]:
    """Runs the schedule."""
    context = LambdaContext("dispatch", memory_size=512, max_runtime_ms=120_000)
    answer: dict[str, Any] = application.dispatch(schedule_event("dispatch"), context)
    ended: dict[str, int] = answer["ended"]
    return ended


def test_a_webhook_gets_what_coders_webhooks_get(ann: User, hook: Hook, clock: Clock) -> None:
    assert write(ann)
    assert hook.bodies == [], "the request does not wait for it"
    assert run() == {"sent": 1}
    (body,) = hook.bodies
    payload = body.pop("payload")
    assert body.pop("msg_id")
    assert body == {
        "_version": "1.1",
        "title": "Done",
        "title_markdown": "Done",
        "body": "The job has **ended**.",
        "body_markdown": "The job has **ended**.",
    }
    data = payload.pop("data")
    assert data["dedupe_bypass_ts"].startswith(clock.moment.isoformat()[:16])
    assert payload == {
        "_version": "1.2",
        "notification_name": "Custom Notification",
        "notification_template_id": CUSTOM.id,
        "user_id": ann.id,
        "user_email": "ann@example.com",
        "user_name": "Ann",
        "user_username": "ann",
        "actions": [],
        "labels": {"custom_title": "Done", "custom_message": "The job has **ended**."},
        "targets": [],
    }
    assert run() == {}
    assert len(hook.bodies) == 1


def test_a_failure_is_tried_again_at_growing_pauses_and_not_for_ever(ann: User, hook: Hook, clock: Clock) -> None:
    hook.status = 500
    write(ann)
    pause = FIRST_PAUSE
    for _ in range(outbox.MOST_ATTEMPTS - 1):
        assert run() == {"put_off": 1}
        clock.forward(pause - timedelta(seconds=1))
        assert run() == {}
        clock.forward(timedelta(seconds=1))
        pause *= 2
    assert run() == {"permanent_failure": 1}
    clock.forward(timedelta(days=1))
    assert run() == {}
    assert len(hook.bodies) == outbox.MOST_ATTEMPTS
    assert len({body["msg_id"] for body in hook.bodies}) == 1, "who gets it twice can tell"


def test_what_is_given_up_is_told_to_the_alarm_that_waits_for_it(
    ann: User, server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refusal = b"550 unknown\r\n"
    write(ann)
    assert run() == {"permanent_failure": 1}
    (line,) = capsys.readouterr().out.splitlines()
    emitted = json.loads(line)
    (metric,) = watch.alarms()["LostNotificationsAlarm"]["Properties"]["Metrics"][:-1]
    asked = metric["MetricStat"]["Metric"]
    (directive,) = emitted["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"][0]["Name"] == asked["MetricName"]
    assert directive["Dimensions"] == [[one["Name"] for one in asked["Dimensions"]]]
    assert emitted[asked["MetricName"]] == 1


def test_after_a_failure_it_arrives(ann: User, hook: Hook, clock: Clock) -> None:
    hook.status = 503
    write(ann)
    assert run() == {"put_off": 1}
    hook.status = 204
    clock.forward(FIRST_PAUSE)
    assert run() == {"sent": 1}


@pytest.mark.parametrize("status", [302, 400, 500])
def test_whatever_is_no_success_is_a_failure_and_no_redirect_is_followed(ann: User, hook: Hook, status: int) -> None:
    hook.status = status
    write(ann)
    assert run() == {"put_off": 1}
    assert len(hook.bodies) == 1


def test_what_is_sent_already_is_not_stored_again(ann: User, hook: Hook, clock: Clock) -> None:
    assert write(ann)
    assert run() == {"sent": 1}
    clock.forward(timedelta(seconds=30))
    assert not write(ann)
    assert run() == {}
    clock.forward(timedelta(seconds=30))
    assert write(ann)
    assert run() == {"sent": 1}
    assert len(hook.bodies) == 2


def test_while_sending_is_paused_everything_waits_the_inbox_too(ann: User, hook: Hook, clock: Clock) -> None:
    choices.pause(choices.read(), paused=True)
    assert write(ann)
    assert not write(ann)
    clock.forward(timedelta(minutes=5))
    assert run() == {}
    assert (hook.bodies, inbox.page(ann.id, InboxFilter(), None).rows) == ([], [])
    choices.pause(choices.read(), paused=False)
    assert run() == {"sent": 2}
    assert len(hook.bodies) == 1
    (row,) = inbox.page(ann.id, InboxFilter(), None).rows
    assert (row.title, inbox.unread_count(ann.id)) == ("Done", 1)


def test_what_a_user_no_longer_wants_is_not_sent(ann: User, hook: Hook) -> None:
    write(ann)
    choices.prefer(choices.read(ann.id), ann.id, {CUSTOM.id: choices.Preference(disabled=True, updated_at=times.now())})
    assert run() == {"inhibited": 1}
    assert (run(), hook.bodies) == ({}, [])


def test_nobody_is_written_to_who_is_not_there(hook: Hook, tables: EmbeddedEngine) -> None:
    assert tables.running
    now = times.now()
    enqueue(Message(CUSTOM.id, str(uuid4()), {"custom_title": "x"}, "", now), "")
    assert run() == {"inhibited": 1}
    assert hook.bodies == []


def test_two_runs_at_once_send_once_and_a_run_that_died_is_made_up_for(ann: User, hook: Hook, clock: Clock) -> None:
    write(ann)
    (waiting,) = outbox.due(times.now(), 10)
    taken = outbox.lease(waiting, times.now() + LEASE)
    assert taken is not None
    assert outbox.lease(waiting, times.now() + LEASE) is None
    assert run() == {}
    clock.forward(LEASE)
    assert run() == {"sent": 1}
    outbox.settle(taken, "permanent_failure", times.now())
    outbox.put_off(taken, times.now(), "too late")
    assert run() == {}
    assert len(hook.bodies) == 1


def test_many_are_sent_in_one_run(ann: User, hook: Hook) -> None:
    for number in range(30):
        write(ann, f"#{number}")
    assert run() == {"sent": 30}
    assert len({body["title"] for body in hook.bodies}) == 30


def test_a_mail_has_the_title_as_its_subject_and_the_body_as_its_text(ann: User, server: MailServer) -> None:
    write(ann, "Done:\r\nBcc: eve@example.com é", "Line one\n.\nLine é")
    assert run() == {"sent": 1}
    (text,) = server.letters
    letter = message_from_bytes(text.replace(b"\r\n..", b"\r\n."), policy=default)
    assert (letter["From"], letter["To"]) == ("gatebook@example.com", "ann@example.com")
    assert letter["Subject"] == "Done: Bcc: eve@example.com é"
    assert letter["Bcc"] is None
    assert letter.get_content().replace("\r\n", "\n").rstrip() == "Line one\n.\nLine é"
    assert letter["Message-ID"].endswith("@example.com>")


def test_a_password_that_cannot_be_sent_puts_one_letter_off_and_ends_no_round(
    ann: User, server: MailServer, use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = tmp_path / "password"
    password.write_text("pässword", "utf-8")
    use(
        Settings(
            email_smarthost=server.place,
            email_from="gatebook@example.com",
            email_username="gatebook",
            email_password_file=str(password),
        )
    )
    offered = {"starttls": "", "auth": "PLAIN"}

    def greeted(self: smtplib.SMTP) -> tuple[int, bytes]:
        self.esmtp_features = dict(offered)
        return 250, b"ok"

    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda _self, name: name in offered)
    monkeypatch.setattr(smtplib.SMTP, "starttls", lambda _self, context: context)
    monkeypatch.setattr(smtplib.SMTP, "ehlo", greeted)
    for title in ("One", "Two"):
        write(ann, title)
    assert run() == {"put_off": 2}
    assert server.letters == []


@pytest.mark.parametrize(
    "email", ["ann@example.com,eve", "eve,ann@example.com", "eve;ann@example.com", "eve:ann@example.com", "ann@x..com"]
)
def test_a_letter_goes_to_one_address_and_nobody_else(ann: User, server: MailServer, email: str) -> None:
    people.save_user(replace(ann, email=email), ann)
    write(ann)
    assert run() == {"permanent_failure": 1}
    assert server.letters == []


@pytest.mark.parametrize(
    ("refusal", "ended"), [(b"550 unknown\r\n", {"permanent_failure": 1}), (b"450 later\r\n", {"put_off": 1})]
)
def test_a_refused_recipient_is_tried_again_unless_it_is_for_good(
    ann: User, server: MailServer, refusal: bytes, ended: dict[str, int]
) -> None:
    server.refusal = refusal
    write(ann)
    assert run() == ended
    assert server.letters == []


def test_a_password_is_not_sent_without_tls(ann: User, server: MailServer, use: Use) -> None:
    use(Settings(email_smarthost=server.place, email_from="a@example.com", email_username="a", email_password_file="x"))
    message = Message(CUSTOM.id, ann.id, {"custom_title": "x", "custom_message": "x"}, ann.id, times.now())
    with pytest.raises(Failed, match="TLS"):
        mail.send("id", message, ann)
    assert server.letters == []


@pytest.mark.parametrize("is_private_at_once", [True, False])
def test_a_mail_server_shows_a_certificate_of_its_name(
    ann: User, server: MailServer, use: Use, monkeypatch: pytest.MonkeyPatch, *, is_private_at_once: bool
) -> None:
    contexts: list[ssl.SSLContext] = []

    def refused(*_: object, context: ssl.SSLContext, **__: object) -> None:
        contexts.append(context)
        raise ssl.SSLCertVerificationError

    monkeypatch.setattr(smtplib, "SMTP_SSL", refused)
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda _, name: name == "starttls")
    monkeypatch.setattr(smtplib.SMTP, "starttls", refused)
    use(Settings(email_smarthost="127.0.0.1:465" if is_private_at_once else server.place, email_from="a@example.com"))
    write(ann)
    assert run() == {"put_off": 1}
    assert [(one.check_hostname, one.verify_mode) for one in contexts] == [(True, ssl.CERT_REQUIRED)]
    assert server.letters == []


def test_a_server_that_is_not_there_is_a_failure(ann: User, use: Use) -> None:
    use(Settings(email_smarthost="127.0.0.1:9", email_from="a@example.com"))
    write(ann)
    assert run() == {"put_off": 1}


@pytest.mark.needs("services")
def test_amazon_ses_gets_the_letter(ann: User, use: Use) -> None:
    clients.client.cache_clear()
    boto3.client("ses").verify_email_identity(EmailAddress="gatebook@example.com")  # type: ignore[no-untyped-call]
    use(Settings(email_smarthost="ses", email_from="gatebook@example.com"))
    sent: list[dict[str, Any]] = []
    events = clients.client("sesv2").meta.events
    events.register("before-parameter-build", lambda params, model, **_: sent.append({model.name: dict(params)}))
    write(ann)
    assert run() == {"sent": 1}
    ((name, request),) = (one.popitem() for one in sent)
    assert (name, request["FromEmailAddress"]) == ("SendEmail", "gatebook@example.com")
    assert request["Destination"] == {"ToAddresses": ["ann@example.com"]}
    assert message_from_bytes(request["Content"]["Raw"]["Data"], policy=default)["Subject"] == "Done"
    clients.client.cache_clear()


@pytest.mark.needs("services")
def test_a_sender_that_ses_does_not_know_is_a_failure(ann: User, use: Use) -> None:
    clients.client.cache_clear()
    use(Settings(email_smarthost="ses", email_from="nobody@example.org"))
    write(ann)
    assert run() == {"put_off": 1}
    clients.client.cache_clear()
