"""The data of a user that go with them: secrets, messages of the inbox, preferences."""

from __future__ import annotations

from chalicelib.store.notifications import choices, inbox
from chalicelib.store.secrets import shelf


def delete(user_id: str, give_up_at: float) -> None:
    """Delete all data of a user that nobody else needs. Repeating it goes on where it stopped.

    Args:
        user_id: of the user.
        give_up_at: the moment of the monotonic clock after which no further message is deleted.

    Raises:
        Unavailable: the store did not answer, or there was not time for all messages.
    """
    delete_secrets(user_id)
    inbox.clear(user_id, give_up_at)
    choices.clear(user_id)


def delete_secrets(user_id: str) -> None:
    """Delete the secrets of a user.

    Raises:
        Unavailable: the store did not answer.
    """
    shelf.clear(user_id)
