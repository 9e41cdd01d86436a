"""The runner itself: it passes what is right, and fails what is not."""

from __future__ import annotations

import pytest

from tests.docs.console import Console, PageError, edited, matches, steps
from tests.docs.markdown import Block, Page, anchor


def block(text: str, language: str = "console", title: str | None = None) -> Block:
    return Block(language, title, text, 1)


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("", "", True),
        ("", "something\n", False),
        ("loss 4.1", "loss 4.1\n", True),
        ("loss 4.1", "loss 4x1\n", False),
        ("loss ..., best", "loss 4.1, best\n", True),
        ("loss ..., best", "loss 4.1\n, best\n", False),
        ("first\n...\nlast", "first\nlast\n", True),
        ("first\n...\nlast", "first\na\n\nb\nlast\n", True),
        ("first\n...\nlast", "first\na\n", False),
        ("...", "", True),
        ("+ a   new", "+ a        new", True),
        ("  + a", "+ a", False),
        ("first", "first\nsecond\n", False),
    ],
)
def test_an_output_matches_what_the_page_shows(expected: str, actual: str, same: bool) -> None:
    assert matches(expected, actual) is same


def test_a_block_is_commands_with_their_output() -> None:
    found = steps(block("$ first\n$ second\none\n\ntwo\n"))
    assert [(step.command, step.expected, step.line) for step in found] == [
        ("first", "", 2),
        ("second", "one\n\ntwo", 3),
    ]


def test_what_a_page_says_is_done_in_order_and_in_place(console: Console) -> None:
    console.play(
        [
            block("$ mkdir here\n$ cd here\n$ NAME=lost\n"),
            block("a = 1\nb = 2\n", "toml", "notes.toml"),
            block("-b = 2\n+b = 3\n\n+[c]\n", "diff", "notes.toml"),
            block("$ cat notes.toml; echo $NAME\na = 1\nb = 3\n\n[c]\n$ basename $PWD\nhere\n"),
            block("never run", "python"),
        ]
    )


@pytest.mark.parametrize(
    "text", ["$ echo yes\nno\n", "$ false\n", "$ echo error: no\nerror: no\n", "$ echo 'open\n", "no command\n"]
)
def test_a_page_that_is_wrong_fails(console: Console, text: str) -> None:
    with pytest.raises(PageError):
        console.play([block(text)])


def test_a_command_may_fail_where_the_page_shows_an_error(console: Console) -> None:
    console.play([block("$ echo 'error: not here' >&2; exit 1\nerror: not here\n")])


@pytest.mark.parametrize("text", ["a\na\n", "b\n"])
def test_an_edit_has_to_fit_in_one_place(text: str) -> None:
    with pytest.raises(PageError, match="exactly one place"):
        edited(text, "-a\n+c\n")


def test_a_page_is_taken_apart(tmp_path: object) -> None:
    text = (
        "# One `word`\n[a](b.md#c)\n```toml title=x.toml\n# no heading\n[d](e)\n```\n## Two\nmore\n### Three\n## Four\n"
    )
    shown = Page(None, text)  # type: ignore[arg-type]
    assert shown.blocks == [Block("toml", "x.toml", "# no heading\n[d](e)\n", 3)]
    assert (shown.links, shown.anchors) == (["b.md#c"], {"one-word", "two", "three", "four"})
    assert shown.part("## Two").text == "## Two\nmore\n### Three\n"
    assert anchor("`[run.NAME]`") == "runname"


def test_a_generated_part_is_rewritten_and_the_rest_stays() -> None:
    shown = Page(None, "a\n<!-- generated: one two -->\nold\n<!-- end -->\nb\n")  # type: ignore[arg-type]
    assert list(shown.generated()) == [("one two", "old\n")]
    assert shown.regenerated(str.upper) == "a\n<!-- generated: one two -->\nONE TWO<!-- end -->\nb\n"
