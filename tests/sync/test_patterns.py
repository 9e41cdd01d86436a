"""Which paths a pattern selects."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import UsageError
from tsws.sync.patterns import Selection

TREE = [
    "a.bin",
    "a.txt",
    "out/model.bin",
    "out/deep/model.bin",
    "out/deep/notes.txt",
    "out.bin",
    ".tsws/state/run.json",
]


def selected(*patterns: str) -> list[str]:
    selection = Selection(patterns)
    return [path for path in TREE if path in selection]


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("a.bin", ["a.bin"]),
        ("./a.bin", ["a.bin"]),
        ("out", ["out/model.bin", "out/deep/model.bin", "out/deep/notes.txt"]),
        ("out/", ["out/model.bin", "out/deep/model.bin", "out/deep/notes.txt"]),
        ("*.bin", ["a.bin", "out.bin"]),
        ("out/*", ["out/model.bin"]),
        ("**/*.bin", ["a.bin", "out/model.bin", "out/deep/model.bin", "out.bin"]),
        ("out/**", ["out/model.bin", "out/deep/model.bin", "out/deep/notes.txt"]),
        ("out/**/model.bin", ["out/model.bin", "out/deep/model.bin"]),
        ("?.txt", ["a.txt"]),
        ("[!b].[bt]*", ["a.bin", "a.txt"]),
        ("a.[a-c]in", ["a.bin"]),
        ("[", []),
        (".", TREE[:-1]),
        (".tsws/state", [".tsws/state/run.json"]),
    ],
)
def test_what_a_pattern_selects(pattern: str, paths: list[str]) -> None:
    assert selected(pattern) == paths


def test_what_is_private_to_a_side_is_never_selected() -> None:
    selection = Selection([".", ".tsws"])
    for path in (".tsws/sync/attic.json", ".tsws/tmp/x", "out/.model.bin.12345678.tsws-tmp"):
        assert path not in selection


@pytest.mark.parametrize("pattern", ["../secrets", "/etc", "a/../../b", "", "a\\b"])
def test_a_pattern_that_leads_out_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match=f"^the path {re.escape(repr(pattern))} leads out of the workspace$"):
        Selection([pattern])


NAMES = st.text(st.characters(exclude_characters="/\\\0*?[", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..") and name[1:2] != ":"
)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_a_name_without_globs_selects_exactly_itself_and_what_is_beneath(names: list[str]) -> None:
    path = "/".join(["top", *names])
    selection = Selection([path])
    assert path in selection
    assert f"{path}/beneath" in selection
    assert f"{path}beside" not in selection
    assert selection.starts() == (path,)
