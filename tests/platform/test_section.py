"""Bounds of a section hold what begins with a text, and nothing else."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.platform.section import just_after


@given(text=st.text(max_size=9), after=st.text(max_size=9))
@example(text="a", after="\U0010ffff" * 9)
@example(text="\ud7ff", after="x")
@example(text="\U0010ffff", after="\U0010ffff")
def test_what_begins_with_a_text_comes_before_what_is_just_after_it(text: str, after: str) -> None:
    assert text + after < just_after(text)
    assert just_after(text).encode()


@given(text=st.text(min_size=1, max_size=3), other=st.text(max_size=3))
@example(text="a", other="b")
def test_what_comes_between_begins_with_the_text(text: str, other: str) -> None:
    if text <= other < just_after(text):
        assert other.startswith(text)
