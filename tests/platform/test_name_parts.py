"""An object is found by every part of its names, by no other text, and is read once for it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.platform import part_rows
from chalicelib.platform.kinds import TEMPLATE, WORKSPACE
from chalicelib.platform.name_parts import LONGEST, beginnings, ends
from chalicelib.platform.part_rows import Names

NAMES = st.text("ab-\U0001f980", max_size=LONGEST + 6)
PARTS = st.text("ab-\U0001f980", min_size=1, max_size=8)
ALWAYS_ONCE = 3


def rows_read(name: str, part: str) -> int:
    """How many of a name's rows a query for a part reads."""
    sought = beginnings(part)
    return sum(end.group == one.group and end.text.startswith(one.text) for end in ends(name) for one in sought)


@given(name=NAMES, part=PARTS)
@example(name="banana", part="a")
@example(name="aaaaaaaa", part="aa")
@example(name="dev-dev-dev", part="dev-")
def test_a_name_is_found_by_each_of_its_parts_and_read_once(name: str, part: str) -> None:
    count = rows_read(name, part)
    if len(name) > LONGEST:
        assert count == 1
    else:
        assert (count > 0) is (part in name)
        if len(part) <= ALWAYS_ONCE:
            assert count == (part in name)


@given(name=NAMES)
def test_a_name_has_no_more_rows_than_characters_and_each_is_another(name: str) -> None:
    made = ends(name)
    assert len({end.text for end in made}) == len(made) <= LONGEST


@given(name=st.text(max_size=LONGEST + 6), part=st.text(min_size=1, max_size=80))
@example(name="a\U0010ffff\U0010ffff", part="a")
@example(name="\U0010ffff\U0010ffff", part="\U0010ffff")
@example(name="\ud7ff\ud7ff", part="\ud7ff")
def test_keys_are_as_long_as_dynamodb_takes_and_their_bounds_hold_them(name: str, part: str) -> None:
    values = {"id": "7", "name": name or "x", "organization_id": "o", "created_at": "2026-07-08T12:00:00Z"}
    names = Names.of(WORKSPACE, values)
    rows = part_rows.rows(WORKSPACE, "7", names)
    assert all(len(row_id.encode()) <= 2_048 and len(row["place"].encode()) <= 1_024 for row_id, row in rows.items())
    assert rows.keys() == part_rows.row_ids(WORKSPACE, "7", {"name": names.texts["name"][0]})
    assert {part_rows.object_id_of(row_id) for row_id in rows} == {"7"}
    sections = part_rows.sections(WORKSPACE, "name", "kept", part, "o")
    is_read = any(
        row["organization"] == one.key
        and (one.least or " ") <= row["place"]
        and (not one.most or row["place"] <= one.most)
        for row in rows.values()
        for one in sections
    )
    assert is_read or part not in names.texts["name"][0]


def test_a_template_is_found_by_two_names_and_a_deleted_one_by_none() -> None:
    values = {"id": "7", "name": "Go", "display_name": "GO", "organization_id": "o", "deprecation_message": "old"}
    assert Names.of(TEMPLATE, values).texts == {"name": ("go", "True"), "display_name": ("go", "True")}
    assert Names.of(TEMPLATE, {**values, "display_name": ""}).texts == {"name": ("go", "True")}
    assert not Names.of(TEMPLATE, {**values, "deleted": True}).texts
