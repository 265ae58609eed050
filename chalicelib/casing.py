"""The one rule by which texts are compared whatever their case."""

from __future__ import annotations


def lowered(text: str) -> str:
    """The text as it is compared: lower case, character by character, so that it keeps its length.

    Every writer of a value that is matched whatever its case, and every reader of a query, must use this same rule.
    `str.lower` is not it: it turns one İ into two characters and lets the end of a word decide about Σ, so that a word
    would not match itself in another place. A lone surrogate, which no UTF-8 can carry, becomes U+FFFD.
    """
    return text.lower() if text.isascii() else "".join(map(_lowered_character, text))


def _lowered_character(character: str) -> str:
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character.lower()[0]


def spellings(**words: str) -> dict[str, str] | None:
    """The words that have capitals, by their names; None where none has."""
    return {name: word for name, word in words.items() if lowered(word) != word} or None
