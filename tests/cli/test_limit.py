"""TSWS_LOAD_PLUGINS: said where something is missing that it may have kept out."""

from __future__ import annotations

import pytest

from tsws.cli.limit import find_limit
from tsws.cli.words import enumeration
from tsws.io.entry_points import installed

CHOSEN = "local, llama,nope"
KEPT_OUT = sorted(point.name for point in installed("tsws") if point.name not in {"local", "llama"})
SAID = f'warning: TSWS_LOAD_PLUGINS="{CHOSEN}" keeps out {enumeration(KEPT_OUT)} and names nope, which is no installed plugin'
VOLUME = '[volume.attic]\nkind = "folder"\npath = "attic"\n'
WEB = '[dataset.web]\nsource = "https://127.0.0.1:1/a.txt"\n'


def test_plugins_names_what_is_kept_out_and_what_exists_nowhere(project) -> None:
    result = project().process("plugins", env={"TSWS_LOAD_PLUGINS": CHOSEN})
    assert [line.split()[0] for line in result.out.splitlines()] == ["PLUGIN", "llama", "local"]
    assert result.err == f"{SAID}\n"


def test_doctor_says_it_too(project) -> None:
    lines = project().process("doctor", env={"TSWS_LOAD_PLUGINS": CHOSEN}).out.splitlines()
    found = lines.index(f"warn  plugins: {SAID.removeprefix('warning: ')}")
    assert lines[found + 1] == "      hint: unset it to load every plugin; `tsws plugins` lists them"


@pytest.mark.parametrize("manifest", [VOLUME, WEB], ids=["a blocked resource", "an unknown scheme"])
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_plan_that_misses_something_says_it(project, manifest: str, command: str) -> None:
    result = project({"tinystories.toml": manifest}).process(command, "--all", env={"TSWS_LOAD_PLUGINS": CHOSEN})
    assert result.err.splitlines()[0] == SAID


def test_plan_that_misses_nothing_says_nothing(project) -> None:
    result = project().process("plan", env={"TSWS_LOAD_PLUGINS": CHOSEN})
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize("value", [None, ",".join(point.name for point in installed("tsws"))])
def test_without_a_limit_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("TSWS_LOAD_PLUGINS", raising=False)
    if value is not None:
        monkeypatch.setenv("TSWS_LOAD_PLUGINS", value)
    assert find_limit() is None
