"""Sends a notification by mail: through a server that speaks SMTP, or through Amazon SES."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime
from pathlib import Path

from chalicelib.dispatch.failure import Failed
from chalicelib.errors import GatebookError
from chalicelib.notifications.message import Message
from chalicelib.records import User
from chalicelib.settings import current
from chalicelib.store import mail_service

_SES = "ses"
_TLS_PORT = 465
_TIMEOUT_SECONDS = 10.0
_FIRST_PERMANENT = 500


def letter(message_id: str, message: Message, user: User) -> EmailMessage:
    """The mail: the title is its subject, the body its text, whatever the two hold.

    Raises:
        ValueError: the e-mail address of the user is not one address, or a text cannot be written.
    """
    name = user.name or user.username
    made = EmailMessage(policy=POLICY)
    made["From"] = current().email_from
    made["To"] = user.email
    # A comma would make two of it, and the letter would go to somebody else as well.
    if [address.addr_spec for address in made["To"].addresses] != [user.email]:
        raise ValueError(user.email)
    # A line of its own would be another header.
    made["Subject"] = " ".join(message.title(name).split())
    made["Date"] = format_datetime(message.created_at)
    made["Message-ID"] = f"<{message_id}@{current().email_from.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.body(name))
    return made


def send(message_id: str, message: Message, user: User) -> None:
    """Send a notification once.

    Raises:
        Failed: it was not taken; for good where the user has no address that can be written to.
    """
    if not user.email:
        raise Failed("The user has no e-mail address", for_good=True)
    try:
        made = letter(message_id, message, user)
    except ValueError as error:
        raise Failed("The e-mail address of the user cannot be written to", for_good=True) from error
    if current().email_smarthost == _SES:
        _by_ses(made)
    else:
        _by_smtp(made)


def _by_ses(made: EmailMessage) -> None:
    try:
        mail_service.send(current().email_from, str(made["To"]), made.as_bytes())
    except GatebookError as error:
        raise Failed(error.detail or error.message) from error


def _by_smtp(made: EmailMessage) -> None:
    host, _, port = current().email_smarthost.rpartition(":")
    context = ssl.create_default_context()
    try:
        with (
            smtplib.SMTP_SSL(host, int(port), timeout=_TIMEOUT_SECONDS, context=context)
            if int(port) == _TLS_PORT
            else smtplib.SMTP(host, int(port), timeout=_TIMEOUT_SECONDS)
        ) as server:
            _log_in(server, context, is_private=int(port) == _TLS_PORT)
            server.send_message(made)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise Failed(
            f"The mail server refuses the recipient: {codes}", for_good=min(codes) >= _FIRST_PERMANENT
        ) from error
    except smtplib.SMTPResponseException as error:
        raise Failed(f"The mail server answered with {error.smtp_code}") from error
    except UnicodeError as error:
        # smtplib logs in by ASCII alone; whatever it is, it must not end the round for all others.
        raise Failed("The name or the password of the mail server cannot be sent: they must be ASCII") from error
    except (OSError, smtplib.SMTPException) as error:
        raise Failed(f"The mail server did not answer: {type(error).__name__}") from error


def _log_in(server: smtplib.SMTP, context: ssl.SSLContext, *, is_private: bool) -> None:
    """Make the connection private where the server can, and log in where a name is given: never in the open.

    Raises:
        Failed: there is a password to be sent, and the server offers no TLS.
    """
    server.ehlo()
    if not is_private and server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
        is_private = True
    if current().email_username:
        if not is_private:
            raise Failed("The mail server offers no TLS, and the password is not sent without")
        password = Path(current().email_password_file).read_text("utf-8").strip()
        server.login(current().email_username, password)
