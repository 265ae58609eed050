"""YAML files of secrets: what is read means what YAML means by it, and all else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.vault import yaml_file

KEY_FILE = "-----BEGIN KEY-----\nMIIEv==\n-----END KEY-----\n"
MEANT: tuple[tuple[str, str], ...] = (
    ("K: abc123", "abc123"),
    ("K: abc # note", "abc"),
    ("K: abc#123", "abc#123"),
    ("K:   a b  ", "a b"),
    ("K :\tabc", "abc"),
    ("K: https://user:pass@db/app?x=1", "https://user:pass@db/app?x=1"),
    ("K: yes", "yes"),
    ("K: 1.2.3", "1.2.3"),
    ("K: -x", "-x"),
    ("K: a, [b] {c}", "a, [b] {c}"),
    ('K: "8080" # port', "8080"),
    ("K: 'it''s'", "it's"),
    (r'K: "a\n\t\\\"\x41\u00e9\U0001f600\/\e"', 'a\n\t\\"Aé😀/\x1b'),
    ('K: ""', ""),
    ('"K": v', "v"),
    ("'K' : v", "v"),
    ("K: &anchor v", "v"),
    ("K: &anchor |\n  v\n", "v\n"),
    ("# begin\n---\nK: v\n...\n# end\n", "v"),
    ("\ufeff--- # one\r\nK: v\r\n", "v"),
    ("K: |\n  -----BEGIN KEY-----\n  MIIEv==\n  -----END KEY-----\n", KEY_FILE),
    ("K: |-\n a\n  b\n\n c\n\n", "a\n b\n\nc"),
    ("K: |+ # all\n a\n\n\n", "a\n\n\n"),
    ("K: |\n a", "a"),
    ("K: |2-\n   a\n  b", " a\nb"),
    ("K: |-2\n   a\n  b", " a\nb"),
    ("K: |\n\n  \n  a\n", "\n\na\n"),
    ("K: >\n a\n b\n\n c\n  d\n e\n", "a b\nc\n d\ne\n"),
    ("K: >-\n a\n\n\n b\n", "a\n\nb"),
    ("K: |\n # no comment\n# comment\n", "# no comment\n"),
)


@pytest.mark.parametrize(("text", "value"), MEANT)
def test_an_entry_means_what_yaml_means(text: str, value: str) -> None:
    (entry,) = yaml_file.read(text)
    assert (entry.key, entry.value) == ("K", value)
    if "\t" not in text and "\\/" not in text:
        assert meant(text) == {"K": value}


def test_entries_keep_their_order_and_their_lines() -> None:
    entries = yaml_file.read('B: 1x\n\n# c\nA: |\n  a\n\n"c d": e\nMY-TOKEN: f\n')
    assert [(entry.key, entry.value, entry.line) for entry in entries] == [
        ("B", "1x", 1),
        ("A", "a\n", 4),
        ("c d", "e", 7),
        ("MY-TOKEN", "f", 8),
    ]


NO_TEXT = (
    *("~", "null", "true", "False", "1", "-1", "+1_000", "0x1f", "0o17", "0b1", "1.5", ".5", "1.", "1e9", ".inf"),
    *("-.INF", ".nan", "1:30", "2026-07-08", "2026-07-08T12:00:00Z", "", "# s3cret", "=", "<<"),
)


@pytest.mark.parametrize("value", NO_TEXT)
def test_what_some_reader_takes_for_no_text_needs_quotes(value: str) -> None:
    assert refused(f"K: {value}") == 'Line 1: The value of "K" is no text in YAML: put it in quotes.'
    (entry,) = yaml_file.read(f'K: "{value}"')
    assert entry.value == value
    if value and "#" not in value:
        assert refused(f"{value}: v").startswith("Line 1: ")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "The file has no secrets."),
        ("# s3cret\n---\n", "The file has no secrets."),
        ("A: x\nA: y", 'Line 2: The key "A" is there twice.'),
        ("A: x\n---\nB: y", "Line 2: There must be one document, and its --- on a line of its own."),
        ("---\n---\nB: y", "Line 2: There must be one document, and its --- on a line of its own."),
        ("--- s3cret", "Line 1: There must be one document, and its --- on a line of its own."),
        ("A: x\n...\nB: y", "Line 3: There must be one document, and its --- on a line of its own."),
        ("A: x\n... s3cret", "Line 2: There is more behind the end of the document."),
        ("A: *s3cret", 'Line 1: The value of "A" is no text: aliases are not read.'),
        ("A: !!str s3cret", 'Line 1: The value of "A" is no text: tags are not read: put the value in quotes.'),
        ("A: [s3cret]", 'Line 1: The value of "A" is no text: lists are not read.'),
        ("A: - s3cret", 'Line 1: The value of "A" is no text: lists are not read.'),
        ("A: {b: s3cret}", 'Line 1: The value of "A" is no text: mappings within are not read.'),
        ("A: @s3cret", 'Line 1: The value of "A" is no text: it must be put in quotes.'),
        ("A: &a", 'Line 1: The value of "A" is no text: it must be put in quotes.'),
        ("A: b: s3cret", 'Line 1: The value of "A" has a colon: put it in quotes.'),
        ("A: s3cret:", 'Line 1: The value of "A" has a colon: put it in quotes.'),
        ("A: 's3cret' x", 'Line 1: There is more behind the quotes of "A".'),
        ("A: 's3cret'#x", 'Line 1: There is more behind the quotes of "A".'),
        ("A: x\n  s3cret", 'Line 2: The value of "A" goes on here: use | for several lines.'),
        ("A: x\n\n  s3cret", 'Line 3: The value of "A" goes on here: use | for several lines.'),
        (
            "A: |\n    x\n  s3cret",
            "Line 3: A key must begin the line, with its value behind it; lists and the like are not read.",
        ),
        ("A: |\n   \n x\n", "Line 3: A blank line before the text has more blanks than it."),
        (" A: x", "Line 1: A key must begin the line, with its value behind it; lists and the like are not read."),
        ("- s3cret", "Line 1: A key must begin the line, with its value behind it; lists and the like are not read."),
        (
            "{A: s3cret}",
            "Line 1: A key must begin the line, with its value behind it; lists and the like are not read.",
        ),
        (
            "? A\n: s3cret",
            "Line 1: A key must begin the line, with its value behind it; lists and the like are not read.",
        ),
        (
            "%YAML 1.2\n---\nA: x",
            "Line 1: A key must begin the line, with its value behind it; lists and the like are not read.",
        ),
        ("s3cret", "Line 1: There is no colon between a key and a value."),
        ("A:s3cret", "Line 1: There is no colon between a key and a value."),
        ("A #x: y", "Line 1: There is no colon between a key and a value."),
        ('"A" x: y', "Line 1: There is no colon between a key and a value."),
        ("A" * 1_100 + ": y", "Line 1: There is no colon between a key and a value."),
        ("<<: *s3cret", 'Line 1: The key "<<" is no text in YAML: put it in quotes.'),
        ("A: x\nB: \x07s3cret", "Line 2: The file has a letter that YAML does not allow."),
        ("A: x\u2028s3cret", "Line 1: The file has a letter that YAML does not allow."),
        ('A: "\\ud800"', 'Line 1: The entry "A" has half of a surrogate pair.'),
        *(
            (
                f"A: {value}",
                "Line 1: What is in quotes must end on its line, with escapes that YAML has; use | for several lines.",
            )
            for value in ('"s3cret', "'s3cret", r'"\q"', r'"\x1"', r'"\U00110000"', '"s3cret\n  x"')
        ),
    ],
)
def test_what_is_not_read_is_refused_by_its_line_and_without_its_value(text: str, detail: str) -> None:
    assert refused(text) == detail


LINES = st.sampled_from(
    ["A: x", "B: 'y'", 'C: "z"', "D: |", "E: >-", "F: |+", "G: >2", "  text", "   more", "", "  ", "# c", " # c", "---"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, max_size=9).map("\n".join), st.sampled_from(["", "\n"]))
@example("A: |\n  text\n  ", "")
@example("D: |\n\n   more\n  text", "\n")
def test_files_of_any_lines_mean_what_yaml_means_or_are_refused(text: str, end: str) -> None:
    check(text + end)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="Kk:#'\"|>&*!-+?[]{} \n\\x0,.~", max_size=24))
def test_any_text_means_what_yaml_means_or_is_refused(text: str) -> None:
    check("K: " + text)
    check(text)


def check(text: str) -> None:
    try:
        entries = {entry.key: entry.value for entry in yaml_file.read(text)}
    except BadRequest:
        return
    assert entries == meant(text)


def meant(text: str) -> Mapping[Any, Any]:
    """The file as PyYAML reads it."""
    # Of the loaders only this one makes texts of all scalars, and objects of nothing.
    document: Mapping[Any, Any] = yaml.load(text, yaml.BaseLoader)  # type: ignore[no-untyped-call]  # noqa: S506
    return document


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("K: " + "1" * 1_000_000 + "z", 1),
        ("K: a" + " " * 1_000_000 + "b", 1),
        ("a " * 500_000 + ": b", None),
        ("K: '" + "''" * 500_000, None),
        ('K: "' + "\\\\" * 500_000, None),
        ("K: |\n" + " x\n" * 300_000, 1),
        ("K: >\n" + " x\n\n" * 200_000, 1),
        ("\n" * 1_000_000, None),
        ("K: x\n" + "\n" * 1_000_000, 1),
        ("K: " + "1:" * 500_000, None),
        ("".join(f"K{number}: x\n" for number in range(80_000)), 80_000),
        (" #" * 500_000, None),
    ],
    ids=lambda value: str(value)[:8],
)
def test_the_largest_files_are_gone_through_once(text: str, number: int | None) -> None:
    """A reader that went through one of them for each of its letters would take hours."""
    if number is None:
        assert refused(text)
    else:
        assert len(yaml_file.read(text)) == number


def refused(text: str) -> str:
    with pytest.raises(BadRequest) as caught:
        yaml_file.read(text)
    assert caught.value.message == "Failed to parse secrets file."
    assert "s3cret" not in caught.value.detail
    return caught.value.detail
