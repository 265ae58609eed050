"""Dotenv files of secrets are read as Coder's servers read them."""

from __future__ import annotations

import pytest

from chalicelib.errors import BadRequest
from chalicelib.vault import env_file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=abc123", "abc123"),
        ("export K=abc", "abc"),
        ("export\tK=abc", "abc"),
        ("  K = abc  ", "abc"),
        ("K=abc # note", "abc # note"),
        ("K=abc#123", "abc#123"),
        ("K=a=b==", "a=b=="),
        ("K=$HOME/${X}", "$HOME/${X}"),
        (r"K='a\nb'", r"a\nb"),
        (r'K="a\nb\t\r\\\""', 'a\nb\t\r\\"'),
        (r'K="a\qb\$"', r"a\qb\$"),
        ('K="it\'s # one"', "it's # one"),
        ("K=it's", "it's"),
        ("K=", ""),
        ("K=''", ""),
        ("\ufeffK=abc", "abc"),
        ("K=abc\r", "abc"),
        ("K=é\u2028x", "é\u2028x"),
    ],
)
def test_a_line_has_a_key_and_a_value(line: str, value: str) -> None:
    (entry,) = env_file.read(line)
    assert (entry.key, entry.value, entry.line) == ("K", value, 1)


def test_lines_keep_their_order_and_their_numbers() -> None:
    entries = env_file.read("# first\n\nB=1\r\n  # c\nexport A=2\nexport=3\n")
    assert [(entry.key, entry.value, entry.line) for entry in entries] == [
        ("B", "1", 3),
        ("A", "2", 5),
        ("export", "3", 6),
    ]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "The file has no secrets."),
        ("# only\n\n", "The file has no secrets."),
        ("A=1\nsecret value", "Line 2: There is no = between a key and a value."),
        ("A=1\nB=2\nA=3", 'Line 3: The key "A" is there twice.'),
        ('A="abc" # note', 'Line 1: There is more behind the closing "; a comment needs a line of its own.'),
        ("A='abc'd", "Line 1: There is more behind the closing '; a comment needs a line of its own."),
        ('A="abc', 'Line 1: The value has no closing "; a value of several lines needs json or yaml.'),
        ('A="abc\\"', 'Line 1: The value has no closing "; a value of several lines needs json or yaml.'),
        ("A=1\ud800", 'Line 1: The entry "A" has half of a surrogate pair.'),
        ("A" * 100 + "\n", "Line 1: There is no = between a key and a value."),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_line_and_without_its_value(text: str, detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        env_file.read(text)
    assert (caught.value.message, caught.value.detail) == ("Failed to parse secrets file.", detail)
