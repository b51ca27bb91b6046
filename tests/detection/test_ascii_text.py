"""Which expressions the standard library may run instead of `regex`."""

from __future__ import annotations

import pytest
import regex

from agent.detection.ascii_text import for_ascii, is_plain


@pytest.mark.parametrize(
    "expression",
    [
        r"\p{Lu}\d",  # it knows no properties,
        r"(?<=a|bc)\d",  # nor look-behind of more than one length,
        r"(?:abc){e<=1}",  # nor fuzzy matching, which it takes for letters
        r"(?:\d+-)+x",  # and it cannot be stopped
    ],
)
def test_what_it_would_read_in_another_way_is_left_alone(expression: str) -> None:
    regex.compile(expression)
    assert for_ascii(expression, 0) is None


def test_flags_are_those_of_the_expression() -> None:
    flags = int(regex.IGNORECASE | regex.MULTILINE)
    compiled = for_ascii(r"^ab{1,3}$", flags)
    assert compiled is not None
    text = "x\nABB\nabbbb\nab"
    assert [match.span() for match in compiled.finditer(text)] == [
        match.span() for match in regex.finditer(r"^ab{1,3}$", text, flags)
    ]


def test_plain_is_what_both_take_for_the_same() -> None:
    assert is_plain("a 1\t\n\x00~")
    assert not is_plain("a\x1db")
    assert not is_plain("é")
