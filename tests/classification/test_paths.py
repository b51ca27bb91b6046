from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.classification.paths import compile_pattern, fold
from agent.model.condition import PathPattern


def keys(pattern: str, path: str) -> dict[str, str] | None:
    found = compile_pattern(PathPattern(pattern)).match(fold(path))
    return None if found is None else dict(found)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**/payroll/**", "Payroll/a.xlsx", True),
        ("**/payroll/**", "HR/2019/PAYROLL/x/a.xlsx", True),
        ("**/payroll/**", "HR/payroll", False),
        ("**/payroll/**", "HR/old payroll/a.xlsx", False),
        ("payroll/**", "HR/payroll/a.xlsx", False),
        ("payroll/**/a.xlsx", "payroll/a.xlsx", True),
        ("payroll/**/a.xlsx", "payroll/1/2/a.xlsx", True),
        ("payroll/**/a.xlsx", "payroll/1/2/b.xlsx", False),
        ("**", "a", True),
        ("**/*", "a/b/c", True),
        ("*", "a/b", False),
        ("*.pdf", "a.PDF", True),
        ("*.pdf", "apdf", False),
        ("a*b*c/x", "a-b-b-c/x", True),
        ("a*b*c/x", "a-c-b/x", False),
        ("20??/**", "2019/a", True),
        ("20??/**", "201/a", False),
        ("**/a/b/**/c", "a/a/b/x/c", True),
        ("**/a/b/**/c/d", "a/a/b/c/x/c/d", True),
        ("a+(b)/c", "A+(B)/C", True),
        ("a.b", "axb", False),
        ("**/café/**", unicodedata.normalize("NFD", "CAFÉ/x"), True),
        ("**/straße/**", "STRASSE/x", True),
        ("**/x\ny/**", "x\ny/z", True),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, path: str, matches: bool) -> None:
    assert (keys(pattern, path) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "path", "captured"),
    [
        ("**/personnel/{person}/**", "HR/Personnel/ Smith J /a/b.docx", {"person": "smith j"}),
        ("cases/{case}-{year}/*", "Cases/a-b-2019/x", {"case": "a", "year": "b-2019"}),
        ("**/{case}/evidence/**/{name}.pdf", "x/c1/evidence/1/2/Scan 3.pdf", {"case": "c1", "name": "scan 3"}),
        ("a/{person}/**", "a/  /x", {}),
        ("a/case {case}.*", "a/CASE 17.docx", {"case": "17"}),
    ],
)
def test_captures_are_normalised_and_never_empty(pattern: str, path: str, captured: dict[str, str]) -> None:
    assert keys(pattern, path) == captured


def naive(pattern: str) -> re.Pattern[str]:
    """The textbook translation, with all the backtracking that ours leaves out."""
    if pattern.endswith("/**"):
        pattern, end = pattern[:-3], "/.+"
    else:
        end = ""
    translated = re.escape(pattern).replace(r"\*\*/", "(?:[^/]+/)*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(translated + end, re.DOTALL)


component = st.text(st.sampled_from("aab*?"), min_size=1, max_size=5).filter(lambda text: "**" not in text)
patterns = (
    st.lists(st.one_of(component, st.just("**")), min_size=1, max_size=5)
    .map("/".join)
    .filter(lambda text: text != "**" and "**/**" not in text)
)
paths = st.lists(st.text(st.sampled_from("ab"), min_size=1, max_size=5), min_size=1, max_size=6).map("/".join)


@given(patterns, paths)
def test_leaving_out_the_backtracking_changes_no_answer(pattern: str, path: str) -> None:
    assert (keys(pattern, path) is not None) is (naive(pattern).fullmatch(path) is not None)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/a/**/a/**/a/**/a/**/b", "a/" * 2000 + "c/b/c"),
        ("*a*a*a*a*a*a*b", "a" * 250 + "b" + "a" * 5),
        ("{one}a{two}a{three}a{four}/b", "a" * 250 + "/c/b"),
    ],
)
def test_no_name_makes_matching_slow(pattern: str, path: str) -> None:
    began = time.process_time()
    assert keys(pattern, path) is None
    assert time.process_time() - began < 0.5
