"""JSON files of secrets are one object of texts."""

from __future__ import annotations

import pytest

from chalicelib.errors import BadRequest
from chalicelib.vault import json_file


def test_members_are_entries_in_their_order() -> None:
    entries = json_file.read('\ufeff {"B": "1\\n2", "a-b": "", "": "é\\ud83d\\ude00"} \n')
    assert [(entry.key, entry.value, entry.line) for entry in entries] == [
        ("B", "1\n2", 0),
        ("a-b", "", 0),
        ("", "é😀", 0),
    ]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "Line 1: It is no JSON: Expecting value."),
        ('{\n"A": s3cret}', "Line 2: It is no JSON: Expecting value."),
        (r'{"A": "\s3cret"}', r"Line 1: It is no JSON: Invalid \escape."),
        ('{"A": "1"} {}', "Line 1: It is no JSON: Extra data."),
        ("[]", "It must be one JSON object."),
        ('"s3cret"', "It must be one JSON object."),
        ("{}", "The file has no secrets."),
        ('{"A": "1", "A": "2"}', 'The key "A" is there twice.'),
        ('{"A": "\\ud800"}', 'The entry "A" has half of a surrogate pair.'),
        ("[" * 100_000, "It is no JSON object of texts."),
        ('{"A": ' + "9" * 5_000 + "}", "It is no JSON object of texts."),
        *(
            (f'{{"A": {value}}}', 'The value of "A" is no text: put numbers and the like in quotes.')
            for value in ("1", "true", "null", "[]", '{"B": "s3cret"}', "NaN")
        ),
    ],
)
def test_anything_else_is_refused_without_its_value(text: str, detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        json_file.read(text)
    assert (caught.value.message, caught.value.detail) == ("Failed to parse secrets file.", detail)
