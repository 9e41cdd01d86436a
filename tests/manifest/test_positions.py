"""Lines of keys in TOML texts."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tsws.manifest.positions import key_positions

EVERYTHING = '''\
# a comment with [a.table] in it
top = 1
"quoted key" = "a = 1 # no comment"
'literal.key' = 'x'
dotted.inner . last = true

[run.baby]
flags = [
    "one", # comment ]
    ["nested", 2],

    { key = "x", other.deep = [1] },
]
text = """
[not.a.table]
key = "not a key" \\"""
"""
literal = \'\'\'
a = 1\'\'\'
inline = { a = 1, "b c" = { d = [] } }
when = 1979-05-27 07:32:00

[[item]]
name = "first"
[item.sub]
x = 1
[[item]]
name = "second"
[[item.part]]
y = 2
[ run . "my run" ]
end = """quotes at the end"""""
after = 1
'''


def test_every_kind_of_key_has_its_line() -> None:
    tomllib.loads(EVERYTHING)
    assert key_positions(EVERYTHING) == {
        ("top",): 2,
        ("quoted key",): 3,
        ("literal.key",): 4,
        ("dotted",): 5,
        ("dotted", "inner"): 5,
        ("dotted", "inner", "last"): 5,
        ("run",): 7,
        ("run", "baby"): 7,
        ("run", "baby", "flags"): 8,
        ("run", "baby", "flags", 0): 9,
        ("run", "baby", "flags", 1): 10,
        ("run", "baby", "flags", 1, 0): 10,
        ("run", "baby", "flags", 1, 1): 10,
        ("run", "baby", "flags", 2): 12,
        ("run", "baby", "flags", 2, "key"): 12,
        ("run", "baby", "flags", 2, "other"): 12,
        ("run", "baby", "flags", 2, "other", "deep"): 12,
        ("run", "baby", "flags", 2, "other", "deep", 0): 12,
        ("run", "baby", "text"): 14,
        ("run", "baby", "literal"): 18,
        ("run", "baby", "inline"): 20,
        ("run", "baby", "inline", "a"): 20,
        ("run", "baby", "inline", "b c"): 20,
        ("run", "baby", "inline", "b c", "d"): 20,
        ("run", "baby", "when"): 21,
        ("item",): 23,
        ("item", 0): 23,
        ("item", 0, "name"): 24,
        ("item", 0, "sub"): 25,
        ("item", 0, "sub", "x"): 26,
        ("item", 1): 27,
        ("item", 1, "name"): 28,
        ("item", 1, "part"): 29,
        ("item", 1, "part", 0): 29,
        ("item", 1, "part", 0, "y"): 30,
        ("run", "my run"): 31,
        ("run", "my run", "end"): 32,
        ("run", "my run", "after"): 33,
    }


def test_windows_line_ends_count_once() -> None:
    assert key_positions("a = 1\r\n\r\nb = 2\r\n") == {("a",): 1, ("b",): 3}


scalars = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.datetimes(), st.dates())
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
documents = st.dictionaries(st.text(), values, max_size=6)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """The path of everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {path} if path else set()
    for key, inner in items:
        found |= paths(inner, (*path, key))
    return found


@given(documents, st.booleans())
def test_all_keys_of_any_document_are_found_where_they_stand(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    positions = key_positions(text)
    assert positions.keys() == paths(tomllib.loads(text))
    lines = text.split("\n")
    for path, line in positions.items():
        if isinstance(path[-1], str):
            written = tomli_w.dumps({path[-1]: 0}).partition(" = ")[0]
            assert written in lines[line - 1]
