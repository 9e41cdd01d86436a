"""The page of the commands: what it shows comes out, its schemas hold, and its variables are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.docs.console import Console
from tests.docs.pages import REPOSITORY, page
from tsws.cli.session import global_options
from tsws.cli.table import COMMANDS

COMMANDS_PAGE = page("docs/commands.md")


def test_what_the_page_shows_comes_out(console: Console) -> None:
    console.play(COMMANDS_PAGE.blocks)


def test_every_command_and_every_common_option_is_there() -> None:
    assert {f"tsws-{name}" for name in COMMANDS} <= COMMANDS_PAGE.anchors
    begin = COMMANDS_PAGE.text.partition("## Exit status")[0]
    assert [name for option in global_options(hidden=True) for name in option.opts if f"`{name}" not in begin] == []


@pytest.mark.parametrize("command", ["plan", "status"])
def test_a_document_has_the_published_shape(command: str, applied: Path, console: Console) -> None:
    schema = json.loads((REPOSITORY / "docs" / "schemas" / f"{command}.json").read_text())
    Draft202012Validator.check_schema(schema)
    for override in ("run.first.max_iters=20", "run.first.max_iters=80", "run.first.backend=nowhere"):
        status, output = console.run(f"tsws -q -C {applied} {command} --json --set {override}")
        document = json.loads(output)
        assert status == (1 if command == "plan" and "nowhere" in override else 0)
        assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == []
        assert document["schema"] == 1


def test_a_story_as_json_has_the_keys_that_the_page_names(applied: Path, console: Console) -> None:
    _, output = console.run(f"tsws -C {applied} generate --json --count 2 --seed 3 -n 8 Once")
    stories = [json.loads(line) for line in output.splitlines()]
    assert [story["seed"] for story in stories] == [3, 4]
    named = re.findall(r"`(\w+)`", COMMANDS_PAGE.part("### `generate --json`").prose.partition("\n")[2])
    assert [list(story) for story in stories] == [named, named]


def test_every_variable_of_the_code_is_on_the_page() -> None:
    read = re.compile(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"|_VARIABLE = \"([A-Z][A-Z_]+)\"")
    code = [path.read_text() for room in ("tsws", "plugins") for path in sorted((REPOSITORY / room).rglob("*.py"))]
    names = {one or other for text in code for one, other in read.findall(text)}
    page_names = set(re.findall(r"`([A-Z_]+)`", COMMANDS_PAGE.part("## Environment").text))
    assert len(names) > 5
    assert names <= page_names
