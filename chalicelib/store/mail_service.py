"""Amazon SES: one letter, sent with the role of the function."""

from __future__ import annotations

from chalicelib.store.clients import answered, client


def send(sender: str, recipient: str, letter: bytes) -> None:
    """Hand a letter over.

    Args:
        sender: an address that SES has verified.
        recipient: an address.
        letter: with its headers, as MIME.

    Raises:
        Unavailable: SES did not answer; the letter may have been taken.
        StoreRefused: it does not take it.
    """
    with answered("mail service"):
        client("sesv2").send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [recipient]},
            Content={"Raw": {"Data": letter}},
        )
